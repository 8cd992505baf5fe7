"""An inference worker: one process that serves one model to every session.

The event loop owns the sockets and the one queue; a single thread owns the model. So requests can
be promoted, cancelled and answered for while a batch runs, which nothing can interrupt.
"""

import asyncio
import datetime
import itertools
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from engine import wire
from engine.child import take_standard_output
from engine.deadlines import DeadlineQueue
from engine.inference import InferenceError

P = TypeVar("P")
R_co = TypeVar("R_co", covariant=True)

_MAX_UNREAD_BYTES = 64 * 1024 * 1024  # a gateway this far behind is stuck, not slow


class Handler(Protocol[P, R_co]):
    """A model as a worker runs it, always in the same thread."""

    max_batch: int
    """How many payloads one `run` takes at most; 1 where batches gain nothing."""

    detail: dict[str, str]
    """What the gateway should know of this worker, such as the port it serves on."""

    @property
    def payload_type(self) -> type[P]: ...

    def warm_up(self) -> None:
        """Do what makes the first request slow."""
        ...

    def run(self, batch: list[P]) -> Iterator[tuple[int, R_co]]:
        """Yield (place in the batch, result), any number for each payload, as soon as it is there.

        Work stops at a `yield` when nobody waits for the batch any more. Raise `InferenceError` for
        what the caller can mend.
        """
        ...


class _Work:
    """One request of one connection. `cancelled` is set by the loop and read by the model."""

    __slots__ = ("cancelled", "connection", "id", "payload")

    def __init__(self, connection: "_Connection", ident: int, payload: bytes) -> None:
        self.connection = connection
        self.id = ident
        self.payload = payload
        self.cancelled = False


