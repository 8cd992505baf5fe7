"""The server process: from the first bound socket to the last session's goodbye."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from litestar import Litestar
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.settings import Settings

log = logging.getLogger(__name__)

PING_EVERY_S = 20.0
"""Dead clients are noticed within twice this; browsers and proxies drop idle sockets after 60 s."""


class ServeError(Exception):
    """The server cannot start; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything slow begins, so that a port that is taken is told at once."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ServeError(f"host {host!r} cannot be resolved: {error.strerror}") from error
    bound = socket.socket(family, kind)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise ServeError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            "stop what uses it, or choose another with --port"
        ) from error
    return bound


def address(bound: socket.socket) -> str:
    """Where a client finds the socket, as `host:port`."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


FLUSH_S = 10.0
"""For a client to read its goodbye."""


class WebServer(uvicorn.Server):
    """uvicorn without its signal handlers: `StopSignals` decides when and how to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, which waits for ever for a client to read what it was sent before the end.

    It also takes a refused handshake for one that was forgotten, and logs an error.
    """

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(FLUSH_S, self.transport.abort)


def web_server(app: Litestar, settings: Settings, uds: str | None = None) -> WebServer:
    """uvicorn as realtime sockets want it: uvloop, no compression, events up to the limit.

    With `uds` it listens on that Unix socket.
    """
    return WebServer(
        uvicorn.Config(
            app,
            uds=uds,
            log_config=None,
            access_log=False,
            server_header=False,
            ws=SocketProtocol,
            ws_per_message_deflate=False,
            ws_max_size=settings.limits.max_event_bytes,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_EVERY_S,
            timeout_graceful_shutdown=3,
        )
    )


@asynccontextmanager
async def serving(server: uvicorn.Server, bound: socket.socket | None) -> AsyncIterator[None]:
    """Answer inside the block, on the socket `bound`, or where the server is configured to."""
    sockets = None if bound is None else [bound]
    task = asyncio.create_task(server.serve(sockets=sockets), name="web server")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn only sets a flag
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await task


class StopSignals:
    """SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

    Workers die with the process: the kernel sees to it (`engine.child`).
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._got, number)

    def _got(self, number: signal.Signals) -> None:
        if self.asked.is_set():
            os._exit(128 + number)
        log.info("stopping", extra={"signal": number.name})
        self.asked.set()
