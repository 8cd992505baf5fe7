"""A model on a node of a Ray cluster, served as a worker of this machine serves it.

The very same doorway and queue are behind it (`engine.doorway`, `engine.batcher`), and the very
same messages go in and out; only Ray carries them. `actors.ray_worker` is the other end.
"""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import ray

from engine import wire
from engine.child import complain, give_back_memory
from engine.doorway import Doorway, Served, Visitor
from engine.inference import InferenceError

Parcel = tuple[int, bytes | None]
"""A message of, or to, the visitor with this number. To the actor: without its frame; empty when
the visitor comes, None when it has gone. From the actor: framed; None ends the connection."""

Job = Callable[[], Callable[[], Served[Any, object]]]
"""Loads a model and returns what opens it in the event loop. Raises `InferenceError`."""

MAX_UNTAKEN_BYTES = 256 * 1024 * 1024
"""The other end lives but takes nothing: what it asked for is of no use to anybody."""


class RayActor:
    """Runs as a Ray actor, all of it in one event loop. `take` must not be called twice at once.

    Ray neither restarts it nor repeats a call: whoever owns it starts another and asks again.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._node: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        self._doorway: Doorway[Any] | None = None
        self._visitors: dict[int, Visitor] = {}
        self._parcels: list[Parcel] = []
        self._untaken_bytes = 0
        self._some = asyncio.Event()

    async def node(self) -> str:
        """The address of the node that it runs on."""
        return self._node

    async def load(self, job: Job) -> tuple[str, str] | None:
        """Load the model; returns the code and the text of why it cannot be served, if so."""
        try:
            open_actor = await asyncio.to_thread(job)
        except InferenceError as refused:
            return refused.code, f"on node {self._node}: {refused}"
        except Exception as wrong:  # noqa: BLE001 - reported, and the end
            return "load_failed", f"on node {self._node}: {type(wrong).__name__}: {wrong}"
        give_back_memory()
        self._doorway = Doorway(self._name, open_actor(), self._node)
        return None

    async def receive(self, parcels: list[Parcel]) -> None:
        """Take in what visitors say, in order. Wait for the end of one call before the next."""
        for number, message in parcels:
            self._receive(number, message)

    async def take(self) -> list[Parcel]:
        """Everything that is there for the visitors; waits until there is something."""
        await self._some.wait()
        self._some.clear()
        parcels, self._parcels = self._parcels, []
        self._untaken_bytes = 0
        return parcels

    def _receive(self, number: int, message: bytes | None) -> None:
        assert self._doorway is not None  # nobody comes before the model is loaded
        if number not in self._visitors:
            if message == b"":  # else it was shown out, and did not know yet
                visitor = self._visitors[number] = Visitor(partial(self._put, number))
                self._doorway.greet(visitor)
            return
        if message is None:
            self._doorway.leave(self._visitors.pop(number))
            return
        try:
            self._doorway.receive(self._visitors[number], wire.decode_to_worker(message))
        except wire.WireError as broken:
            complain("connection_broken", reason=str(broken))
            self._doorway.leave(self._visitors.pop(number))
            self._put(number, None)

    def _put(self, number: int, message: bytes | None) -> None:
        self._parcels.append((number, message))
        self._untaken_bytes += len(message or b"")
        if self._untaken_bytes > MAX_UNTAKEN_BYTES:
            complain("relay_stuck", untaken_bytes=self._untaken_bytes)
            os._exit(1)
        self._some.set()