class _Connection:
    """One gateway's connection. Request ids are its own: two gateways may use the same."""

    def __init__(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.writer = writer
        self.open: dict[int, _Work] = {}

    def key(self, ident: int) -> tuple[int, int]:
        return self.number, ident

    def send(self, message: wire.FromWorker) -> None:
        if self.writer.is_closing():
            return
        self.writer.write(wire.encode(message))
        if self.writer.transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            log("gateway_stuck", unread_bytes=self.writer.transport.get_write_buffer_size())
            self.writer.transport.abort()


class _Server(Generic[P]):
    """The queue, between the connections and the model's thread."""

    def __init__(self, family: str, handler: Handler[P, object]) -> None:
        self.family = family
        self.handler = handler
        self.loop = asyncio.get_running_loop()
        self.waiting: DeadlineQueue[tuple[int, int], _Work] = DeadlineQueue()
        self.numbers = itertools.count()
        self.busy_since: float | None = None
        self.batches: queue.SimpleQueue[list[_Work]] = queue.SimpleQueue()
        threading.Thread(target=self._model_thread, name="model", daemon=True).start()

    # ---- the loop's side ---------------------------------------------------------------------

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one gateway until it goes; its work goes with it."""
        connection = _Connection(next(self.numbers), writer)
        connection.send(wire.Hello(self.family, os.getpid()))
        try:
            while (message := await wire.read_to_worker(reader)) is not None:
                self._receive(connection, message)
        except wire.WireError as broken:
            log("connection_broken", reason=str(broken))
        finally:
            for ident in list(connection.open):
                self._cancel(connection, ident)
            writer.close()

    def _receive(self, connection: _Connection, message: wire.ToWorker) -> None:
        match message:
            case wire.Ask(ident, priority, remaining_ms, payload):
                self._ask(connection, ident, priority, remaining_ms, payload)
            case wire.Promote(ident, priority, remaining_ms):
                self.waiting.promote(connection.key(ident), priority, self._deadline(remaining_ms))
            case wire.Cancel(ident):
                self._cancel(connection, ident)
            case wire.Ping():
                busy = 0.0 if self.busy_since is None else self.loop.time() - self.busy_since
                connection.send(wire.Pong(len(self.waiting), busy * 1000))

    def _ask(
        self,
        connection: _Connection,
        ident: int,
        priority: int,
        remaining_ms: float,
        payload: bytes,
    ) -> None:
        if ident in connection.open:
            raise wire.WireError(f"request {ident} is open already: each needs an id of its own")
        work = connection.open[ident] = _Work(connection, ident, payload)
        self.waiting.push(connection.key(ident), work, priority, self._deadline(remaining_ms))
        self._start_batch()

    def _cancel(self, connection: _Connection, ident: int) -> None:
        work = connection.open.get(ident)
        if work is None:
            return
        work.cancelled = True
        if self.waiting.remove(connection.key(ident)) is not None:
            self._deliver(work, wire.Done(ident, 0.0))

    def _deadline(self, remaining_ms: float) -> float:
        return self.loop.time() + remaining_ms / 1000

    def _start_batch(self) -> None:
        """Give the model what is most urgent, if it is idle. It never waits for company."""
        if self.busy_since is None and len(self.waiting):
            self.busy_since = self.loop.time()
            batch = self.waiting.pop_batch(self.handler.max_batch)
            self.batches.put([work for _, work in batch])

    def _batch_ended(self) -> None:
        self.busy_since = None
        self._start_batch()

    def _deliver(self, work: _Work, message: wire.FromWorker) -> None:
        """Send what the model made; of what was cancelled, only that and what it cost."""
        if isinstance(message, wire.Result):
            if work.cancelled:
                return
        else:
            work.connection.open.pop(work.id, None)
        work.connection.send(message)

    # ---- the model's side --------------------------------------------------------------------

    def _model_thread(self) -> None:
        decoder = msgspec.msgpack.Decoder(self.handler.payload_type)
        while True:
            batch = self.batches.get()
            started = self.loop.time()
            whole = self._decode(decoder, batch)
            failure: InferenceError | None = None
            try:
                self._run(whole)
            except InferenceError as refused:
                failure = refused
            except Exception as wrong:  # noqa: BLE001 - a model may raise anything
                failure = self._unexpected(wrong)
            self._finish([work for work, _ in whole], started, failure)
            self.loop.call_soon_threadsafe(self._batch_ended)

    def _decode(
        self, decoder: msgspec.msgpack.Decoder[P], batch: list[_Work]
    ) -> list[tuple[_Work, P]]:
        whole = []
        for work in batch:
            try:
                whole.append((work, decoder.decode(work.payload)))
            except ValueError as wrong:
                self._post(work, wire.Failed(work.id, "bad_payload", str(wrong)))
        return whole

    def _run(self, batch: list[tuple[_Work, P]]) -> None:
        if all(work.cancelled for work, _ in batch):
            return
        for place, result in self.handler.run([payload for _, payload in batch]):
            work = batch[place][0]
            self._post(work, wire.Result(work.id, msgspec.msgpack.encode(result)))
            if all(work.cancelled for work, _ in batch):
                return

    def _finish(self, works: list[_Work], started: float, failure: InferenceError | None) -> None:
        """Close the batch's requests; each bears an equal share of its compute."""
        for work in works:
            share_ms = (self.loop.time() - started) * 1000 / len(works)
            if failure is None:
                self._post(work, wire.Done(work.id, share_ms))
            else:
                self._post(work, wire.Failed(work.id, failure.code, str(failure), share_ms))

    def _post(self, work: _Work, message: wire.FromWorker) -> None:
        self.loop.call_soon_threadsafe(self._deliver, work, message)

    def _unexpected(self, wrong: Exception) -> InferenceError:
        """Log where it happened, not what it says: that may hold what somebody said."""
        last = traceback.extract_tb(wrong.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        log("model_failed", family=self.family, error=type(wrong).__name__, where=where)
        return InferenceError(
            "model_failed", f"the {self.family} model failed with {type(wrong).__name__} at {where}"
        )


def log(event: str, **fields: object) -> None:
    """A warning, as one line of JSON. Never pass a payload or what was made of one."""
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    head = {"time": time, "level": "warning", "event": event, "worker": os.getpid()}
    sys.stderr.write(json.dumps(head | fields) + "\n")
    sys.stderr.flush()


def serve_worker(family: str, socket_path: str, load: Callable[[], Handler[P, object]]) -> None:
    """Load the model, listen on `socket_path`, say so on standard output, and serve until killed.

    An `InferenceError` of `load` is reported to the parent as it is; the process then exits with
    status 3.
    """
    handshake = take_standard_output()
    try:
        handler = load()
        handler.warm_up()
    except InferenceError as refused:
        _report(handshake, wire.Broken(refused.code, str(refused)))
        sys.exit(3)
    except Exception as wrong:  # noqa: BLE001 - reported, and the end
        traceback.print_exc()  # no session has sent anything yet: nothing private is in it
        _report(handshake, wire.Broken("load_failed", f"{family}: {type(wrong).__name__}: {wrong}"))
        sys.exit(3)
    asyncio.run(_serve(family, socket_path, handler, handshake))


async def _serve(
    family: str, socket_path: str, handler: Handler[P, object], handshake: int
) -> None:
    server = _Server(family, handler)
    listener = await asyncio.start_unix_server(server.connected, socket_path)
    _report(handshake, wire.Ready(handler.detail))
    async with listener:
        await listener.serve_forever()


def _report(handshake: int, message: wire.FromWorker) -> None:
    os.write(handshake, wire.encode(message))
    os.close(handshake)
