import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from msgspec.structs import replace

from engine.inference import InferenceError, Priority
from engine.keeper import Backoff
from engine.link import Link
from engine.pool import Pool, PoolRequest
from engine.process import WorkerCommand, package_root
from engine.status import State, WorkerStatus
from tests.local import LocalReplica

Steps = list[int | str]
TestPool = Pool[Steps, int]
Start = Callable[..., Awaitable[TestPool]]

_WORKER = Path(__file__).parent / "a_worker.py"


def _command(**env: str) -> WorkerCommand:
    argv = (sys.executable, str(_WORKER), "{socket}")
    return WorkerCommand(argv, env={"PYTHONPATH": package_root(), **env}, load_s=30)


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    pools: list[TestPool] = []

    async def start(
        most_in_flight: int = 100,
        replicas: int = 1,
        replays: bool = False,
        most_bytes: int | None = None,
        asleep: bool = False,
        **env: str,
    ) -> TestPool:
        command = replace(_command(**env), most_bytes=most_bytes)
        pool: TestPool = Pool(
            "test",
            int,
            [LocalReplica(f"test:{at}", command, asleep=asleep) for at in range(replicas)],
            replays=replays,
            most_in_flight=most_in_flight,
        )
        pools.append(pool)
        await pool.start()
        return pool

    yield start
    for pool in pools:
        await pool.close()


def _ask(
    pool: TestPool,
    *steps: int | str,
    priority: Priority = Priority.FIRST,
    deadline_ms: int = 20_000,
) -> PoolRequest[Steps, int]:
    return pool.request(list(steps), priority=priority, deadline_ms=deadline_ms)


async def _all(request: PoolRequest[Steps, int]) -> list[int]:
    return [result async for result in request]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.002)


async def test_results_stream_back_in_order(start: Start) -> None:
    pool = await start()
    request = _ask(pool, *range(100))
    assert await _all(request) == list(range(100))
    assert request.compute_ms > 0
    assert pool.state.in_flight == 0


async def test_a_first_result_comes_before_the_last_is_made(start: Start, tmp_path: Path) -> None:
    pool = await start()
    request = _ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(request) == 1
    (tmp_path / "go").touch()
    assert await _all(request) == [2]


ARRIVE_S = 0.2
"""For requests to reach the worker, which is another process and may have to wait for a core."""


async def _order(pool: TestPool, gate: Path, make: Callable[[], dict[int, object]]) -> list[int]:
    """Hold the model, make requests, let it go: the order in which they were answered."""
    held = _ask(pool, 0, f"wait:{gate}")
    assert await anext(held) == 0
    order: list[int] = []

    async def collect(request: PoolRequest[Steps, int]) -> None:
        order.extend(await _all(request))

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
            1: _ask(pool, 1, priority=Priority.BATCH, deadline_ms=1),
            2: _ask(pool, 2, priority=Priority.SPECULATIVE, deadline_ms=900),
            3: _ask(pool, 3, priority=Priority.SPECULATIVE, deadline_ms=100),
            4: _ask(pool, 4, priority=Priority.FIRST, deadline_ms=5000),
        }

    assert await _order(pool, tmp_path / "go", make) == [4, 3, 2, 1]


async def test_promotion_reaches_what_is_queued(start: Start, tmp_path: Path) -> None:
    pool = await start()

    def make() -> dict[int, object]:
        requests: dict[int, object] = {
            1: _ask(pool, 1, priority=Priority.PARTIAL),
            2: (prepared := _ask(pool, 2, priority=Priority.SPECULATIVE)),
        }
        prepared.promote(Priority.FIRST, 100)
        return requests

    assert await _order(pool, tmp_path / "go", make) == [2, 1]


