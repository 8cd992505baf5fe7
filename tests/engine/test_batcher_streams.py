"""Streams share a lane: each is left between two results for what is more urgent."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator

import pytest

from engine.batcher import MOST_LEFT, BatchedRequest, Batcher
from engine.inference import Priority

LASTS_S = 30.0
"""Each result; longer than a test, so that the order of deadlines never hangs on its speed."""


class Steps:
    """A stream of as many results as the payload's letters, each made when a test says so. A
    capital letter is the last one.
    """

    max_batch = 1
    streams = True
    payload_type = str

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.made: list[str] = []
        self.closed: list[str] = []
        self.steps: queue.SimpleQueue[None] = queue.SimpleQueue()

    def warm_up(self) -> None:
        pass

    def run(self, batch: list[str]) -> Iterator[tuple[int, str]]:
        try:
            for letter in batch[0]:
                self.made.append(letter)
                self.steps.get(timeout=20)
                yield 0, letter
        finally:
            self.closed.append(batch[0])

    def lasts_s(self, result: str) -> float | None:
        return None if result.isupper() else LASTS_S


class Bench:
    """So many lanes, and what was asked of them."""

    def __init__(self, lanes: int = 1) -> None:
        self.model = Steps(lanes)
        self.batcher = Batcher(self.model)

    def ask(
        self, letters: str, priority: Priority = Priority.BATCH, deadline_ms: int = 20_000
    ) -> BatchedRequest[str, str]:
        return self.batcher.request(letters, priority=priority, deadline_ms=deadline_ms)

    async def made(self, letters: str) -> None:
        """Let one step after the other be made until these letters were begun, in this order."""
        async with asyncio.timeout(20):
            while len(self.model.made) < len(letters):
                before = len(self.model.made)
                self.model.steps.put(None)
                while len(self.model.made) == before:  # noqa: ASYNC110 - a thread's
                    await asyncio.sleep(0.001)
        assert "".join(self.model.made) == letters

    async def begun(self, letters: int = 1) -> None:
        async with asyncio.timeout(20):
            while len(self.model.made) < letters:  # noqa: ASYNC110 - a thread's
                await asyncio.sleep(0.001)

    def close(self) -> None:
        for _ in range(200):
            self.model.steps.put(None)
        self.batcher.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


async def all_of(request: BatchedRequest[str, str]) -> str:
    return "".join([letter async for letter in request])


async def test_a_stream_is_left_for_what_is_more_urgent_and_goes_on(bench: Bench) -> None:
    recording = bench.ask("abcd")
    await bench.begun()
    caller = bench.ask("xy", Priority.FIRST)
    await bench.made("axybcd")
    bench.model.steps.put(None)
    assert await all_of(caller) == "xy"
    assert await all_of(recording) == "abcd"
    await asyncio.gather(caller.stopped(), recording.stopped())
    assert recording.compute_ms > 0
    assert bench.batcher.load().served[Priority.BATCH].begun == 1


async def test_who_has_nothing_comes_before_who_has_something(bench: Bench) -> None:
    requests = [bench.ask(letters) for letters in ("abc", "xyz", "123")]
    await bench.begun()
    await bench.made("ax1by2cz3")
    bench.model.steps.put(None)
    assert [await all_of(request) for request in requests] == ["abc", "xyz", "123"]


async def test_who_hears_already_can_wait_for_a_caller_who_does_not(bench: Bench) -> None:
    bench.ask("abc", Priority.FIRST, deadline_ms=0)
    await bench.begun()
    bench.ask("xy", Priority.FIRST)
    await bench.made("axbyc")


async def test_nothing_less_urgent_comes_between(bench: Bench) -> None:
    caller = bench.ask("abc", Priority.FIRST)
    await bench.begun()
    bench.ask("x")
    await bench.made("abcx")
    assert await all_of(caller) == "abc"


async def test_an_answer_that_is_wanted_after_all_keeps_what_it_has(bench: Bench) -> None:
    perhaps = bench.ask("abcd", Priority.SPECULATIVE)
    await bench.begun()
    bench.ask("12", Priority.AHEAD, deadline_ms=round(LASTS_S * 500))
    await bench.made("a1")
    perhaps.promote(Priority.FIRST, 0)  # it has audio for 30 s, "12" for 45
    await bench.made("a1b2cd")


async def test_a_stream_that_was_left_counts_as_running(bench: Bench) -> None:
    bench.ask("ab")
    await bench.begun()
    bench.ask("x", Priority.FIRST)
    bench.ask("y", Priority.FIRST)
    await bench.made("ax")
    load = bench.batcher.load()
    assert (load.queued, load.running) == (1, 2)


async def test_a_stream_that_was_left_can_be_cancelled(bench: Bench) -> None:
    recording = bench.ask("ab")
    await bench.begun()
    bench.ask("xyz", Priority.FIRST)
    await bench.made("ax")
    recording.cancel()
    await recording.stopped()
    assert recording.compute_ms > 0
    async with asyncio.timeout(20):
        while bench.model.closed != ["ab"]:  # noqa: ASYNC110 - a thread's
            await asyncio.sleep(0.001)
    await bench.made("axyz")
    assert await all_of(recording) == ""


async def test_without_callers_recordings_have_every_lane_and_beside_them_all_but_one() -> None:
    bench = Bench(lanes=2)
    try:
        for letters in ("abcdef", "123456"):
            bench.ask(letters)
        await bench.begun(2)
        caller = asyncio.create_task(all_of(bench.ask("x", Priority.FIRST)))
        while not caller.done():
            bench.model.steps.put(None)
            await asyncio.sleep(0.02)
        assert await caller == "x"
        load = bench.batcher.load()
        assert (load.running, len(bench.batcher._running)) == (2, 1)
    finally:
        bench.close()


async def test_behind_its_last_result_a_stream_ends_at_once(bench: Bench) -> None:
    """Who waits for the end to go on must not wait for others."""
    recording = bench.ask("aB")
    await bench.begun()
    bench.model.steps.put(None)
    await bench.begun(2)
    bench.ask("x", Priority.FIRST)
    bench.model.steps.put(None)
    assert await asyncio.wait_for(all_of(recording), 20) == "aB"
    await bench.made("aBx")


async def test_there_is_an_end_to_streams_that_are_left() -> None:
    bench = Bench()
    try:
        for _ in range(MOST_LEFT + 10):
            bench.ask("ab")
        while bench.batcher._left < MOST_LEFT:
            bench.model.steps.put(None)
            await asyncio.sleep(0.001)
        for _ in range(20):
            bench.model.steps.put(None)
            await asyncio.sleep(0.005)
        assert bench.batcher._left <= MOST_LEFT
        assert bench.batcher.load().batches[1] <= MOST_LEFT + 21
    finally:
        bench.close()
