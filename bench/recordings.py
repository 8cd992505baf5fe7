"""Eight long recordings, transcribed by a running server's own speech-to-text worker.

`python -m bench.recordings SOCKET` links to the worker as a gateway does, and asks for one piece of
each recording after the other, with the lowest priority. Pieces are cut where it is quiet, and as
long as `actors.piece_length` allows. Prints `begun`, goes on until there is a line on
standard input, and prints one JSON line.
"""

import asyncio
import json
import random
import sys
import time

import numpy as np
from numpy.typing import NDArray

from actors.piece_length import PieceLength
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
DEADLINE_MS = 60_000

Pcm = NDArray[np.int16]


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


async def transcribed(
    pool: Pool[Clip, Transcript], sound: Pcm, length: PieceLength, told: Told
) -> None:
    """Transcribe one recording again and again, until cancelled."""
    at = 0
    while True:
        piece = pieces(sound[at : at + int(length.seconds * HZ * 1.5)], HZ, length.seconds)[0]
        at = (at + len(piece)) % len(sound)
        request = pool.request(
            Clip(piece.tobytes()), priority=Priority.BATCH, deadline_ms=DEADLINE_MS
        )
        async for transcript in request:
            told.words += len(transcript.text.split())
        told.seconds += len(piece) / HZ
        told.costs_ms.append(request.compute_ms)
        length.learn(len(piece) / HZ, request.compute_ms)


async def run(socket: str) -> None:
    sounds = [recording(seed) for seed in range(RECORDINGS)]
    link = Link("stt")
    link.follow(WorkerStatus("stt", State.READY, socket))
    pool: Pool[Clip, Transcript] = Pool("stt", Transcript, [link])
    await pool.start()
    await pool.ready()
    length, told = PieceLength(), Told()
    print("begun", flush=True)
    began = time.monotonic()
    works = [asyncio.create_task(transcribed(pool, sound, length, told)) for sound in sounds]
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
        "piece_s": length.seconds,
        "cost_p95_ms": float(np.percentile(costs, 95)),
        "cost_max_ms": float(costs.max()),
    }
    print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
