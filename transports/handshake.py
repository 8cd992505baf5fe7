"""How the handshake of a WebSocket ends: with the upgrade, or with an HTTP answer instead of it."""

from urllib.parse import parse_qs

import msgspec

from transports.outbox import Message, Send
from transports.realtime.errors import ErrorDetails

SUBPROTOCOL = "realtime"

POLICY, TRY_LATER = 1008, 1013
"""Close codes (RFC 6455, 7.4.1, and IANA's registry)."""


class Refused(Exception):
    """No session can be opened now; the text says why, `retry_after_s` when to try again.

    HTTP 503 where the server is to blame; 429 where the client has what it may have. `reason` is
    for those who count them, and says more than the client's `code`.
    """

    def __init__(
        self,
        message: str,
        retry_after_s: int,
        code: str = "no_capacity",
        status: int = 503,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason or code
        self.retry_after_s = retry_after_s
        self.code = code
        self.status = status


def query_of(scope: Message) -> dict[str, str]:
    """The query of a connection; of what is named twice the first, empty or not."""
    text = scope.get("query_string", b"").decode(errors="replace")
    return {name: v[0] for name, v in parse_qs(text, keep_blank_values=True).items()}


def acceptance(scope: Message) -> Message:
    """Browsers offer their key as further subprotocols; those are never repeated."""
    offered = scope.get("subprotocols") or []
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
    return {"type": "websocket.accept", "subprotocol": chosen}


async def refuse_http(send: Send) -> None:
    """HTTP 426 to who asks for a page."""
    text = "/v1/realtime is a WebSocket: connect with ws:// or wss://"
    error = ErrorDetails("invalid_request_error", "upgrade_required", text, None, None)
    await _answer(send, "http", 426, error, [(b"upgrade", b"websocket")])


async def refuse(scope: Message, send: Send, refused: Refused) -> None:
    """Its status with Retry-After where the server can say it before the handshake, else 403."""
    kind = "server_error" if refused.status >= 500 else "rate_limit_error"
    error = ErrorDetails(kind, refused.code, str(refused), None, None)
    retry_after = (b"retry-after", str(refused.retry_after_s).encode())
    await deny(scope, send, refused.status, error, TRY_LATER, [retry_after])


async def deny(
    scope: Message,
    send: Send,
    status: int,
    error: ErrorDetails,
    code: int = POLICY,
    headers: list[tuple[bytes, bytes]] | None = None,
    body: object = None,
) -> None:
    """Answer with HTTP `status`; close with `code` where the server can only answer 403. `body` is
    for clients to whom the error is told in another shape.
    """
    if scope["type"] == "http":
        await _answer(send, "http", status, error, headers or [], body)
    elif "websocket.http.response" in (scope.get("extensions") or {}):
        await _answer(send, "websocket.http", status, error, headers or [], body)
    else:
        await send({"type": "websocket.close", "code": code, "reason": error.message})


async def _answer(
    send: Send,
    kind: str,
    status: int,
    error: ErrorDetails,
    more: list[tuple[bytes, bytes]],
    body: object = None,
) -> None:
    headers = [(b"content-type", b"application/json"), *more]
    await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
    told = msgspec.json.encode({"error": error} if body is None else body)
    await send({"type": f"{kind}.response.body", "body": told})
