"""The way into an inference actor: what its callers say, and what they are told.

How the messages travel is not known here: over a socket (`engine.worker`), or through Ray.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from engine import wire
from engine.child import complain
from engine.inference import BAD_PAYLOAD, InferenceError, Priority, Request
from engine.load import Load
from engine.process import resident_bytes

P = TypeVar("P")
R_co = TypeVar("R_co", covariant=True)


class ServedRequest(Request[R_co], Protocol[R_co]):
    """A request that says when nothing works on it any more."""

    async def stopped(self) -> None:
        """Wait until the work has really ended, also if it was cancelled: what it cost is known."""
        ...


class Served(Protocol[P, R_co]):
    """An inference actor that a worker can serve."""

    @property
    def payload_type(self) -> type[P]: ...

    def request(
        self, payload: P, *, priority: Priority, deadline_ms: int
    ) -> ServedRequest[R_co]: ...

    def load(self) -> Load:
        """How busy it is."""
        ...


class Visitor:
    """A gateway, or a keeper. Request ids are its own: two visitors may use the same.

    `deliver` takes each message to it, framed, in order, and never waits.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self.open: dict[int, ServedRequest[object]] = {}
        self._deliver = deliver

    def send(self, message: wire.FromWorker) -> None:
        """Tell it. Raises `WireError` if the message is too large."""
        self._deliver(wire.encode(message))


class Doorway(Generic[P]):
    """Carries requests from the visitors to the actor, and its results back.

    `node` says where that is, if it is not this machine.
    """

    def __init__(self, name: str, served: Served[P, object], node: str = "") -> None:
        self._name = name
        self._served = served
        self._node = node
        self._payloads = msgspec.msgpack.Decoder(served.payload_type)
        self._tasks: set[asyncio.Task[None]] = set()

    def greet(self, visitor: Visitor) -> None:
        """Say who answers here, before anything else."""
        visitor.send(wire.Hello(self._name, os.getpid(), node=self._node))

    def receive(self, visitor: Visitor, message: wire.ToWorker) -> None:
        """Do what it asks. Raises `WireError` if it breaks the protocol."""
        match message:
            case wire.Ask():
                self._ask(visitor, message)
            case wire.Promote(ident, priority, remaining_ms):
                if ident in visitor.open:
                    visitor.open[ident].promote(priority, int(remaining_ms))
            case wire.Cancel(ident):
                if ident in visitor.open:
                    visitor.open[ident].cancel()
            case wire.Ping():
                visitor.send(wire.Pong(self._served.load(), resident_bytes(os.getpid())))

    def leave(self, visitor: Visitor) -> None:
        """It has gone, and its work goes with it."""
        for request in visitor.open.values():
            request.cancel()

    def _ask(self, visitor: Visitor, ask: wire.Ask) -> None:
        if ask.id in visitor.open:
            raise wire.WireError(f"request {ask.id} is open already: each needs an id of its own")
        try:
            payload = self._payloads.decode(ask.payload)
        except ValueError as wrong:  # msgspec's own errors, and text that is no UTF-8
            visitor.send(wire.Failed(ask.id, BAD_PAYLOAD, str(wrong)))
            return
        request = self._served.request(
            payload, priority=ask.priority, deadline_ms=int(ask.remaining_ms)
        )
        visitor.open[ask.id] = request
        task = asyncio.create_task(self._answer(visitor, ask.id, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, visitor: Visitor, ident: int, request: ServedRequest[object]) -> None:
        failed: InferenceError | None = None
        try:
            async for result in request:
                visitor.send(wire.Result(ident, msgspec.msgpack.encode(result)))
        except InferenceError as error:
            failed = error
        except wire.WireError as large:
            request.cancel()
            failed = InferenceError("too_large", str(large))
        except Exception as wrong:  # noqa: BLE001 - whoever waits must be told
            request.cancel()
            complain("answer_failed", error=type(wrong).__name__)
            failed = InferenceError("model_failed", f"the answer failed: {type(wrong).__name__}")
        await request.stopped()
        del visitor.open[ident]
        if failed is None:
            visitor.send(wire.Done(ident, request.compute_ms))
        else:
            visitor.send(wire.Failed(ident, failed.code, str(failed), request.compute_ms))
