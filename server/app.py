"""The web application: the realtime socket and the HTTP routes."""

import logging
from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Receive, Scope, Send

from server.access.denied import INVALID, Denied
from server.lines import Application
from server.version import VERSION
from storage.errors import Missing, Unavailable

log = logging.getLogger(__name__)

RETRY_DATABASE_S = "2"

Asked = Request[Any, Any, Any]
Told = Response[dict[str, object]]


def build(realtime: Application, handlers: Sequence[HTTPRouteHandler]) -> Litestar:
    """The application; `realtime` serves one connection to `/v1/realtime`.

    That is mounted below Litestar's own WebSocket layer: its loop is ours.
    """

    @asgi("/v1/realtime", copy_scope=True)
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await realtime(scope, receive, send)

    return Litestar(
        [socket, *handlers],
        openapi_config=OpenAPIConfig(
            title="VoiceForge",
            version=VERSION,
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=Components(
                security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}
            ),
        ),
        exception_handlers={
            Denied: denied,
            Missing: missing,
            Unavailable: unavailable,
            HTTPException: refused,
            Exception: failed,
        },
        logging_config=None,
    )


def told(
    status: int, kind: str, code: str | None, message: str, headers: dict[str, str] | None = None
) -> Told:
    """A no in the shape of OpenAI's errors."""
    error = {"type": kind, "code": code, "message": message, "param": None}
    return Response({"error": error}, status_code=status, headers=headers)


def denied(_: Asked, error: Denied) -> Told:
    """The caller may not, or asks for what cannot be."""
    return told(error.status, error.kind, error.code, str(error), error.headers)


def missing(_: Asked, error: Missing) -> Told:
    """There is no such record, or it is another account's."""
    return told(404, INVALID, "not_found", str(error))


def unavailable(_: Asked, error: Unavailable) -> Told:
    """The database is away."""
    again = {"retry-after": RETRY_DATABASE_S}
    return told(503, "server_error", "database_unavailable", str(error), again)


def refused(_: Asked, error: HTTPException) -> Told:
    """A request that cannot be served. What is wrong in a body is named."""
    wrong = [
        f"{part.get('key', '')}: {part.get('message', '')}".removeprefix(": ")
        for part in error.extra or ()
        if isinstance(part, dict)
    ]
    message = "; ".join([error.detail, *wrong])
    return told(error.status_code, INVALID, None, message, error.headers)


def failed(request: Asked, error: Exception) -> Told:
    """A bug of ours: the log says where, the client learns that it was not its fault."""
    log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    return told(500, "server_error", "internal_error", "the server failed")
