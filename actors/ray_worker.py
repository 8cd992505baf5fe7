"""A worker whose model runs on a node of a Ray cluster: the process here that stands for it.

To gateways and keeper it is a worker like any other: they connect to its Unix socket, and what is
said there is carried to a Ray actor (`actors.ray_actor`) and back, unread. So all gateways share
the actor as they share a local worker; none of them runs Ray, whose some 25 threads and 150 MB have
no place beside audio.

The actor is this process' own: Ray ends it when this process ends, however that comes about. And
when the actor or its node is lost, a call fails or the keeper's pings are not answered, this
process ends: the gateways' pools send what was open to another replica, and the keeper starts the
next process, which finds another node. Nothing is sent twice to the same actor.

Order: one call in each direction is on its way at a time; what comes meanwhile goes with the next.
That bounds what Ray holds to two calls; how much they carry is bounded by what gateways may have
open (`engine.pool.MOST_IN_FLIGHT`).
"""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.ray_actor import Job, Parcel, RayActor
from engine.child import complain
from engine.framing import WireError, read_body
from engine.inference import InferenceError
from engine.worker import Connected, write

CPUS = 0.25
"""What an actor reserves of a node: little, since models rest most of the time and share cores as
local workers do; but more than a node started with --num-cpus=0 has, such as the gateways' own."""

_ANSWER_S = 3.0  # who listens there answers at once or never, and Ray itself tries for minutes
_PLACE_S = 40.0


def engage(
    name: str, address: str, place: int, env: dict[str, str], job: Job
) -> Callable[[], Connected]:
    """Join the cluster at `address` (`host:port`, or `auto`: the one of this machine's node), have
    an actor do `job` on one of its nodes, and return what opens the relay to it.

    `place` and `env`: as in `RayPlan`. Raises `InferenceError`: `ray_unreachable`, `ray_full` when
    no node takes it, `ray_failed` when the actor dies, or what `job` says, such as `model_missing`.
    """
    _join(address)
    actor = _place(name, place, env)
    try:
        ray.get(actor.node.remote(), timeout=_PLACE_S)
        refusal = ray.get(actor.load.remote(job))
    except ray.exceptions.GetTimeoutError:
        raise InferenceError(
            "ray_full",
            f"no node of the Ray cluster took {name} within {_PLACE_S:g} s: each needs {CPUS:g} of "
            "a CPU that is free (`ray status` shows what there is)",
        ) from None
    except ray.exceptions.RayError as lost:
        raise InferenceError(
            "ray_failed",
            f"the Ray actor of {name} did not start ({_last_line(lost)}): every node needs the "
            "same release of voiceforge[ray]",
        ) from lost
    if refusal is not None:
        raise InferenceError(*refusal)
    return lambda: Relay(name, actor).connected


def _join(address: str) -> None:
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            _knock(host.strip("[]"), int(port))
        except OSError as error:
            raise InferenceError(
                "ray_unreachable",
                f"no Ray cluster answers at {address} ({error}): start its head with `ray start "
                f"--head --port={port}`, or correct workers.ray_address",
            ) from error
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        raise InferenceError(
            "ray_unreachable",
            f"the Ray cluster at {address} cannot be joined ({_last_line(error)}): this machine "
            "must be one of its nodes (`ray start --address=HEAD:PORT --num-cpus=0`)",
        ) from error
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Ray has taken it, and it is the parent's


def _knock(host: str, port: int) -> None:
    """Raises `OSError` if nobody listens there."""
    socket.create_connection((host, port), _ANSWER_S).close()


def _place(name: str, place: int, env: dict[str, str]) -> ActorHandle[RayActor]:
    """Start the actor, on the node that `place` says if that has room."""
    node = _node(place)
    strategy = NodeAffinitySchedulingStrategy(node, soft=True, _spill_on_unavailable=True)
    actor = (
        ray.remote(RayActor)
        .options(
            name=f"voiceforge {name}",
            num_cpus=CPUS,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=strategy,
            runtime_env={"env_vars": env},
        )
        .remote(name)
    )
    assert isinstance(actor, ActorHandle)  # Ray's types allow for less
    return actor


def _node(place: int) -> str:
    """The id of the node that `place` says, or of the next one that answers: Ray takes 15 s to
    notice that a machine has gone, and our next process comes sooner.
    """
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [node for node in known if node["Alive"] and node["Resources"].get("CPU")]
    nodes.sort(key=lambda node: str(node["NodeID"]))
    for at in range(len(nodes)):
        node = nodes[(place + at) % len(nodes)]
        with contextlib.suppress(OSError):
            _knock(node["NodeManagerAddress"], node["NodeManagerPort"])
            return str(node["NodeID"])
    raise InferenceError(
        "ray_full", "no node of the Ray cluster has CPUs and answers: `ray status` shows them"
    )


def _last_line(error: BaseException) -> str:
    """What matters of Ray's long texts."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__


class Relay:
    """Carries messages between the connections to this process and the actor, until that is lost:
    then the process ends.
    """

    def __init__(self, name: str, actor: ActorHandle[RayActor]) -> None:
        self._name = name
        self._actor = actor
        self._numbers = itertools.count()
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._parcels: list[Parcel] = []
        self._some = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._until_lost(carry)) for carry in (self._send(), self._fetch())
        ]

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one gateway until it goes."""
        number = next(self._numbers)
        self._writers[number] = writer
        self._put(number, b"")
        try:
            while (body := await read_body(reader)) is not None:
                self._put(number, body)
        except WireError as broken:
            complain("connection_broken", reason=str(broken))
        finally:
            self._put(number, None)
            del self._writers[number]
            writer.close()

    def _put(self, number: int, message: bytes | None) -> None:
        self._parcels.append((number, message))
        self._some.set()

    async def _send(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            parcels, self._parcels = self._parcels, []
            await self._actor.receive.remote(parcels)

    async def _fetch(self) -> None:
        while True:
            for number, message in await self._actor.take.remote():
                writer = self._writers.get(number)
                if writer is None:
                    continue  # it has gone, and the actor does not know yet
                if message is None:
                    writer.close()
                else:
                    write(writer, message)

    async def _until_lost(self, carry: Coroutine[Any, Any, None]) -> None:
        try:
            await carry
        except Exception as lost:  # noqa: BLE001 - whatever it was, the next process may do better
            complain("ray_actor_lost", name=self._name, error=type(lost).__name__)
            os._exit(1)
