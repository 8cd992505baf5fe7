"""An inference worker: a process that serves one inference actor to every gateway.

Here are its sockets only; the actor (`engine.batcher`, or a client of something remote) has the
queue.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from engine import wire
from engine.child import complain, give_back_memory, take_standard_output
from engine.inference import BAD_PAYLOAD, InferenceError, Priority, Request
from engine.load import Load

P = TypeVar("P")
R_co = TypeVar("R_co", covariant=True)

_MAX_UNREAD_BYTES = 64 * 1024 * 1024  # a gateway this far behind is stuck, not slow


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


class _Connection:
    """One gateway's connection. Request ids are its own: two gateways may use the same."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.open: dict[int, ServedRequest[object]] = {}

    def send(self, message: wire.FromWorker) -> None:
        if self.writer.is_closing():
            return
        self.writer.write(wire.encode(message))
        unread = self.writer.transport.get_write_buffer_size()
        if unread > _MAX_UNREAD_BYTES:
            complain("gateway_stuck", unread_bytes=unread)
            self.writer.transport.abort()


class _Doorway(Generic[P]):
    """Carries requests from the connections to the actor, and its results back."""

    def __init__(self, name: str, served: Served[P, object]) -> None:
        self._name = name
        self._served = served
        self._payloads = msgspec.msgpack.Decoder(served.payload_type)
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one gateway until it goes; its work goes with it."""
        connection = _Connection(writer)
        connection.send(wire.Hello(self._name, os.getpid()))
        try:
            while (message := await wire.read_to_worker(reader)) is not None:
                self._receive(connection, message)
        except wire.WireError as broken:
            complain("connection_broken", reason=str(broken))
        finally:
            for request in connection.open.values():
                request.cancel()
            writer.close()

    def _receive(self, connection: _Connection, message: wire.ToWorker) -> None:
        match message:
            case wire.Ask():
                self._ask(connection, message)
            case wire.Promote(ident, priority, remaining_ms):
                if ident in connection.open:
                    connection.open[ident].promote(priority, int(remaining_ms))
            case wire.Cancel(ident):
                if ident in connection.open:
                    connection.open[ident].cancel()
            case wire.Ping():
                connection.send(wire.Pong(self._served.load()))

    def _ask(self, connection: _Connection, ask: wire.Ask) -> None:
        if ask.id in connection.open:
            raise wire.WireError(f"request {ask.id} is open already: each needs an id of its own")
        try:
            payload = self._payloads.decode(ask.payload)
        except ValueError as wrong:  # msgspec's own errors, and text that is no UTF-8
            connection.send(wire.Failed(ask.id, BAD_PAYLOAD, str(wrong)))
            return
        request = self._served.request(
            payload, priority=ask.priority, deadline_ms=int(ask.remaining_ms)
        )
        connection.open[ask.id] = request
        task = asyncio.create_task(self._answer(connection, ask.id, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, connection: _Connection, ident: int, request: ServedRequest[object]
    ) -> None:
        failed: InferenceError | None = None
        try:
            async for result in request:
                connection.send(wire.Result(ident, msgspec.msgpack.encode(result)))
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
        del connection.open[ident]
        if failed is None:
            connection.send(wire.Done(ident, request.compute_ms))
        else:
            connection.send(wire.Failed(ident, failed.code, str(failed), request.compute_ms))


def serve_worker(
    name: str, socket_path: str, load: Callable[[], Callable[[], Served[P, object]]]
) -> None:
    """Load the model, listen on `socket_path`, say so on standard output, and serve until killed.

    `load` does what takes long and returns what opens the actor in the event loop. An
    `InferenceError` of it is reported to the parent as it is; the process then exits with status 3.
    """
    handshake = take_standard_output()
    try:
        open_actor = load()
    except InferenceError as refused:
        _report(handshake, wire.Broken(refused.code, str(refused)))
        sys.exit(3)
    except Exception as wrong:  # noqa: BLE001 - reported, and the end
        traceback.print_exc()  # no session has sent anything yet: nothing private is in it
        _report(handshake, wire.Broken("load_failed", f"{name}: {type(wrong).__name__}: {wrong}"))
        sys.exit(3)
    give_back_memory()
    asyncio.run(_serve(name, socket_path, open_actor, handshake))


async def _serve(
    name: str, socket_path: str, open_actor: Callable[[], Served[P, object]], handshake: int
) -> None:
    doorway = _Doorway(name, open_actor())
    listener = await asyncio.start_unix_server(doorway.connected, socket_path)
    _report(handshake, wire.Ready())
    async with listener:
        await listener.serve_forever()


def _report(handshake: int, message: wire.FromWorker) -> None:
    os.write(handshake, wire.encode(message))
    os.close(handshake)
