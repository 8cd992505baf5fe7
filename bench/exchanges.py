"""What happens between a caller and an agent, one exchange at a time, as the caller hears it."""

import msgspec
import numpy as np

from bench.caller import Caller
from bench.sound import Sound, Turn, heard_gaps, loud

LOST_AFTER_S = 8.0  # no answer by then is none: the peer's own fallback comes after about 4
ANSWER_ENDS_S = 90.0  # a minute of story, and pauses in it
SPEAKING_S = 2.5  # how long the agent has spoken before the caller breaks in
FLOWING_S = 0.2  # it must be audible in the last 200 ms before, or there is nothing to break
MHM_WINDOW_S = 6.0
PAUSE_MS = 60.0


class Answered(msgspec.Struct, frozen=True):
    """How the turn of a file was answered. `latency_ms` is None if it was lost or cut."""

    file: str
    latency_ms: float | None
    cut: bool
    lost: bool


class Flow(msgspec.Struct, frozen=True):
    """One stretch of agent speech: how long it took, and how often it broke."""

    seconds: float
    pauses: int


async def answered(caller: Caller, turn: Turn, clip: Sound) -> Answered:
    """Say a turn and wait for its answer, then for the answer's end.

    Latency runs from the labelled last voiced sample to the first audible sample. A turn in which
    the agent is audible before that is cut, and has no latency: the agent spoke to half a question.
    """
    at = caller.say(clip)
    last = at + turn.last_voiced_ms / 1000
    cut = await caller.sounds(at + turn.first_voiced_ms / 1000, last) is not None
    await caller.until(last)
    first = await caller.sounds(last, last + LOST_AFTER_S)
    if cut:  # the rest is answered too, which must not count as cutting the next turn
        await caller.until(last + LOST_AFTER_S)
    await caller.silence(last + ANSWER_ENDS_S)
    latency_ms = None if cut or first is None else (first - last) * 1000
    return Answered(turn.file, latency_ms, cut, first is None)


async def speaking(caller: Caller, opening: Sound) -> bool:
    """Have the agent speak for a while, by asking if it is silent; False if it will not.

    Returns while it is audible, not in one of its own pauses.
    """
    now = caller.loop.time()
    first = await caller.sounds(now, now + LOST_AFTER_S)  # what was said before may be answered
    if first is None:
        now = caller.say(opening) + len(opening) / caller.link.rate_hz
        first = await caller.sounds(now, now + LOST_AFTER_S)
    if first is None:
        return False
    await caller.until(first + SPEAKING_S)
    give_up = caller.loop.time() + SPEAKING_S
    while not audible(caller, caller.loop.time() - FLOWING_S / 2, caller.loop.time()):
        if caller.loop.time() > give_up:
            return False
        await caller.until(caller.loop.time() + 0.02)
    return True


def speaks_on(caller: Caller, at: float) -> bool:
    """Whether there is more to be heard of the agent at that moment."""
    return caller.link.answering() or caller.link.playout.ends_at > at


def audible(caller: Caller, start: float, end: float) -> bool:
    return len(loud(caller.link.playout.heard(start, end))) > 0


async def interrupted(caller: Caller, turn: Turn, clip: Sound) -> float | None:
    """Break in with a turn: ms from its onset to the last audible sample of the agent within it.

    Counts everything that sounds until the caller has finished, so an agent that falls silent and
    speaks on does not count as silent. None if the agent happened to pause as the caller began, or
    had just said its last word.
    """
    at = caller.say(clip)
    onset, end = at + turn.first_voiced_ms / 1000, at + turn.last_voiced_ms / 1000
    await caller.until(end)
    if not audible(caller, onset - FLOWING_S, onset):
        return None
    heard = loud(caller.link.playout.heard(onset, end))
    if not any(dropped > at for dropped in caller.link.dropped_at) and not speaks_on(caller, end):
        return None
    return float(heard[-1]) * 1000 / caller.link.playout.rate_hz if len(heard) else 0.0


async def acknowledged(caller: Caller, turn: Turn, clip: Sound) -> float | None:
    """Say "mhm" while the agent speaks: the longest gap in what it says over the next 6 s, in ms.

    A gap is a silence with a hole in the audio (`sound.heard_gaps`), counted as heard. An agent
    that breaks its answer off has the whole rest of the window as its gap, even if it begins
    another one. None if it was about to finish anyway, or paused as the caller began.
    """
    at = caller.say(clip)
    onset = at + turn.first_voiced_ms / 1000
    end = onset + MHM_WINDOW_S
    await caller.until(end)
    if not audible(caller, onset - FLOWING_S, onset):
        return None
    playout = caller.link.playout
    heard = playout.heard(onset - FLOWING_S, end)
    holes = playout.holes(onset - FLOWING_S, end)
    gaps = [length for _, length in heard_gaps(heard, playout.rate_hz, holes)]
    broken = [dropped for dropped in caller.link.dropped_at if onset <= dropped < end]
    if broken:
        heard = playout.heard(onset - FLOWING_S, broken[0])
        last = onset - FLOWING_S + float(loud(heard)[-1]) / playout.rate_hz
        gaps.append((end - last) * 1000)
    elif playout.ends_at < end and caller.link.answering():
        gaps.append(float(len(heard) - 1 - loud(heard)[-1]) * 1000 / playout.rate_hz)
    elif playout.ends_at < end - MHM_WINDOW_S / 2:
        return None
    return max(gaps, default=0.0)


async def told(caller: Caller, question: Sound) -> Flow | None:
    """Ask for a long answer and hear it to its end: its length, and how often it broke.

    A break is a hole of more than 60 ms between its first and last audible sample; being broken off
    for good is one too. None if the agent did not answer.
    """
    asked = caller.say(question) + len(question) / caller.link.rate_hz
    first = await caller.sounds(asked, asked + LOST_AFTER_S)
    if first is None:
        return None
    await caller.silence(first + ANSWER_ENDS_S)
    playout = caller.link.playout
    heard = loud(playout.heard(first, caller.loop.time()))
    seconds = float(heard[-1] + 1) / playout.rate_hz
    holes = playout.holes(first, first + seconds)
    broken = sum(dropped > first for dropped in caller.link.dropped_at)
    return Flow(seconds, max(sum(length > PAUSE_MS for _, length in holes), broken))


def opening_of(turns: list[Turn], rng: np.random.Generator) -> Turn:
    """A question to set the agent talking."""
    questions = [turn for turn in turns if turn.kind == "question"]
    return questions[int(rng.integers(len(questions)))]
