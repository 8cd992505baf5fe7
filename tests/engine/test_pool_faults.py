"""What becomes of requests when workers die, hang, grow or never start; and of the workers."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.inference import InferenceError
from engine.keeper import Backoff
from engine.process import package_root
from engine.status import State
from tests.engine.a_pool import (
    ARRIVE_S,
    WORKER,
    Start,
    all_of,
    ask,
    start,
    until,
)

__all__ = ["start"]  # the fixture


async def test_after_a_death_in_mid_stream_what_had_no_result_is_done_again(
    start: Start, tmp_path: Path
) -> None:
    pool = await start()
    streaming = ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(streaming) == 1
    waiting = ask(pool, 3)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InferenceError, match="lost") as lost:
        await all_of(streaming)
    assert lost.value.code == "worker_lost"
    assert await all_of(waiting) == [3]
    assert pool.state.restarts == 1
    assert pool.state.error_code is None


async def test_of_a_batch_in_the_works_only_what_has_a_result_is_lost(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(MAX_BATCH="3")
    before = ask(pool, f"wait:{tmp_path}/before")
    streaming = ask(pool, "size", f"wait:{tmp_path}/go")
    silent = [ask(pool, f"wait:{tmp_path}/go", number) for number in (7, 8)]
    await asyncio.sleep(ARRIVE_S)
    (tmp_path / "before").touch()
    assert await all_of(before) == []
    assert await anext(streaming) == 3
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InferenceError, match="lost"):
        await all_of(streaming)
    (tmp_path / "go").touch()
    assert [await all_of(request) for request in silent] == [[7], [8]]
    assert pool.state.restarts == 1


async def test_work_that_kills_the_worker_is_not_tried_for_ever(start: Start) -> None:
    pool = await start()
    with pytest.raises(InferenceError) as lost:
        await all_of(ask(pool, "die"))
    assert lost.value.code == "worker_lost"
    assert await all_of(ask(pool, 1)) == [1]
    assert pool.state.restarts == 2


async def test_requests_spread_over_the_replicas(start: Start, tmp_path: Path) -> None:
    pool = await start(replicas=3)
    await pool.ready()
    assert pool.state.up == 3
    held = [ask(pool, number, f"wait:{tmp_path}/go") for number in range(3)]
    # Each has a worker of its own, so that all of them begin.
    assert [await anext(request) for request in held] == [0, 1, 2]
    (tmp_path / "go").touch()
    for request in held:
        assert await all_of(request) == []


async def test_a_replica_that_dies_leaves_its_work_to_the_others(
    start: Start, tmp_path: Path
) -> None:
    pool = await start(replicas=2)
    await pool.ready()
    first, second = pool.pids
    streaming = ask(pool, 1, f"wait:{tmp_path}/go")
    elsewhere = ask(pool, 2, f"wait:{tmp_path}/go", 3)
    assert (await anext(streaming), await anext(elsewhere)) == (1, 2)
    queued = ask(pool, 4)  # behind `streaming`
    os.kill(first, signal.SIGKILL)
    with pytest.raises(InferenceError) as lost:
        await all_of(streaming)
    assert lost.value.code == "worker_lost"
    assert pool.state.state is State.READY
    (tmp_path / "go").touch()
    assert await all_of(queued) == [4]
    assert await all_of(elsewhere) == [3]
    assert second in pool.pids
    await until(lambda: pool.state.up == 2)
    assert first not in pool.pids


async def test_what_waits_for_a_lost_worker_outlives_its_deadline(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pool._RESTART_S", 20.0)  # a machine may be slow to start one
    pool = await start()
    await pool.ready()
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await all_of(ask(pool, 1, deadline_ms=1)) == [1]


async def test_what_no_worker_comes_up_for_is_given_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pool._RESTART_S", 0.1)
    pool = await start(CRASH="1")
    with pytest.raises(InferenceError, match="none came up in time"):
        await all_of(ask(pool, 1, deadline_ms=1))


async def test_a_stopped_worker_is_noticed_and_replaced(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.process._SILENT_S", 2.0)
    monkeypatch.setattr("engine.process._PING_EVERY_S", 0.1)
    monkeypatch.setattr("engine.pool._RESTART_S", 20.0)
    pool = await start()
    await pool.ready()
    os.kill(pool.pids[0], signal.SIGSTOP)
    assert await all_of(ask(pool, 1)) == [1]
    assert pool.state.restarts >= 1


async def test_a_replica_whose_model_is_gone_harms_no_other(start: Start, tmp_path: Path) -> None:
    pool = await start(replicas=2, MODEL_GOES=str(tmp_path / "loaded"))
    await pool.ready()
    healthy = ask(pool, 1, f"wait:{tmp_path}/go", 2)
    assert await anext(healthy) == 1
    os.kill(pool.pids[1], signal.SIGKILL)
    await until(lambda: pool.state.error_code == "model_missing")
    (tmp_path / "go").touch()
    assert await all_of(healthy) == [2]
    assert await all_of(ask(pool, 3)) == [3]
    assert pool.state.up == 1


async def test_a_missing_model_is_said_everywhere(start: Start) -> None:
    pool = await start(MODEL_MISSING="1")
    queued = ask(pool, 1)
    with pytest.raises(InferenceError, match="voiceforge models pull") as missing:
        await pool.ready()
    assert missing.value.code == "model_missing"
    with pytest.raises(InferenceError, match="voiceforge models pull"):
        await all_of(queued)
    with pytest.raises(InferenceError, match="voiceforge models pull"):
        await all_of(ask(pool, 2))
    assert pool.state.state is State.FAILED
    assert pool.state.error_code == "model_missing"


async def test_a_worker_that_cannot_start_is_tried_again(start: Start) -> None:
    pool = await start(CRASH="1")
    with pytest.raises(InferenceError, match="status 9 before it was ready"):
        await pool.ready()
    await until(lambda: pool.state.restarts >= 2)


def test_the_pause_doubles_to_ten_seconds_and_a_healthy_life_resets_it() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.0) for _ in range(9)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.after(lived_s=31.0) == 0.1
    assert backoff.after(lived_s=1.0) == 0.2


async def test_closing_ends_the_worker_and_what_was_open(start: Start, tmp_path: Path) -> None:
    pool = await start()
    held = ask(pool, 1, f"wait:{tmp_path}/never")
    assert await anext(held) == 1
    worker = psutil.Process(pool.pids[0])
    await pool.close()
    with pytest.raises(InferenceError) as closed:
        await all_of(held)
    assert closed.value.code == "closed"
    assert not worker.is_running()
    with pytest.raises(InferenceError):
        await all_of(ask(pool, 1))


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
    script = _PARENT.format(worker=str(WORKER), ready=ready)
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
    streaming = ask(pool, 1, 2, f"wait:{tmp_path}/go", 3)
    assert [await anext(streaming), await anext(streaming)] == [1, 2]
    os.kill(pool.pids[0], signal.SIGKILL)
    (tmp_path / "go").touch()
    assert await all_of(streaming) == [3]


async def test_a_worker_that_grows_beyond_its_limit_is_replaced(start: Start) -> None:
    pool = await start(most_bytes=300 << 20)
    await pool.ready()
    (first,) = pool.pids
    with pytest.raises(InferenceError, match="worker was lost"):
        await all_of(ask(pool, 1, "eat:400"))
    await until(lambda: pool.state.up == 1 and pool.pids != [first])
    assert await all_of(ask(pool, 2)) == [2]
