import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from engine.batcher import BatchedRequest, Batcher
from engine.inference import BadPayload, InferenceError, Priority


class Held:
    """A model that answers with the payload once `go` is set for it; -2 is refused as it should be,
    other negative ones are not expected."""

    streams = False
    payload_type = int

    def __init__(self, lanes: int, max_batch: int) -> None:
        self.lanes = lanes
        self.max_batch = max_batch
        self.running: set[int] = set()
        self.sizes: list[int] = []
        self._go: dict[int, threading.Event] = {}

    def go(self, *numbers: int) -> None:
        for number in numbers:
            self._event(number).set()

    def warm_up(self) -> None:
        pass

    def run(self, batch: list[int]) -> Iterator[tuple[int, int]]:
        self.sizes.append(len(batch))
        if -2 in batch:
            raise BadPayload("number is -2: it must be 0 or more")
        if any(number < 0 for number in batch):
            raise ValueError("a negative number")
        self.running |= set(batch)
        for place, number in enumerate(batch):
            self._event(number).wait(20)
            yield place, number
        self.running -= set(batch)

    def lasts_s(self, _result: int) -> float:
        return 0.0

    def _event(self, number: int) -> threading.Event:
        return self._go.setdefault(number, threading.Event())


class Bench:
    """A batcher around a held model."""

    def __init__(self, lanes: int = 1, max_batch: int = 1) -> None:
        self.model = Held(lanes, max_batch)
        self.batcher = Batcher(self.model)

    def ask(
        self, number: int, priority: Priority = Priority.FIRST, deadline_ms: int = 20_000
    ) -> BatchedRequest[int, int]:
        return self.batcher.request(number, priority=priority, deadline_ms=deadline_ms)

    async def running(self, *numbers: int) -> None:
        await until(lambda: self.model.running == set(numbers))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the other side is a thread
            await asyncio.sleep(0.001)


async def results(request: BatchedRequest[int, int]) -> list[int]:
    return [result async for result in request]


@pytest.fixture
async def benches() -> AsyncIterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.model.go(*range(20))
        bench.batcher.close()


@pytest.fixture
def make(benches: list[Bench]) -> Callable[..., Bench]:
    def make(**more: int) -> Bench:
        benches.append(Bench(**more))
        return benches[-1]

    return make


async def test_each_lane_runs_by_itself(make: Callable[..., Bench]) -> None:
    bench = make(lanes=2)
    first, second, third = (bench.ask(number) for number in (1, 2, 3))
    await bench.running(1, 2)
    bench.model.go(2)
    assert await results(second) == [2]
    await bench.running(1, 3)
    bench.model.go(1, 3)
    assert await results(first) == [1]
    assert await results(third) == [3]


async def test_what_waits_while_the_lanes_are_busy_becomes_one_batch(
    make: Callable[..., Bench],
) -> None:
    bench = make(max_batch=8)
    requests = [bench.ask(number) for number in range(6)]
    bench.model.go(*range(6))
    assert [await results(request) for request in requests] == [[n] for n in range(6)]
    assert bench.model.sizes == [1, 5]
    await asyncio.gather(*(request.stopped() for request in requests))
    load = bench.batcher.load()
    assert load.batches == {1: 1, 5: 1}
    assert load.served[Priority.FIRST].begun == 6
    assert load.worked_ms > 0


async def test_work_without_a_live_caller_leaves_a_lane_free(make: Callable[..., Bench]) -> None:
    bench = make(lanes=2)
    recordings = [bench.ask(number, Priority.BATCH) for number in (1, 2)]
    await bench.running(1)
    live = bench.ask(3)
    await bench.running(1, 3)
    bench.model.go(3)
    assert await results(live) == [3]
    assert bench.model.running == {1}
    bench.model.go(1, 2)
    assert [await results(request) for request in recordings] == [[1], [2]]


async def test_the_last_lane_of_four_is_kept_whoever_has_the_others(
    make: Callable[..., Bench],
) -> None:
    bench = make(lanes=4)
    bench.ask(1)
    for number in (2, 3, 4):
        bench.ask(number, Priority.BATCH)
    await bench.running(1, 2, 3)
    bench.ask(5)
    await bench.running(1, 2, 3, 5)


async def test_recordings_of_which_one_is_promoted_run_side_by_side(
    make: Callable[..., Bench],
) -> None:
    bench = make(lanes=2)
    bench.ask(1, Priority.BATCH)
    wanted = bench.ask(2, Priority.BATCH)
    await bench.running(1)
    wanted.promote(Priority.FIRST, 100)
    await bench.running(1, 2)


async def test_a_bad_payload_fails_alone_in_its_batch(make: Callable[..., Bench]) -> None:
    bench = make(max_batch=4)
    first = bench.ask(1)
    await bench.running(1)
    good, bad, better = bench.ask(2), bench.ask(-1), bench.ask(3)
    bench.model.go(1, 2, 3)
    assert await results(first) == [1]
    assert await results(good) == [2]
    assert await results(better) == [3]
    with pytest.raises(InferenceError, match="ValueError at") as failed:
        await results(bad)
    assert "negative" not in str(failed.value)
    assert bench.model.sizes == [1, 3, 1, 1, 1]


async def test_what_a_model_refuses_is_told_with_its_cause(make: Callable[..., Bench]) -> None:
    bench = make(max_batch=4)
    first = bench.ask(1)
    await bench.running(1)
    good, bad = bench.ask(2), bench.ask(-2)
    bench.model.go(1, 2)
    assert await results(first) == [1]
    assert await results(good) == [2]
    with pytest.raises(InferenceError, match=r"^number is -2: it must be 0 or more$") as failed:
        await results(bad)
    assert failed.value.code == "bad_payload"


async def test_a_result_after_its_deadline_counts_as_late(make: Callable[..., Bench]) -> None:
    bench = make(lanes=2)
    late, early = bench.ask(1, deadline_ms=0), bench.ask(2, Priority.PARTIAL)
    await bench.running(1, 2)
    await asyncio.sleep(0.01)
    bench.model.go(1, 2)
    await results(late)
    await results(early)
    served = bench.batcher.load().served
    assert served[Priority.FIRST].late == 1
    assert served[Priority.PARTIAL].late == 0


async def test_a_cancelled_request_ends_and_says_when_it_has_stopped(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    running, waiting = bench.ask(1), bench.ask(2)
    await bench.running(1)
    waiting.cancel()
    await waiting.stopped()
    running.cancel()
    assert await results(running) == []
    stopping = asyncio.create_task(running.stopped())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    bench.model.go(1)
    await stopping
    assert running.compute_ms > 0
    assert waiting.compute_ms == 0


async def test_how_long_the_oldest_has_waited_is_told(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(1)
    await bench.running(1)
    bench.ask(2)
    bench.ask(3)
    await asyncio.sleep(0.02)
    load = bench.batcher.load()
    assert (load.queued, load.running) == (2, 1)
    assert 15 < load.oldest_ms < 20_000
    assert load.busy_ms >= load.oldest_ms
