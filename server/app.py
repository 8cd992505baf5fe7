"""The web application: the realtime socket, health, metrics and documentation."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Receive, Scope, Send

from server.metrics import Metrics
from server.readiness import Readiness
from server.routes import routes
from server.system import System
from server.version import VERSION

log = logging.getLogger(__name__)

Realtime = Callable[[Scope, Receive, Send], Awaitable[None]]
"""Serves one WebSocket connection to `/v1/realtime`."""


def build(realtime: Realtime, readiness: Readiness, metrics: Metrics, system: System) -> Litestar:
    """The application around the parts that it shows.

    The realtime socket is mounted below Litestar's own WebSocket layer: its loop is ours.
    """

    @asgi("/v1/realtime", copy_scope=True)
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await realtime(scope, receive, send)

    return Litestar(
        [socket, *routes(readiness, metrics, system)],
        openapi_config=OpenAPIConfig(
            title="VoiceForge",
            version=VERSION,
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        exception_handlers={HTTPException: refused, Exception: failed},
        logging_config=None,
    )


def refused(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, object]]:
    """A request that cannot be served, in the shape of OpenAI's errors."""
    told = {"type": "invalid_request_error", "code": None, "message": error.detail, "param": None}
    return Response({"error": told}, status_code=error.status_code, headers=error.headers)


def failed(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    """A bug of ours: the log says where, the client learns that it was not its fault."""
    log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    told = {"type": "server_error", "code": "internal_error", "message": "the server failed"}
    return Response({"error": told}, status_code=500)
