"""Models on the two nodes of a Ray cluster, and a node that is lost under load."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from actors.handlers import Share
from actors.workers import model_command, on_ray
from engine.capabilities import Speech, Utterance
from engine.inference import InferenceError, Priority
from engine.link import Link
from engine.pool import Pool, PoolRequest
from engine.process import WorkerCommand, package_root
from engine.status import WorkerStatus
from tests.local import LocalReplica
from tests.ray_cluster import RayCluster, actors_of

Steps = list[int | str]

_WORKER = Path(__file__).parent / "a_ray_worker.py"

SENTENCES = (
    "Your table is booked for eight o'clock, by the window, as you asked. Anything else?",
    "The museum opens at nine in the morning, and closes at six in the evening.",
    "It will rain until noon. After that the sky clears, and it gets warmer.",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with RayCluster() as cluster:
        cluster.add()
        yield cluster


@asynccontextmanager
async def serving(pool: Pool[Any, Any]) -> AsyncIterator[None]:
    await pool.start()
    try:
        yield
    finally:
        await pool.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.01)


def obedient(cluster: RayCluster, place: int = 0) -> WorkerCommand:
    argv = (sys.executable, str(_WORKER), "{socket}", cluster.address, str(place))
    env = {"PYTHONPATH": package_root(), **cluster.environment()}
    return WorkerCommand(argv, env=env, load_s=120)


def ask(
    pool: Pool[Steps, int], *steps: int | str, priority: Priority = Priority.FIRST
) -> PoolRequest[Steps, int]:
    return pool.request(list(steps), priority=priority, deadline_ms=20_000)


async def all_of(request: PoolRequest[Any, Any]) -> list[Any]:
    return [result async for result in request]


async def test_gateways_share_an_actor_as_they_share_a_worker(
    cluster: RayCluster, tmp_path: Path
) -> None:
    replica, sharer = LocalReplica("test", obedient(cluster)), Link("test")

    def tell(status: WorkerStatus) -> None:
        replica.follow(status)
        sharer.follow(status)

    replica.keeper.changed = tell
    here: Pool[Steps, int] = Pool("test", int, [replica])
    there: Pool[Steps, int] = Pool("test", int, [sharer])
    async with serving(here), serving(there):
        await asyncio.gather(here.ready(), there.ready())
        assert replica.status.node

        request = ask(here, *range(300))
        assert await all_of(request) == list(range(300))
        assert request.compute_ms > 0

        held = ask(here, 0, f"wait:{tmp_path}/go", 1, f"made:{tmp_path}/made")
        assert await anext(held) == 0
        held.cancel()
        order: list[int] = []

        async def collect(request: PoolRequest[Steps, int]) -> None:
            order.extend(await all_of(request))

        waiting = [
            ask(here, 1, priority=Priority.SPECULATIVE),
            ask(here, 2, priority=Priority.PARTIAL),
            ask(here, 3, priority=Priority.AHEAD),
        ]
        elsewhere = ask(there, 7)
        unwanted = ask(there, f"made:{tmp_path}/unwanted", 4)
        collecting = [asyncio.create_task(collect(request)) for request in waiting]
        waiting[0].promote(Priority.FIRST, 100)
        unwanted.cancel()
        await until(lambda: replica.status.load.queued == 4)  # it has heard of all that
        await asyncio.to_thread((tmp_path / "go").touch)
        await asyncio.gather(*collecting)
        assert order == [1, 2, 3]
        assert await all_of(elsewhere) == [7]
        assert not await asyncio.to_thread((tmp_path / "unwanted").exists)
        assert not await asyncio.to_thread((tmp_path / "made").exists)

        with pytest.raises(InferenceError, match="no voice 'bob'") as refused:
            await all_of(ask(there, "refuse"))
        assert refused.value.code == "no_such_voice"
        assert await all_of(ask(there, "x" * 3_000_000, 5)) == [5]  # not a small message
        await until(lambda: replica.status.load.served[Priority.FIRST].begun == 6)
        assert replica.status.resident_bytes > 30_000_000


async def test_what_dies_on_either_side_is_replaced_and_leaves_nothing_behind(
    cluster: RayCluster, tmp_path: Path
) -> None:
    def actors() -> list[psutil.Process]:
        return [actor for node in cluster.nodes for actor in actors_of(node)]

    pool: Pool[Steps, int] = Pool("test", int, [LocalReplica("test", obedient(cluster))])
    async with serving(pool):
        await pool.ready()
        (first,) = actors()
        streaming, waiting = ask(pool, 1, f"wait:{tmp_path}/go", 2), ask(pool, 3)
        assert await anext(streaming) == 1
        first.kill()
        with pytest.raises(InferenceError, match="lost") as lost:
            await all_of(streaming)
        assert lost.value.code == "worker_lost"
        assert await all_of(waiting) == [3]
        (second,) = actors()
        os.kill(pool.pids[0], signal.SIGKILL)  # the process here: the actor ends with it
        await until(lambda: not second.is_running())
        assert await all_of(ask(pool, 4)) == [4]
        assert pool.state.restarts == 2
    await until(lambda: not actors())


async def test_a_model_that_a_node_lacks_is_reported_with_the_node(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cluster(monkeypatch, cluster)
    command = on_ray("tts", model_command("tts", "piper-joe", tmp_path), cluster.address, 0)
    pool: Pool[Utterance, Speech] = Pool("tts", Speech, [LocalReplica("tts", command)])
    async with serving(pool):
        with pytest.raises(InferenceError, match=r"on node [0-9.]+: .*models pull") as missing:
            await pool.ready()
    assert missing.value.code == "model_missing"


@pytest.mark.models
async def test_a_node_is_lost_under_load_and_every_sentence_is_heard_whole(
    cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = model_command("tts", "piper-joe", None, Share(lanes=2))
    in_cluster(monkeypatch, cluster)
    replicas = [
        LocalReplica(name, on_ray(name, here, cluster.address, place))
        for place, name in enumerate(("tts", "tts:1"))
    ]
    local: Pool[Utterance, Speech] = Pool("tts", Speech, [LocalReplica("tts", here)])
    async with serving(local):
        right = [await all_of(speak(local, text)) for text in SENTENCES]
    pool: Pool[Utterance, Speech] = Pool("tts", Speech, replicas, replays=True)
    async with serving(pool):
        await until(lambda: pool.state.up == 2)
        assert [len(actors_of(node)) for node in cluster.nodes] == [1, 1]
        requests = [speak(pool, SENTENCES[number % 3]) for number in range(16)]
        spoken = [asyncio.create_task(all_of(request)) for request in requests]
        await until(lambda: sum(task.done() for task in spoken) > 2)
        cluster.lose(cluster.nodes[1])  # which no test needs after this one
        assert pool.state.in_flight > 8  # many on the node that is gone
        for number, speech in enumerate(await asyncio.gather(*spoken)):
            assert speech == right[number % 3]
        assert pool.state.in_flight == 0
        await until(lambda: pool.state.restarts >= 1 and pool.state.up == 2)
        assert [len(actors_of(node)) for node in cluster.nodes] == [2]
        again = await asyncio.gather(*(all_of(speak(pool, SENTENCES[0])) for _ in range(4)))
        assert again == [right[0]] * 4


def speak(pool: Pool[Utterance, Speech], text: str) -> PoolRequest[Utterance, Speech]:
    return pool.request(Utterance(text, "joe"), priority=Priority.AHEAD, deadline_ms=1000)


def in_cluster(monkeypatch: pytest.MonkeyPatch, cluster: RayCluster) -> None:
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
