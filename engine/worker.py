"""An inference worker: a process that serves one inference actor to every gateway.

Here are its sockets and its first words to its keeper; `engine.doorway` knows what is said, and the
actor (`engine.batcher`, or a client of something remote) has the queue.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from engine import wire
from engine.child import complain, give_back_memory, take_standard_output
from engine.doorway import Doorway, Served, Visitor
from engine.inference import InferenceError

P = TypeVar("P")

MAX_UNREAD_BYTES = 64 * 1024 * 1024
"""A gateway this far behind is stuck, not slow."""

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one connection until its other side goes."""


def write(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Send a framed message without waiting; drop the connection of a gateway that is stuck."""
    if writer.is_closing():
        return
    writer.write(message)
    unread = writer.transport.get_write_buffer_size()
    if unread > MAX_UNREAD_BYTES:
        complain("gateway_stuck", unread_bytes=unread)
        writer.transport.abort()


class _Entrance(Generic[P]):
    """The doorway behind a socket."""

    def __init__(self, doorway: Doorway[P]) -> None:
        self._doorway = doorway

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitor = Visitor(lambda message: write(writer, message))
        self._doorway.greet(visitor)
        try:
            while (message := await wire.read_to_worker(reader)) is not None:
                self._doorway.receive(visitor, message)
        except wire.WireError as broken:
            complain("connection_broken", reason=str(broken))
        finally:
            self._doorway.leave(visitor)
            writer.close()


def serve_worker(
    name: str, socket_path: str, load: Callable[[], Callable[[], Served[P, object]]]
) -> None:
    """Load the model and serve it on `socket_path` until killed, as `serve_connections`.

    `load` does what takes long and returns what opens the actor in the event loop.
    """

    def load_model() -> Callable[[], Connected]:
        open_actor = load()
        return lambda: _Entrance(Doorway(name, open_actor())).connected

    serve_connections(name, socket_path, load_model)


def serve_connections(
    name: str, socket_path: str, load: Callable[[], Callable[[], Connected]]
) -> None:
    """Load, listen on `socket_path`, say so on standard output, and serve until killed.

    `load` does what takes long and returns what, in the event loop, opens what serves connections.
    An `InferenceError` of it is reported to the parent as it is; the process then exits with status
    3.
    """
    handshake = take_standard_output()
    try:
        opens = load()
    except InferenceError as refused:
        _report(handshake, wire.Broken(refused.code, str(refused)))
        sys.exit(3)
    except Exception as wrong:  # noqa: BLE001 - reported, and the end
        traceback.print_exc()  # no session has sent anything yet: nothing private is in it
        _report(handshake, wire.Broken("load_failed", f"{name}: {type(wrong).__name__}: {wrong}"))
        sys.exit(3)
    give_back_memory()
    asyncio.run(_serve(socket_path, opens, handshake))


async def _serve(socket_path: str, opens: Callable[[], Connected], handshake: int) -> None:
    listener = await asyncio.start_unix_server(opens(), socket_path)
    _report(handshake, wire.Ready())
    async with listener:
        await listener.serve_forever()


def _report(handshake: int, message: wire.FromWorker) -> None:
    os.write(handshake, wire.encode(message))
    os.close(handshake)
