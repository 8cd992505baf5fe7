"""The web application: the realtime socket and the HTTP routes."""

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, asgi
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Receive, Scope, Send

from server import allowed
from server.access.denied import RETRY_DATABASE_S, Denied
from server.access.web_sessions import COOKIE
from server.agents import config
from server.lines import Application
from server.refusals import Refusal, refusal
from server.version import VERSION
from storage.errors import ExtensionMissing, Missing, StorageError, TooMany, Unavailable, Unfit

log = logging.getLogger(__name__)

RETRY_MANY_S = "10"

Asked = Request[Any, Any, Any]
Told = Response[Refusal]


def build(realtime: Application, handlers: Sequence[BaseRouteHandler]) -> Litestar:
    """The application; `realtime` serves one connection to `/v1/realtime`.

    That is mounted below Litestar's own WebSocket layer: its loop is ours.
    """

    @asgi("/v1/realtime", copy_scope=True)
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await realtime(scope, receive, send)

    app = Litestar(
        [socket, *handlers],
        openapi_config=OpenAPIConfig(
            title="VoiceForge",
            version=VERSION,
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=Components(
                security_schemes={
                    "key": SecurityScheme(type="http", scheme="bearer"),
                    "signed_in": SecurityScheme(
                        type="apiKey",
                        security_scheme_in="cookie",
                        name=COOKIE,
                        description="of `POST /v1/web/session`; what changes something also needs "
                        "its `csrf_token`, as the header `x-csrf-token`",
                    ),
                }
            ),
            security=[{"key": []}, {"signed_in": []}],
        ),
        exception_handlers=HANDLERS,
        logging_config=None,
    )
    explain(app)
    return app


def explain(app: Litestar) -> None:
    """Say in the OpenAPI document what the parts of an agent's config are."""
    known = app.openapi_schema.components
    for name, schema in (known.schemas or {} if known is not None else {}).items():
        part = getattr(config, name, None)
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            schema.description = inspect.getdoc(part)


def denied(_: Asked, error: Denied) -> Told:
    """The caller may not, or asks for what cannot be."""
    return refusal(
        error.status,
        error.code,
        str(error),
        kind=error.kind,
        param=error.param,
        headers=error.headers,
    )


def missing(_: Asked, error: Missing) -> Told:
    """There is no such record, or it is another account's."""
    return refusal(404, "not_found", str(error))


def unfit(_: Asked, error: Unfit) -> Told:
    """A value that no record can hold."""
    return refusal(400, "invalid_value", str(error))


def too_many(_: Asked, error: TooMany) -> Told:
    """Whoever asks holds as many of these records as one may."""
    again = {"retry-after": RETRY_MANY_S}
    return refusal(429, "too_many", str(error), kind="rate_limit_error", headers=again)


def too_deep(_: Asked, __: RecursionError) -> Told:
    """A body that is nested a thousand times."""
    return refusal(400, "invalid_value", "the body is nested too deeply")


def unavailable(_: Asked, __: Unavailable) -> Told:
    """The database is away; where it is, is nobody's business."""
    again = {"retry-after": str(RETRY_DATABASE_S)}
    text = "the database does not answer"
    return refusal(503, "database_unavailable", text, kind="server_error", headers=again)


def lacking(_: Asked, error: ExtensionMissing) -> Told:
    """What this needs, somebody must install first."""
    return refusal(503, "extension_missing", str(error), kind="server_error")


def unusable(asked: Asked, error: StorageError) -> Told:
    """The database says no to what is right, such as when its disk is full."""
    log.error("the database failed", extra={"path": asked.url.path, "error": str(error)})
    return unavailable(asked, Unavailable())


def refused(request: Asked, error: HTTPException) -> Told:
    """A request that cannot be served: what is wrong in its body, and what may stand there."""
    parts = [part for part in error.extra or () if isinstance(part, dict)]
    wrong = [
        f"{part.get('key', '')}: {part.get('message', '')}".removeprefix(": ")
        + instead(request, part)
        for part in parts
    ]
    message = "; ".join([error.detail, *wrong])
    param = str(parts[0].get("key", "")) or None if parts else None
    return refusal(error.status_code, None, message, param=param, headers=error.headers)


def instead(request: Asked, part: dict[str, Any]) -> str:
    """What may stand in place of what is wrong, if it is in the body and one of a list."""
    data = getattr(request.route_handler, "parsed_data_field", None)
    place, said = str(part.get("key", "")), str(part.get("message", ""))
    if data is None or not said.startswith(("Invalid", "Object contains unknown")):
        return ""
    look_up = allowed.fields if said.startswith("Object") else allowed.values
    may = look_up(data.annotation, place)
    return f": it may be {', '.join(may)}" if may else ""


def failed(request: Asked, error: Exception) -> Told:
    """A bug of ours: the log says where, the client learns that it was not its fault."""
    log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    return refusal(500, "internal_error", "the server failed", kind="server_error")


HANDLERS: dict[int | type[Exception], Callable[[Asked, Any], Response[Any]]] = {
    Denied: denied,
    Missing: missing,
    TooMany: too_many,
    Unfit: unfit,
    Unavailable: unavailable,
    ExtensionMissing: lacking,
    StorageError: unusable,
    RecursionError: too_deep,
    HTTPException: refused,
    Exception: failed,
}
"""What is said when something goes wrong."""
