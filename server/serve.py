"""The web server of a gateway: uvicorn as realtime sockets want it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.lines import Application
from server.proxies import BehindProxies
from server.settings import Settings

PING_EVERY_S = 20.0
"""Dead clients are noticed within twice this; browsers and proxies drop idle sockets after 60 s."""


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


def web_server(app: Application, settings: Settings, uds: str | None = None) -> WebServer:
    """A server of the application. With `uds` it listens on that Unix socket."""
    return WebServer(configured(app, settings, uds))


def configured(app: Application, settings: Settings, uds: str | None = None) -> uvicorn.Config:
    """uvicorn as realtime sockets want it: uvloop, no compression, events up to the limit."""
    return uvicorn.Config(
        app if settings.proxies is None else BehindProxies(app, settings.proxies),
        uds=uds,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn's own, which hears no X-Forwarded-Host
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=settings.limits.max_event_bytes,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PING_EVERY_S,
        timeout_graceful_shutdown=3,
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