async def test_cancelled_work_is_not_done_and_ends_silently(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"

    def make() -> dict[int, object]:
        unwanted = _ask(pool, f"made:{made}", 1)
        unwanted.cancel()
        unwanted.cancel()
        return {1: unwanted, 2: _ask(pool, 2)}

    assert await _order(pool, tmp_path / "go", make) == [2]
    assert not made.exists()


async def test_running_work_stops_between_results(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"
    request = _ask(pool, 1, f"wait:{tmp_path}/go", 2, f"made:{made}", 3)
    assert await anext(request) == 1
    request.cancel()
    assert await _all(request) == []
    behind = _ask(pool, 9)
    behind.cancel()
    await _until(lambda: pool.state.in_flight == 1)  # it knows of both, and one still runs
    (tmp_path / "go").touch()
    assert await _all(_ask(pool, 4)) == [4]
    assert not made.exists()
    assert request.compute_ms > 0  # dropped work is metered too


async def test_cancelling_finished_work_drops_what_was_not_read(start: Start) -> None:
    pool = await start()
    request = _ask(pool, 1, 2)
    await _until(lambda: pool.state.in_flight == 0 and pool.state.state is State.READY)
    request.cancel()
    assert await _all(request) == []


async def test_a_dropped_request_leaks_nothing(start: Start, tmp_path: Path) -> None:
    pool = await start()
    made = tmp_path / "made"
    held = _ask(pool, 0, f"wait:{tmp_path}/go")
    assert await anext(held) == 0
    for _ in range(20):
        _ask(pool, f"made:{made}")
    gc.collect()
    await _until(lambda: pool.state.in_flight == 1)
    (tmp_path / "go").touch()
    assert await _all(held) == []
    assert not made.exists()


async def test_a_batch_takes_what_waits_with_the_same_priority(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(MAX_BATCH="3")

    def make() -> dict[int, object]:
        requests: dict[int, object] = {n: _ask(pool, "size") for n in range(4)}
        requests[9] = _ask(pool, "size", priority=Priority.BATCH)
        return requests

    assert await _order(pool, tmp_path / "go", make) == [3, 3, 3, 1, 1]


async def test_a_model_that_fails_fails_its_request_only_and_tells_no_secret(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError, match=r"ValueError at a_worker\.py") as failed:
        await _all(_ask(pool, "raise"))
    assert failed.value.code == "model_failed"
    assert "private" not in str(failed.value)
    with pytest.raises(InferenceError, match="no voice 'bob'") as refused:
        await _all(_ask(pool, "refuse"))
    assert refused.value.code == "no_such_voice"
    assert await _all(_ask(pool, 1)) == [1]


async def test_a_payload_that_is_none_fails_clearly(start: Start) -> None:
    pool = await start()
    request = pool.request({"no": "list"}, priority=Priority.FIRST, deadline_ms=9999)  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="Expected `array`") as failed:
        await _all(request)
    assert failed.value.code == "bad_payload"


async def test_more_than_the_pool_takes_is_refused(start: Start, tmp_path: Path) -> None:
    pool = await start(most_in_flight=2)
    held = [_ask(pool, f"wait:{tmp_path}/go") for _ in range(2)]
    with pytest.raises(InferenceError, match="2 test requests are open") as refused:
        await _all(_ask(pool, 1))
    assert refused.value.code == "overloaded"
    (tmp_path / "go").touch()
    for request in held:
        await _all(request)


async def test_a_request_too_large_for_the_socket_is_refused(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError, match="smaller pieces") as refused:
        await _all(_ask(pool, "x" * 17_000_000))
    assert refused.value.code == "too_large"


async def test_after_a_death_in_mid_stream_what_had_no_result_is_done_again(
    start: Start, tmp_path: Path
) -> None:
    pool = await start()
    streaming = _ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(streaming) == 1
    waiting = _ask(pool, 3)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InferenceError, match="lost") as lost:
        await _all(streaming)
    assert lost.value.code == "worker_lost"
    assert await _all(waiting) == [3]
    assert pool.state.restarts == 1
    assert pool.state.error_code is None


async def test_of_a_batch_in_the_works_only_what_has_a_result_is_lost(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(MAX_BATCH="3")
    before = _ask(pool, f"wait:{tmp_path}/before")
    streaming = _ask(pool, "size", f"wait:{tmp_path}/go")
    silent = [_ask(pool, f"wait:{tmp_path}/go", number) for number in (7, 8)]
    await asyncio.sleep(ARRIVE_S)
    (tmp_path / "before").touch()
    assert await _all(before) == []
    assert await anext(streaming) == 3
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InferenceError, match="lost"):
        await _all(streaming)
    (tmp_path / "go").touch()
    assert [await _all(request) for request in silent] == [[7], [8]]
    assert pool.state.restarts == 1


async def test_work_that_kills_the_worker_is_not_tried_for_ever(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError) as lost:
        await _all(_ask(pool, "die"))
    assert lost.value.code == "worker_lost"
    assert await _all(_ask(pool, 1)) == [1]
    assert pool.state.restarts == 2


async def test_requests_spread_over_the_replicas(start: Start, tmp_path: Path) -> None:
    pool = await start(replicas=3)
    await pool.ready()
    assert pool.state.up == 3
    held = [_ask(pool, number, f"wait:{tmp_path}/go") for number in range(3)]
    # Each has a worker of its own, so that all of them begin.
    assert [await anext(request) for request in held] == [0, 1, 2]
    (tmp_path / "go").touch()
    for request in held:
        assert await _all(request) == []


async def test_a_replica_that_dies_leaves_its_work_to_the_others(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(replicas=2)
    await pool.ready()
    first, second = pool.pids
    streaming = _ask(pool, 1, f"wait:{tmp_path}/go")
    elsewhere = _ask(pool, 2, f"wait:{tmp_path}/go", 3)
    assert (await anext(streaming), await anext(elsewhere)) == (1, 2)
    queued = _ask(pool, 4)  # behind `streaming`
    os.kill(first, signal.SIGKILL)
    with pytest.raises(InferenceError) as lost:
        await _all(streaming)
    assert lost.value.code == "worker_lost"
    assert pool.state.state is State.READY
    (tmp_path / "go").touch()
    assert await _all(queued) == [4]
    assert await _all(elsewhere) == [3]
    assert second in pool.pids
    await _until(lambda: pool.state.up == 2)
    assert first not in pool.pids


async def test_what_waits_for_a_lost_worker_outlives_its_deadline(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pool._RESTART_S", 20.0)  # a machine may be slow to start one
    pool = await start()
    await pool.ready()
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await _all(_ask(pool, 1, deadline_ms=1)) == [1]


async def test_what_no_worker_comes_up_for_is_given_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pool._RESTART_S", 0.1)
    pool = await start(CRASH="1")
    with pytest.raises(InferenceError, match="none came up in time"):
        await _all(_ask(pool, 1, deadline_ms=1))


async def test_a_stopped_worker_is_noticed_and_replaced(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.process._SILENT_S", 2.0)
    monkeypatch.setattr("engine.process._PING_EVERY_S", 0.1)
    monkeypatch.setattr("engine.pool._RESTART_S", 20.0)
    pool = await start()
    await pool.ready()
    os.kill(pool.pids[0], signal.SIGSTOP)
    assert await _all(_ask(pool, 1)) == [1]
    assert pool.state.restarts >= 1


async def test_a_replica_whose_model_is_gone_harms_no_other(start: Start, tmp_path: Path) -> None:
    pool = await start(replicas=2, MODEL_GOES=str(tmp_path / "loaded"))
    await pool.ready()
    healthy = _ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(healthy) == 1
    os.kill(pool.pids[1], signal.SIGKILL)
    await _until(lambda: pool.state.error_code == "model_missing")
    (tmp_path / "go").touch()
    assert await _all(healthy) == [2]
    assert await _all(_ask(pool, 3)) == [3]
    assert pool.state.up == 1


async def test_a_missing_model_is_said_everywhere(start: Start) -> None:
    pool = await start(MODEL_MISSING="1")
    queued = _ask(pool, 1)
    with pytest.raises(InferenceError, match="voiceforge models pull") as missing:
        await pool.ready()
    assert missing.value.code == "model_missing"
    with pytest.raises(InferenceError, match="voiceforge models pull"):
        await _all(queued)
    with pytest.raises(InferenceError, match="voiceforge models pull"):
        await _all(_ask(pool, 2))
    assert pool.state.state is State.FAILED
    assert pool.state.error_code == "model_missing"


async def test_a_worker_that_cannot_start_is_tried_again(start: Start) -> None:
    pool = await start(CRASH="1")
    with pytest.raises(InferenceError, match="status 9 before it was ready"):
        await pool.ready()
    await _until(lambda: pool.state.restarts >= 2)


def test_the_pause_doubles_to_ten_seconds_and_a_healthy_life_resets_it() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.0) for _ in range(9)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.after(lived_s=31.0) == 0.1
    assert backoff.after(lived_s=1.0) == 0.2


async def test_closing_ends_the_worker_and_what_was_open(start: Start, tmp_path: Path) -> None:
    pool = await start()
    held = _ask(pool, 1, f"wait:{tmp_path}/never")
    assert await anext(held) == 1
    worker = psutil.Process(pool.pids[0])
    await pool.close()
    with pytest.raises(InferenceError) as closed:
        await _all(held)
    assert closed.value.code == "closed"
    assert not worker.is_running()
    with pytest.raises(InferenceError):
        await _all(_ask(pool, 1))


_PARENT = """
import asyncio, sys
from engine.pool import Pool
from engine.process import WorkerCommand
from tests.local import LocalReplica

async def main():
    command = WorkerCommand((sys.executable, {worker!r}, "{{socket}}"))
    pool = Pool("test", int, [LocalReplica("test", command)])
    await pool.start()
    if {ready}:
        await pool.ready()
    else:
        while not pool.pids and not __import__("psutil").Process().children():
            await asyncio.sleep(0.001)
    print(*[child.pid for child in __import__("psutil").Process().children()], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("ready", [True, False], ids=["serving", "starting"])
def test_killing_the_parent_leaves_no_worker_behind(ready: bool) -> None:
    script = _PARENT.format(worker=str(_WORKER), ready=ready)
    environment = os.environ | {"PYTHONPATH": package_root()}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert workers
        parent.kill()
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert gone


async def test_a_model_that_replays_goes_on_where_it_was(start: Start, tmp_path: Path) -> None:
    pool = await start(replays=True, replicas=2)
    await pool.ready()
    streaming = _ask(pool, 1, 2, f"wait:{tmp_path}/go", 3)
    assert [await anext(streaming), await anext(streaming)] == [1, 2]
    os.kill(pool.pids[0], signal.SIGKILL)
    (tmp_path / "go").touch()
    assert await _all(streaming) == [3]


async def test_a_worker_that_grows_beyond_its_limit_is_replaced(start: Start) -> None:
    pool = await start(most_bytes=300 << 20)
    await pool.ready()
    (first,) = pool.pids
    with pytest.raises(InferenceError, match="worker was lost"):
        await _all(_ask(pool, 1, "eat:400"))
    await _until(lambda: pool.state.up == 1 and pool.pids != [first])
    assert await _all(_ask(pool, 2)) == [2]


async def test_a_worker_that_sleeps_is_woken_by_a_request(start: Start) -> None:
    pool = await start(asleep=True)
    await _until(lambda: pool.state.state is State.ASLEEP)
    assert pool.pids == []
    assert await _all(_ask(pool, 1, deadline_ms=1)) == [1]
    assert len(pool.pids) == 1


async def test_two_pools_may_share_a_worker(start: Start, tmp_path: Path) -> None:
    replica = LocalReplica("test", _command())
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
    held = _ask(here, 0, f"wait:{tmp_path}/go")
    assert await anext(held) == 0
    queued = _ask(there, 7)  # behind it, though it comes from elsewhere
    (tmp_path / "go").touch()
    assert await _all(held) == []
    assert await _all(queued) == [7]
    os.kill(here.pids[0], signal.SIGKILL)
    assert await _all(_ask(here, 1)) == [1]
    assert await _all(_ask(there, 2)) == [2]
    await there.close()
    await here.close()
