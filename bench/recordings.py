"""Eight long recordings, transcribed by a running server's own speech-to-text worker.

`python -m bench.recordings SOCKET` links to the worker as a gateway does, and asks for one piece of
each recording after the other, with the lowest priority: what the product's transcription of files
is to do. Pieces are cut where it is quiet, so that one costs at most 150 ms of compute; how long
that is, is learnt from what each piece has cost. Prints `begun`, goes on until there is a line on
standard input, and prints one JSON line.
"""

import asyncio
import json
import random
import sys
import time

import numpy as np
from numpy.typing import NDArray

from actors.silences import pieces
from bench.sound import load, load_turns, to_pcm
from engine.capabilities import Clip, Transcript
from engine.inference import Priority
from engine.link import Link
from engine.pool import Pool
from engine.status import State, WorkerStatus

RECORDINGS = 8
RECORDING_S = 600.0
HZ = 16_000
MOST_MS = 150.0
"""Of compute for a piece: it cannot be interrupted (architecture.md, scheduling)."""

AIM = 0.75  # of that: what a piece costs differs with what is said in it
FIRST_S = 2.0
SHORTEST_S, LONGEST_S = 0.5, 30.0
DEADLINE_MS = 60_000

Pcm = NDArray[np.int16]


class Ruler:
    """How long a piece may be, in s: `AIM` of the allowed compute by the latest costs."""

    def __init__(self) -> None:
        self.piece_s = FIRST_S
        self._ms_per_s = 0.0

    def learn(self, seconds: float, compute_ms: float) -> None:
        """A piece of so many seconds has cost so much. Dearer ones count at once, others slowly."""
        cost = compute_ms / seconds
        weight = 1.0 if cost > self._ms_per_s else 0.05
        self._ms_per_s += weight * (cost - self._ms_per_s)
        wanted = AIM * MOST_MS / self._ms_per_s if self._ms_per_s else FIRST_S
        self.piece_s = min(max(wanted, SHORTEST_S), LONGEST_S)


class Told:
    """What has been transcribed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.words = 0
        self.costs_ms: list[float] = []


def recording(seed: int) -> Pcm:
    """Ten minutes of labelled turns, one after the other, in an order of its own."""
    draw = random.Random(seed)
    spoken = [np.frombuffer(to_pcm(load(turn, HZ)), np.int16) for turn in load_turns()]
    parts: list[Pcm] = []
    while sum(map(len, parts)) < RECORDING_S * HZ:
        parts += draw.sample(spoken, len(spoken))
    return np.concatenate(parts)[: int(RECORDING_S * HZ)]


async def transcribed(pool: Pool[Clip, Transcript], sound: Pcm, ruler: Ruler, told: Told) -> None:
    """Transcribe one recording again and again, until cancelled."""
    at = 0
    while True:
        piece = pieces(sound[at : at + int(ruler.piece_s * HZ * 1.5)], HZ, ruler.piece_s)[0]
        at = (at + len(piece)) % len(sound)
        request = pool.request(
            Clip(piece.tobytes()), priority=Priority.BATCH, deadline_ms=DEADLINE_MS
        )
        async for transcript in request:
            told.words += len(transcript.text.split())
        told.seconds += len(piece) / HZ
        told.costs_ms.append(request.compute_ms)
        ruler.learn(len(piece) / HZ, request.compute_ms)


async def run(socket: str) -> None:
    sounds = [recording(seed) for seed in range(RECORDINGS)]
    link = Link("stt")
    link.follow(WorkerStatus("stt", State.READY, socket))
    pool: Pool[Clip, Transcript] = Pool("stt", Transcript, [link])
    await pool.start()
    await pool.ready()
    ruler, told = Ruler(), Told()
    print("begun", flush=True)
    began = time.monotonic()
    works = [asyncio.create_task(transcribed(pool, sound, ruler, told)) for sound in sounds]
    asked = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    done, _ = await asyncio.wait([asked, *works], return_when=asyncio.FIRST_COMPLETED)
    for work in done - {asked}:
        work.result()  # they never end by themselves: it raises why one failed
    for work in works:
        work.cancel()
    await pool.close()
    costs = np.asarray(told.costs_ms or [0.0])
    summary = {
        "speed": told.seconds / (time.monotonic() - began),
        "words": told.words,
        "pieces": len(told.costs_ms),
        "piece_s": ruler.piece_s,
        "cost_p95_ms": float(np.percentile(costs, 95)),
        "cost_max_ms": float(costs.max()),
    }
    print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
