"""A pool of workers that run `a_worker.py`, and how it is asked."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from msgspec.structs import replace

from engine.inference import Priority
from engine.pool import Pool, PoolRequest
from engine.process import WorkerCommand, package_root
from tests.local import LocalReplica

Steps = list[int | str]
TestPool = Pool[Steps, int]
Start = Callable[..., Awaitable[TestPool]]

WORKER = Path(__file__).parent / "a_worker.py"


def command(**env: str) -> WorkerCommand:
    argv = (sys.executable, str(WORKER), "{socket}")
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
        made = replace(command(**env), most_bytes=most_bytes)
        pool: TestPool = Pool(
            "test",
            int,
            [LocalReplica(f"test:{at}", made, asleep=asleep) for at in range(replicas)],
            replays=replays,
            most_in_flight=most_in_flight,
        )
        pools.append(pool)
        await pool.start()
        return pool

    yield start
    for pool in pools:
        await pool.close()


def ask(
    pool: TestPool,
    *steps: int | str,
    priority: Priority = Priority.FIRST,
    deadline_ms: int = 20_000,
) -> PoolRequest[Steps, int]:
    return pool.request(list(steps), priority=priority, deadline_ms=deadline_ms)


async def all_of(request: PoolRequest[Steps, int]) -> list[int]:
    return [result async for result in request]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.002)


ARRIVE_S = 0.2
"""For requests to reach the worker, which is another process and may have to wait for a core."""
