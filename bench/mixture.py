"""What several callers say at once, and how each of their turns went.

Not everybody waits: of a caller's turns one in five breaks into the answer before it, and into one
answer of five the caller says "mhm". Both sides get the same callers.
"""

import random
import time
from collections.abc import Sequence

import msgspec
import numpy as np

from bench.guest import Guest
from bench.report import percentile
from bench.sound import Turn

WAIT_S = 15.0
"""After so long without an answer a turn is lost, and counts with this time among the latencies."""

CUT_WAIT_S = 8.0
"""What was said after the agent had cut in is answered too, which must not spoil the next turn."""

INTO_SHARE = 0.2
MHM_SHARE = 0.2
INTO_S = 2.0
"""How long an answer has sounded when the caller breaks in."""

MHM_S = 1.2
FLOWING_S = 0.2
LULL_S = 1.0
"""Between two sentences an agent may be silent for so long: who begins then breaks in too."""

YIELD_S = 1.0
"""From the onset of a caller who breaks in until the agent must be silent; how fast it is exactly
is measured by `bench.callers --only barge`."""

ANSWER_ENDS_S = 60.0
PAUSES_S = (0.5, 2.0)
"""What a caller thinks before the next turn, after the 2 s that show that the answer is over."""


class Said(msgspec.Struct, frozen=True):
    """A turn of a caller. `into` breaks into the answer before; `mhm` is said into its own one."""

    turn: Turn
    pause_s: float
    into: bool = False
    mhm: Turn | None = None


class Turned(msgspec.Struct, frozen=True):
    """How a turn was answered. `latency_ms` is None if it was lost or cut."""

    file: str
    latency_ms: float | None
    cut: bool = False
    lost: bool = False

    @property
    def bad(self) -> bool:
        return self.cut or self.lost

    @property
    def waited_ms(self) -> float | None:
        """For the percentiles: the whole wait if it was lost; None if it was cut."""
        return WAIT_S * 1000 if self.lost and not self.cut else self.latency_ms


def scripts(turns: Sequence[Turn], callers: int, each: int, seed: int) -> list[list[Said]]:
    """What each caller says: `each` turns, drawn without repetition as long as there are some."""
    draw = random.Random(seed)
    mhms = [turn for turn in turns if turn.kind == "acknowledgement"]
    spoken = [turn for turn in turns if turn.kind != "acknowledgement"]
    deck: list[Turn] = []
    made = []
    for _ in range(callers):
        script: list[Said] = []
        for number in range(each):
            if not deck:
                deck = draw.sample(spoken, len(spoken))
            into = number > 0 and draw.random() < INTO_SHARE
            mhm = draw.choice(mhms) if mhms and draw.random() < MHM_SHARE else None
            script.append(Said(deck.pop(), draw.uniform(*PAUSES_S), into, mhm))
        made.append(script)
    return made


async def converse(
    guest: Guest, script: Sequence[Said], until: float | None = None
) -> list[Turned]:
    """Say it all; with `until`, as often as fits, and no turn is begun after that.

    Turns that could not be said because the line was lost are lost.
    """
    told: list[Turned] = []
    number = 0
    while number < len(script) if until is None else time.monotonic() < until:
        said = script[number % len(script)]
        number += 1
        following = script[number % len(script)]
        try:
            told.append(await turned(guest, said))
            await listen(guest, said, told[-1], following.into)
        except ConnectionError:
            told += [Turned(one.turn.file, None, lost=True) for one in script[len(told) :]]
            break
    return told


async def turned(guest: Guest, said: Said) -> Turned:
    """Say a turn and wait for the first sound of its answer.

    Latency runs from the labelled last voiced sample to the first audible sample. The turn is cut
    if the agent is audible before the caller has finished, of which a caller who breaks in allows
    the first second; and lost if no answer begins, or if the agent goes on with the old one.
    """
    turn = said.turn
    now = time.monotonic()
    broken_into = said.into and guest.audible(now - LULL_S, now)
    at = guest.say(turn)
    first, last = at + turn.first_voiced_ms / 1000, at + turn.last_voiced_ms / 1000
    await guest.until(last)
    cut = guest.audible(first + YIELD_S if broken_into else first, last)
    heard = await guest.sounds(last, last + WAIT_S)
    if cut:
        await guest.until(last + CUT_WAIT_S)
    resumed = broken_into and heard is not None and goes_on(guest, at, heard)
    lost = heard is None or resumed
    latency_ms = None if heard is None or cut or lost else (heard - last) * 1000
    return Turned(turn.file, latency_ms, cut, lost)


def goes_on(guest: Guest, at: float, heard: float) -> bool:
    """Whether what is heard is still of the answer that sounded when the caller began at `at`."""
    begun = [item for item in guest.items if item <= heard + FLOWING_S]
    return bool(begun) and begun[-1] < at


async def listen(guest: Guest, said: Said, how: Turned, breaks_in: bool) -> None:
    """Hear the answer: to its end, or until it is time to break in."""
    if how.latency_ms is None:
        await guest.silence(time.monotonic() + ANSWER_ENDS_S)
        return
    begun = time.monotonic()
    if said.mhm is not None:
        await guest.until(begun + MHM_S)
        if guest.audible(time.monotonic() - FLOWING_S, time.monotonic()):
            guest.say(said.mhm)
            begun = time.monotonic() + said.mhm.duration_ms / 1000
    if breaks_in:
        await guest.until(begun + INTO_S)
        return
    await guest.silence(time.monotonic() + ANSWER_ENDS_S)
    await guest.until(time.monotonic() + said.pause_s)


def waits_ms(told: Sequence[Turned]) -> list[float]:
    """The latencies that percentiles are taken of."""
    return [wait for one in told if (wait := one.waited_ms) is not None]


def p95_ms(told: Sequence[Turned]) -> float | None:
    """The 95th percentile of the latencies; None of nothing."""
    waits = waits_ms(told)
    return percentile(95)(np.asarray(waits)) if waits else None
