"""Many callers over real WebSockets, as cheap as they can be made.

`python -m bench.load ours|peer PORT SESSIONS SECONDS`. Each caller says a labelled question every
10 s and faint noise between, 20 ms a message at real pace; all messages are made beforehand. Prints
`connected` once all callers are, and one JSON line at the end.

How late: a server sends agent audio in frames of even length at an even pace, and a frame of an
answer is late by how much longer than that it comes after the one before. A caller whose question
is not answered within 3 s has lost its answer.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence

import numpy as np
import uvloop

from bench.line import RATE_HZ, TEXT, Kind, Line, connected, encode
from bench.peerwire import AUDIO
from bench.sound import QUIET_DBFS, load, load_turns, noise, to_pcm

FRAME_S = 0.02
SLOTS = 4
CYCLE_S = 10.0
CYCLE_FRAMES = int(CYCLE_S / FRAME_S)
CLIPS = 8
LONGEST_CLIP_MS = 3500  # leaves time for the answer of 3 s before the next question
ANSWER_S = 3.0
SETTLE_S = 5.0
JOIN_EVERY_S = 0.1  # the peer blocks its loop for 66 ms as a call begins (measured.md)

PATH = {"ours": "/v1/realtime?model=gpt-realtime", "peer": "/ws?instructions=Be+brief."}
PACE_S = 0.04  # both send frames of 40 ms in real time

OURS_AUDIO = b"response.output_audio.delta"
PEER_AUDIO = AUDIO << 3 | 2  # the first byte of a frame that holds audio


def cycles(kind: Kind) -> list[tuple[list[bytes], float]]:
    """What callers send in 10 s: the messages, and when in it the question's last sound ends."""
    rate = RATE_HZ[kind]
    rng = np.random.default_rng(0)
    turns = [
        turn
        for turn in load_turns()
        if turn.kind == "question" and turn.duration_ms < LONGEST_CLIP_MS
    ]
    made = []
    for turn in turns[:CLIPS]:
        sound = noise(int(rate * CYCLE_S), QUIET_DBFS, rng)
        clip = load(turn, rate)
        sound[: len(clip)] += clip
        pcm = to_pcm(sound)
        step = len(pcm) // CYCLE_FRAMES
        messages = [encode(kind, pcm[at : at + step]) for at in range(0, len(pcm), step)]
        made.append((messages, turn.last_voiced_ms / 1000))
    return made


class Counts:
    """What all callers saw while it counted."""

    def __init__(self) -> None:
        self.counting = False
        self.late_s: list[float] = []
        self.own_late_s: list[float] = []
        self.asked = 0
        self.answered = 0
        self.closed = 0


class Caller(Line):
    """One WebSocket with a cycle of messages to send."""

    def __init__(self, kind: Kind, messages: Sequence[bytes], ends_s: float, counts: Counts):
        super().__init__(PATH[kind])
        self.kind = kind
        self.messages = messages
        self.ends_s = ends_s
        self.counts = counts
        self.asked_at: float | None = None
        self.expects = True  # is the next frame of the agent's audio the first of an answer?
        self._last_audio = 0.0

    def opened(self) -> None:
        if self.kind == "ours":
            turns = {"input": {"turn_detection": {"type": "semantic_vad"}}}
            session = {"type": "realtime", "instructions": "Be brief.", "audio": turns}
            self.tell({"type": "session.update", "session": session})

    def lost(self) -> None:
        self.counts.closed += self.counts.counting

    def message(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        if opcode == TEXT:
            if buffer.find(OURS_AUDIO, at, at + 128) > 0:
                self._audio(time.monotonic())
        elif buffer[at] == PEER_AUDIO:
            self._audio(time.monotonic())

    def _audio(self, now: float) -> None:
        since, self._last_audio = now - self._last_audio, now
        counts = self.counts
        if not self.expects:
            if counts.counting:
                counts.late_s.append(max(0.0, since - PACE_S))
            return
        self.expects = False
        if self.asked_at is not None:
            counts.answered += now - self.asked_at < ANSWER_S
            self.asked_at = None


async def join(kind: Kind, port: int, sessions: int, counts: Counts) -> list[Caller]:
    """Connect all callers, a few at a time."""
    made = cycles(kind)
    callers = []
    for number in range(sessions):
        messages, ends_s = made[number % len(made)]
        callers.append(await connected(Caller(kind, messages, ends_s, counts), port))
        await asyncio.sleep(JOIN_EVERY_S)
    return callers


async def talk(callers: Sequence[Caller], counts: Counts, seconds: float) -> None:
    """Speak for so long after the settling time; each caller's cycle begins at its own moment."""
    draw = random.Random(0)
    offsets = [draw.randrange(CYCLE_FRAMES) for _ in callers]
    start = time.monotonic() + 0.1
    for tick in range(int((SETTLE_S + seconds) * SLOTS / FRAME_S)):
        due = start + tick * FRAME_S / SLOTS
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        counts.counting = due - start > SETTLE_S
        if counts.counting:
            counts.own_late_s.append(time.monotonic() - due)
        step, slot = divmod(tick, SLOTS)
        for number in range(slot, len(callers), SLOTS):
            caller = callers[number]
            frame = (step + offsets[number]) % CYCLE_FRAMES
            caller.write(caller.messages[frame])
            if frame == int(caller.ends_s / FRAME_S):
                # Not counted near the end: the answer could not come in time.
                sure = counts.counting and due - start < SETTLE_S + seconds - ANSWER_S
                caller.asked_at = due if sure and step > frame else None
                caller.expects = True
                counts.asked += caller.asked_at is not None


async def run(kind: Kind, port: int, sessions: int, seconds: float) -> None:
    counts = Counts()
    callers = await join(kind, port, sessions, counts)
    print("connected", flush=True)
    await talk(callers, counts, seconds)
    told = {
        "sessions": sessions,
        "late_p99_ms": percentile_ms(counts.late_s),
        "frames": len(counts.late_s),
        "asked": counts.asked,
        "lost": counts.asked - counts.answered,
        "closed": counts.closed,
        "own_late_p99_ms": percentile_ms(counts.own_late_s),
    }
    print(json.dumps(told), flush=True)
    for caller in callers:
        caller.goodbye()


def percentile_ms(seconds: Sequence[float]) -> float | None:
    """The 99th percentile in ms; None of nothing."""
    return float(np.percentile(seconds, 99)) * 1000 if seconds else None


if __name__ == "__main__":
    side, port, sessions, seconds = sys.argv[1:]
    if side not in ("ours", "peer"):
        sys.exit(f"{side!r} is neither ours nor peer")
    uvloop.run(run("ours" if side == "ours" else "peer", int(port), int(sessions), float(seconds)))
