"""What sharing a model between callers gains: `python -m bench.batching`.

16 requests at once against the same 16 one after the other, through real workers, sockets and
pools. At once: the lanes that the server gives a worker on this machine. One after the other: one
lane, and one request in flight. The two take turns; each must give the same results. Throughput is
in seconds of speech per second. The same model stands in both columns: "ours" is at once.

Moonshine's 8-bit layers scale what goes through them by the loudest value of the whole batch, so
that who else is in it decides close calls: a note says how many results had other words.
"""

import argparse
import asyncio
import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

from actors.handlers import Share
from actors.store import ModelMissing, Store
from actors.workers import MODELS, model_command
from bench.local import Local, local
from bench.report import Row, Side, compare, finish, median
from bench.sound import load, load_turns, to_pcm
from engine.capabilities import Clip, Speech, Transcript, Utterance
from engine.inference import Priority
from engine.load import Load

CLIPS = 16
STT_HZ = 16_000
DEADLINE_MS = 10_000
LANES = min(os.cpu_count() or 1, 4)  # as server/commands.py chooses
TOLD_S = 1.5  # a worker says every second how busy it is
WHISPER = "whisper-base"
MOST_OTHERS = 0.15

P = TypeVar("P")
R = TypeVar("R")


class Trial(Generic[P, R]):
    """A model under test: what is asked of it, and how results are compared and counted."""

    def __init__(
        self,
        row: str,
        model: str,
        payloads: Sequence[P],
        result: type[R],
        same: Callable[[list[R]], object],
        seconds: Callable[[P, list[R]], float],
    ) -> None:
        self.row = row
        self.model = model
        self.payloads = payloads
        self.payload: type[P] = type(payloads[0])
        self.result = result
        self.same = same
        self.seconds = seconds
        self.expected: list[object] = []
        self.results = self.others = 0

    def check(self, results: Sequence[list[R]]) -> None:
        """Count the results that are not what they were one by one.

        Raises `ValueError` if those are more than `MOST_OTHERS`.
        """
        told = [self.same(one) for one in results]
        self.expected = self.expected or told
        self.results += len(told)
        self.others += sum(now != one for now, one in zip(told, self.expected, strict=True))
        if self.others > MOST_OTHERS * self.results:
            raise ValueError(f"{self.model}: {self.others} of {self.results} results differ")

    async def one_by_one(self, worker: Local[P, R]) -> float:
        """The throughput of one request after the other."""
        began = time.perf_counter()
        return self._throughput([await ask(worker, one) for one in self.payloads], began)

    async def at_once(self, worker: Local[P, R]) -> float:
        """The throughput of all requests together."""
        began = time.perf_counter()
        asked = (ask(worker, one) for one in self.payloads)
        return self._throughput(await asyncio.gather(*asked), began)

    def _throughput(self, results: Sequence[list[R]], began: float) -> float:
        took = time.perf_counter() - began
        self.check(results)
        pairs = zip(self.payloads, results, strict=True)
        return sum(self.seconds(payload, result) for payload, result in pairs) / took

    async def measured(self, repeats: int, seed: int) -> tuple[Row, str]:
        """The row, and a note on how the worker ran what came at once."""
        draw = random.Random(seed)
        found: dict[Side, list[float]] = {"ours": [], "peer": []}
        async with self._worker(1) as single, self._worker(LANES) as shared:
            await self.one_by_one(single)  # the first runs of each length allocate
            await self.one_by_one(shared)
            for _ in range(repeats):
                for side in draw.sample(("ours", "peer"), 2):
                    if side == "ours":
                        found["ours"].append(await self.at_once(shared))
                    else:
                        found["peer"].append(await self.one_by_one(single))
            await asyncio.sleep(TOLD_S)
            note = f"{self.model}: {run_note(shared.load)}; "
            note += f"{self.others} of {self.results} results differ from those one by one"
        say(f"{self.row}: {found}")
        return compare(
            self.row, {"ours": found["ours"], "peer": found["peer"]}, median, "s/s"
        ), note

    def _worker(self, lanes: int) -> AbstractAsyncContextManager[Local[P, R]]:
        share = Share(threads=1, lanes=lanes)
        command = model_command("bench", self.model, Store().root, share)
        return local("bench", command, self.payload, self.result)


async def ask(worker: Local[P, R], payload: P) -> list[R]:
    """All results of one request."""
    request = worker.pool.request(payload, priority=Priority.FIRST, deadline_ms=DEADLINE_MS)
    return [result async for result in request]


def run_note(load: Load) -> str:
    """How a worker ran its requests."""
    sizes = ", ".join(f"{times} of {size}" for size, times in sorted(load.batches.items()))
    return f"{load.lanes} lanes, batches {sizes}, {load.worked_ms / 1000:.1f} s of work"


def clips(seed: int) -> list[Clip]:
    """16 labelled turns, drawn."""
    spoken = [turn for turn in load_turns() if turn.kind != "acknowledgement"]
    drawn = random.Random(seed).sample(spoken, CLIPS)
    return [Clip(to_pcm(load(turn, STT_HZ))) for turn in drawn]


def utterances(seed: int) -> list[Utterance]:
    """The words of the same turns, to speak."""
    spoken = [turn for turn in load_turns() if turn.kind != "acknowledgement"]
    return [Utterance(turn.text, "joe") for turn in random.Random(seed).sample(spoken, CLIPS)]


def stt(row: str, model: str, seed: int) -> Trial[Clip, Transcript]:
    return Trial(
        row,
        model,
        clips(seed),
        Transcript,
        lambda results: [result.text for result in results],
        lambda clip, results: len(clip.pcm) / 2 / STT_HZ,
    )


def tts(row: str, model: str, seed: int) -> Trial[Utterance, Speech]:
    return Trial(
        row,
        model,
        utterances(seed),
        Speech,
        lambda results: [(hash(one.pcm), len(one.pcm), one.words) for one in results],
        lambda utterance, results: sum(len(one.pcm) / 2 / one.rate_hz for one in results),
    )


def has_whisper() -> bool:
    """Whether Whisper is part of this release, and fetched."""
    if importlib.util.find_spec("actors.whisper") is None:
        return False
    try:
        Store().path(WHISPER)
    except (ModelMissing, KeyError, ValueError):
        return False
    return True


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def measure(repeats: int, seed: int) -> tuple[list[Row], list[str]]:
    """All rows and notes."""
    found = [
        await stt("stt_throughput_16", MODELS["stt"], seed).measured(repeats, seed),
        await tts("tts_throughput_16", MODELS["tts"], seed).measured(repeats, seed),
    ]
    rows, notes = [row for row, _ in found], [note for _, note in found]
    if has_whisper():
        row, note = await stt("stt_throughput_16_whisper", WHISPER, seed).measured(repeats, seed)
        return [*rows, row], [*notes, note]
    return rows, [*notes, f"{WHISPER} is not here: fetch it to measure it too"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="runs of each kind")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rows, notes = asyncio.run(measure(args.repeats, args.seed))
    finish("bench.batching", rows, notes, peer="one by one")


if __name__ == "__main__":
    main()
