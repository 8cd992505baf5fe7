"""How a request is told no."""

from collections.abc import MutableMapping
from typing import Any

from server.eleven.dialect import is_theirs
from transports.handshake import deny
from transports.outbox import Send
from transports.reading import Receive
from transports.realtime.errors import ErrorDetails

INVALID = "invalid_request_error"

RETRY_DATABASE_S = 2
"""A database that is started again is back about then."""


class Denied(Exception):
    """The request is not served: HTTP `status`, a stable `code`, the text for the client, and the
    field at fault, if it is one's.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        kind: str = INVALID,
        headers: dict[str, str] | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.headers = headers or {}
        self.param = param


def retry(
    status: int, code: str, message: str, after_s: float, headers: dict[str, str] | None = None
) -> Denied:
    """The no that may be a yes after so many seconds."""
    kind = "rate_limit_error" if status == 429 else "server_error"
    told = {"retry-after": str(max(1, int(-(-after_s // 1)))), **(headers or {})}
    return Denied(status, code, message, kind=kind, headers=told)


async def tell(
    denied: Denied, scope: MutableMapping[str, Any], receive: Receive, send: Send
) -> None:
    """Answer a request, or a WebSocket's handshake, with it, as its client reads it."""
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
    details = ErrorDetails(denied.kind, denied.code, str(denied), denied.param, None)
    headers = [(name.encode(), value.encode()) for name, value in denied.headers.items()]
    theirs = {"detail": {"status": denied.code, "message": str(denied)}}
    body = theirs if is_theirs(scope) else None
    await deny(scope, send, denied.status, details, headers=headers, body=body)
