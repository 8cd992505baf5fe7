"""What a pool promises about requests: order, batches, refusals, sharing; in real processes."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.inference import InferenceError, Priority
from engine.link import Link
from engine.pool import Pool, PoolRequest
from engine.status import State, WorkerStatus
from tests.engine.a_pool import (
    ARRIVE_S,
    Start,
    Steps,
    TestPool,
    all_of,
    ask,
    command,
    start,
    until,
)
from tests.local import LocalReplica

__all__ = ["start"]  # the fixture


async def test_results_stream_back_in_order(start: Start) -> None:
    pool = await start()
    request = ask(pool, *range(100))
    assert await all_of(request) == list(range(100))
    assert request.compute_ms > 0
    assert pool.state.in_flight == 0


async def test_a_first_result_comes_before_the_last_is_made(start: Start, tmp_path: Path) -> None:
    pool = await start()
    request = ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(request) == 1
    (tmp_path / "go").touch()
    assert await all_of(request) == [2]


async def _order(pool: TestPool, gate: Path, make: Callable[[], dict[int, object]]) -> list[int]:
    """Hold the model, make requests, let it go: the order in which they were answered."""
    held = ask(pool, 0, f"wait:{gate}")
    assert await anext(held) == 0
    order: list[int] = []

    async def collect(request: PoolRequest[Steps, int]) -> None:
        order.extend(await all_of(request))

    tasks = [
        asyncio.create_task(collect(request))
        for request in make().values()
        if isinstance(request, PoolRequest)
    ]
    await asyncio.sleep(ARRIVE_S)
    await asyncio.to_thread(gate.touch)
    await asyncio.gather(*tasks)
    return order


async def test_what_is_at_stake_comes_first_then_the_earliest_deadline(
    start: Start, tmp_path: Path
) -> None:
    pool = await start()

    def make() -> dict[int, object]:
        return {
            1: ask(pool, 1, priority=Priority.BATCH, deadline_ms=1),
            2: ask(pool, 2, priority=Priority.SPECULATIVE, deadline_ms=900),
            3: ask(pool, 3, priority=Priority.SPECULATIVE, deadline_ms=100),
            4: ask(pool, 4, priority=Priority.FIRST, deadline_ms=5000),
        }

    assert await _order(pool, tmp_path / "go", make) == [4, 3, 2, 1]


async def test_promotion_reaches_what_is_queued(start: Start, tmp_path: Path) -> None:
    pool = await start()

    def make() -> dict[int, object]:
        requests: dict[int, object] = {
            1: ask(pool, 1, priority=Priority.PARTIAL),
            2: (prepared := ask(pool, 2, priority=Priority.SPECULATIVE)),
        }
        prepared.promote(Priority.FIRST, 100)
        return requests

    assert await _order(pool, tmp_path / "go", make) == [2, 1]


async def test_cancelled_work_is_not_done_and_ends_silently(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"

    def make() -> dict[int, object]:
        unwanted = ask(pool, f"made:{made}", 1)
        unwanted.cancel()
        unwanted.cancel()
        return {1: unwanted, 2: ask(pool, 2)}

    assert await _order(pool, tmp_path / "go", make) == [2]
    assert not made.exists()


async def test_running_work_stops_between_results(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"
    request = ask(pool, 1, f"wait:{tmp_path}/go", 2, f"made:{made}", 3)
    assert await anext(request) == 1
    request.cancel()
    assert await all_of(request) == []
    behind = ask(pool, 9)
    behind.cancel()
    await until(lambda: pool.state.in_flight == 1)  # it knows of both, and one still runs
    (tmp_path / "go").touch()
    assert await all_of(ask(pool, 4)) == [4]
    assert not made.exists()
    assert request.compute_ms > 0  # dropped work is metered too


async def test_cancelling_finished_work_drops_what_was_not_read(start: Start) -> None:
    pool = await start()
    request = ask(pool, 1, 2)
    await until(lambda: pool.state.in_flight == 0 and pool.state.state is State.READY)
    request.cancel()
    assert await all_of(request) == []


async def test_a_dropped_request_leaks_nothing(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"
    held = ask(pool, 0, f"wait:{tmp_path}/go")
    assert await anext(held) == 0
    for _ in range(20):
        ask(pool, f"made:{made}")
    gc.collect()
    await until(lambda: pool.state.in_flight == 1)
    (tmp_path / "go").touch()
    assert await all_of(held) == []
    assert not made.exists()


async def test_a_batch_takes_what_waits_with_the_same_priority(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(MAX_BATCH="3")

    def make() -> dict[int, object]:
        requests: dict[int, object] = {n: ask(pool, "size") for n in range(4)}
        requests[9] = ask(pool, "size", priority=Priority.BATCH)
        return requests

    assert await _order(pool, tmp_path / "go", make) == [3, 3, 3, 1, 1]


async def test_a_model_that_fails_fails_its_request_only_and_tells_no_secret(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError, match=r"ValueError at a_worker\.py") as failed:
        await all_of(ask(pool, "raise"))
    assert failed.value.code == "model_failed"
    assert "private" not in str(failed.value)
    with pytest.raises(InferenceError, match="no voice 'bob'") as refused:
        await all_of(ask(pool, "refuse"))
    assert refused.value.code == "no_such_voice"
    assert await all_of(ask(pool, 1)) == [1]


async def test_a_payload_that_is_none_fails_clearly(start: Start) -> None:
    pool = await start()
    request = pool.request({"no": "list"}, priority=Priority.FIRST, deadline_ms=9999)  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="Expected `array`") as failed:
        await all_of(request)
    assert failed.value.code == "bad_payload"


async def test_more_than_the_pool_takes_is_refused(start: Start, tmp_path: Path) -> None:
    pool = await start(most_in_flight=2)
    held = [ask(pool, f"wait:{tmp_path}/go") for _ in range(2)]
    with pytest.raises(InferenceError, match="2 test requests are open") as refused:
        await all_of(ask(pool, 1))
    assert refused.value.code == "overloaded"
    (tmp_path / "go").touch()
    for request in held:
        await all_of(request)


async def test_a_request_too_large_for_the_socket_is_refused(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError, match="smaller pieces") as refused:
        await all_of(ask(pool, "x" * 17_000_000))
    assert refused.value.code == "too_large"


async def test_a_worker_that_sleeps_is_woken_by_a_request(start: Start) -> None:
    pool = await start(asleep=True)
    await until(lambda: pool.state.state is State.ASLEEP)
    assert pool.pids == []
    assert await all_of(ask(pool, 1, deadline_ms=1)) == [1]
    assert len(pool.pids) == 1


async def test_two_pools_may_share_a_worker(start: Start, tmp_path: Path) -> None:
    replica = LocalReplica("test", command())
    sharer = Link("test")
    here: TestPool = Pool("test", int, [replica])
    there: TestPool = Pool("test", int, [sharer])

    def tell(status: WorkerStatus) -> None:
        replica.follow(status)
        sharer.follow(status)

    replica.keeper.changed = tell
    await here.start()
    await there.start()
    await asyncio.gather(here.ready(), there.ready())
    held = ask(here, 0, f"wait:{tmp_path}/go")
    assert await anext(held) == 0
    queued = ask(there, 7)  # behind it, though it comes from elsewhere
    (tmp_path / "go").touch()
    assert await all_of(held) == []
    assert await all_of(queued) == [7]
    os.kill(here.pids[0], signal.SIGKILL)
    assert await all_of(ask(here, 1)) == [1]
    assert await all_of(ask(there, 2)) == [2]
    await there.close()
    await here.close()
