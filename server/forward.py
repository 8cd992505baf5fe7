"""Connections to a session of another gateway are carried on to it, message by message."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from server.access.caller import HEADER, caller_of
from transports.handshake import deny, query_of
from transports.outbox import Message, Send
from transports.reading import ABNORMAL, NO_CODE, Receive
from transports.realtime.errors import ErrorDetails

log = logging.getLogger(__name__)

Application = Callable[[Message, Receive, Send], Awaitable[None]]

SESSION = re.compile(r"sess_(\d{1,4})_")
GATEWAY_LOST = 1012
"""Close code "service restart" (IANA's registry)."""

REACH_S = 5.0
"""For another gateway to accept a connection; it may hang."""

RETRY_AFTER_S = 2
"""A gateway that was lost is back about then, without its sessions."""


def gateway_of(session_id: str) -> int | None:
    """The index of the gateway that a session lives in; None for what is no session's id."""
    found = SESSION.match(session_id)
    return int(found[1]) if found else None


class Forwarding:
    """An ASGI application before the realtime socket: `path_of` knows where other gateways listen.

    A client that comes back (`session_id`) and a sideband (`call_id`) are carried to the gateway of
    their session; what is for a session of this gateway, or of none, goes to `local`.
    """

    def __init__(
        self, local: Application, index: int, path_of: Callable[[int], str | None]
    ) -> None:
        self.carries = 0
        self._local = local
        self._index = index
        self._path_of = path_of

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        query = query_of(scope)
        owner = gateway_of(query.get("call_id") or query.get("session_id") or "")
        path = self._path_of(owner) if owner is not None and owner != self._index else None
        if path is None or scope["type"] != "websocket":
            await self._local(scope, receive, send)
            return
        self.carries += 1
        try:
            await carry(path, scope, receive, send)
        finally:
            self.carries -= 1


async def carry(path: str, scope: Message, receive: Receive, send: Send) -> None:
    """Be the client's other end, and a client of the gateway that listens on `path`."""
    await receive()  # websocket.connect
    try:
        there = await _reached(path, scope)
    except InvalidStatus as refused:
        await _repeat(scope, send, refused)
        return
    except (OSError, WebSocketException) as lost:
        log.warning("a gateway could not be reached", extra={"error": type(lost).__name__})
        await _unreachable(scope, send)
        return
    try:
        await send({"type": "websocket.accept", "subprotocol": there.subprotocol})
        await _both_ways(there, receive, send)
    finally:
        there.transport.abort()  # harmless once it is closed


async def _reached(path: str, scope: Message) -> ClientConnection:
    uri = f"ws://gateway{scope['path']}?{scope['query_string'].decode('ascii', 'replace')}"
    offered = [Subprotocol(name) for name in scope.get("subprotocols") or []]
    kept = {b"origin", b"user-agent"}
    headers = [(n.decode(), v.decode("latin-1")) for n, v in scope["headers"] if n in kept]
    headers.append((HEADER, caller_of(scope).told()))
    return await unix_connect(
        path,
        uri,
        subprotocols=offered or None,
        additional_headers=headers,
        user_agent_header=None,
        compression=None,
        max_size=None,  # either end has its own limit
        ping_interval=None,
        open_timeout=REACH_S,
    )


async def _both_ways(there: ClientConnection, receive: Receive, send: Send) -> None:
    """Until either side ends it."""
    outward = asyncio.create_task(_to_client(there, send))
    inward = asyncio.create_task(_to_gateway(there, receive))
    try:
        await asyncio.wait({outward, inward}, return_when=asyncio.FIRST_COMPLETED)
        if inward.done() and inward.exception() is None:
            return  # the client is gone: there is nobody to tell how it ends
        await outward
    finally:
        outward.cancel()
        inward.cancel()
        await asyncio.gather(outward, inward, return_exceptions=True)


async def _to_client(there: ClientConnection, send: Send) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in there:
            kind = "text" if isinstance(message, str) else "bytes"
            await send({"type": "websocket.send", kind: message})
    code, reason = there.close_code or GATEWAY_LOST, there.close_reason or ""
    sendable = GATEWAY_LOST if code == ABNORMAL else code
    await send({"type": "websocket.close", "code": sendable, "reason": reason})


async def _to_gateway(there: ClientConnection, receive: Receive) -> None:
    """Until the client is gone: the gateway learns with which code, or that the line broke."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            code = int(message.get("code") or ABNORMAL)
            if "reason" in message and code != ABNORMAL:
                goodbye = 1000 if code == NO_CODE else code
                await there.close(goodbye, message["reason"] or "")
            return
        data = message.get("text")
        try:
            await there.send(message["bytes"] if data is None else data)
        except ConnectionClosed:
            await asyncio.Event().wait()  # the other direction tells the client


async def _unreachable(scope: Message, send: Send) -> None:
    """HTTP 503: the session may be there again, or be known to be gone."""
    text = "the gateway of this session does not answer: try again"
    error = ErrorDetails("server_error", "gateway_lost", text, None, None)
    retry_after = [(b"retry-after", str(RETRY_AFTER_S).encode())]
    await deny(scope, send, 503, error, GATEWAY_LOST, retry_after)


async def _repeat(scope: Message, send: Send, refused: InvalidStatus) -> None:
    """The gateway's answer to the handshake, as it came."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": GATEWAY_LOST, "reason": "refused"})
        return
    answer = refused.response
    headers = [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in answer.headers.raw_items()
        if name.lower() in ("content-type", "retry-after")
    ]
    start = {"type": "websocket.http.response.start", "status": answer.status_code}
    await send({**start, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body or b""})
