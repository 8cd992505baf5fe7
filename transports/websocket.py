"""The realtime protocol over a WebSocket, as an ASGI application without a framework.

The server's own limit on a message must be at least `wire.LARGEST_MESSAGE`; it closes with
1009 beyond it, and so does this loop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

import msgspec

from engine.session import EndReason, RequestError, Session, Transport
from engine.settings import SessionSettings
from transports.outbox import LIMIT_BYTES, STALL_S, Message, Outbox, Send
from transports.realtime import errors
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.connection import Realtime
from transports.realtime.session_settings import session_of
from transports.realtime.wire import LARGEST_MESSAGE

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Message]]

SUBPROTOCOL = "realtime"

SLICE_S = 0.001
"""Work that one connection may do before it must let others on: a fifth of a 5 ms playout slot."""

REST = 2.0  # seconds of rest per second of work: a flooding client gets a third of a core at most
EVENTS_PER_TURN = 32  # and lets others on after so many events, however cheap

NO_CODE, ABNORMAL, POLICY, TOO_BIG, TRY_LATER = 1005, 1006, 1008, 1009, 1013
"""Close codes (RFC 6455, 7.4.1, and IANA's registry)."""

DISCONNECT_S = 1.0  # for the reading side to take what stood before the disconnect, and that itself

LEFT_FOR_GOOD = (1000, NO_CODE)
"""Close codes (RFC 6455, 7.4.1) of a client that said goodbye; any other may come back."""

DEFAULTS = SessionSettings()
"""What a session is before a client says anything. Unlike at OpenAI, turns then end by what was
said and how, not by silence alone: it is what a caller wants, and no client depends on it."""


class Refused(Exception):
    """No session can be opened now; the text says why, `retry_after_s` when to try again."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(slots=True, eq=False)
class Lease:
    """A client's hold on a session: with its id and `token` it can come back."""

    session: Session
    token: str
    transport: Transport


class Sessions(Protocol):
    """Who owns the sessions."""

    async def open(self, settings: SessionSettings, transport: Transport) -> Lease:
        """A new session that is not yet started. Raises `Refused`, or `RequestError`."""
        ...

    def resume(self, session_id: str, token: str) -> Lease | None:
        """The session that a client left less than a minute ago; None unless all of it fits.

        Until it is left again nothing ends it for its client's absence.
        """
        ...

    def attach(self, lease: Lease) -> None:
        """The client that resumed knows the history: give the session its transport again."""
        ...

    def left(self, lease: Lease, *, for_good: bool) -> None:
        """The client is gone: stop the session, or detach it and stop it a minute later."""
        ...


class RealtimeSocket:
    """An ASGI application that serves `/v1/realtime`.

    Query: `model` (see `realtime.aliases`), `intent=transcription`, and to come back `session_id`
    with `resume`, the token of `session.created`'s `voiceforge` block.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        defaults: SessionSettings = DEFAULTS,
        stall_s: float = STALL_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._sessions = sessions
        self._defaults = defaults
        self._stall_s = stall_s
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _refuse_http(send)
            return
        await receive()  # websocket.connect
        text = scope.get("query_string", b"").decode(errors="replace")
        query = {name: values[0] for name, values in parse_qs(text).items()}
        outbox = Outbox(
            send, _acceptance(scope), stall_s=self._stall_s, limit_bytes=self._limit_bytes
        )
        try:
            await self._converse(query, outbox, receive)
        except Refused as refused:
            await _deny(scope, send, refused)
        finally:
            outbox.task.cancel()

    async def _converse(self, query: dict[str, str], outbox: Outbox, receive: Receive) -> None:
        """Serve the session that is asked for.

        It is given its outbox before the handshake ends, which takes as long as the client likes:
        whatever happens to either meanwhile, the session has a client that can leave it, and the
        client is told.
        """
        try:
            lease, realtime, returning = await self._lease(query, outbox)
        except RequestError as error:
            outbox.put(msgspec.json.encode(errors.refused(error, None)).decode())
            outbox.close(POLICY, error.code)
            await outbox.task
            return
        session = lease.session
        code = ABNORMAL
        try:
            if returning:
                realtime.reopen(outbox)
                self._sessions.attach(lease)
            else:
                realtime.open(session, lease.token)
            code = await _serve(session, realtime, outbox, receive)
            if outbox.stalled:
                log.warning("session %s: the client stopped reading", session.id)
        finally:
            if realtime.leave(outbox) and not realtime.ended:
                self._sessions.left(lease, for_good=code in LEFT_FOR_GOOD)

    async def _lease(self, query: dict[str, str], outbox: Outbox) -> tuple[Lease, Realtime, bool]:
        """The session that the client asks for, its transport, and whether it was there before."""
        if "session_id" in query:
            lease = self._sessions.resume(query["session_id"], query.get("resume", ""))
            if lease is not None and isinstance(lease.transport, Realtime):
                return lease, lease.transport, True
            if lease is not None:  # it speaks another protocol: its own client may still return
                self._sessions.left(lease, for_good=False)
            raise RequestError(
                "session_not_found",
                "no session waits under this session_id and resume token: one is kept for "
                "a minute after its client is gone; connect without session_id to begin anew",
                "session_id",
            )
        defaults = self._defaults
        if query.get("intent") == "transcription":
            defaults = msgspec.structs.replace(defaults, kind="transcription")
        wanted = session_of(defaults, query.get("model", DEFAULT_MODEL))
        realtime = Realtime(outbox, wanted)
        return await self._sessions.open(realtime.settings, realtime), realtime, False


def _acceptance(scope: Message) -> Message:
    """Browsers offer their key as further subprotocols; those are never repeated."""
    offered = scope.get("subprotocols") or []
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
    return {"type": "websocket.accept", "subprotocol": chosen}


async def _serve(session: Session, realtime: Realtime, outbox: Outbox, receive: Receive) -> int:
    """Carry events both ways until one side ends it; the close code."""
    reading = asyncio.ensure_future(_read(realtime, outbox, receive))
    try:
        await asyncio.wait({reading, outbox.task}, return_when=asyncio.FIRST_COMPLETED)
        if outbox.lost and not reading.done():
            await asyncio.wait({reading}, timeout=DISCONNECT_S)
        if not reading.done():
            return ABNORMAL
        if reading.exception() is None:
            return reading.result()
        log.error("session %s failed", session.id, exc_info=reading.exception())
        session.stop(EndReason.FAILED, "the server failed on this session's event")
        await asyncio.wait({outbox.task})
        return ABNORMAL
    finally:
        reading.cancel()


async def _read(realtime: Realtime, outbox: Outbox, receive: Receive) -> int:
    """Take the client's events at a pace that leaves room for other sessions; the close code."""
    clock = asyncio.get_running_loop().time
    work_s, events = 0.0, 0
    while True:
        await outbox.room()
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return _close_code(message)
        began = clock()
        data = message.get("text") or message.get("bytes") or ""
        if len(data) > LARGEST_MESSAGE:
            outbox.close(TOO_BIG, f"a message may have {LARGEST_MESSAGE} bytes")
            await asyncio.wait({outbox.task})
            return TOO_BIG
        for _ in realtime.steps(data):
            work_s += clock() - began
            if work_s >= SLICE_S:
                await asyncio.sleep(work_s * REST)
                work_s, events = 0.0, 0
            began = clock()
        events += 1
        if events >= EVENTS_PER_TURN:
            await asyncio.sleep(0)
            events = 0


def _close_code(disconnect: Message) -> int:
    """What the client closed with. uvicorn gives a lost connection NO_CODE too, but no reason."""
    code = int(disconnect.get("code") or ABNORMAL)
    return ABNORMAL if code == NO_CODE and "reason" not in disconnect else code


async def _refuse_http(send: Send) -> None:
    """HTTP 426 to who asks for a page."""
    text = "/v1/realtime is a WebSocket: connect with ws:// or wss://"
    body = errors.ErrorDetails("invalid_request_error", "upgrade_required", text, None, None)
    headers = [(b"content-type", b"application/json"), (b"upgrade", b"websocket")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode({"error": body})})


async def _deny(scope: Message, send: Send, refused: Refused) -> None:
    """HTTP 503 with Retry-After where the server can say it before the handshake, else 403."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": TRY_LATER, "reason": str(refused)})
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", str(refused.retry_after_s).encode()),
    ]
    body = errors.ErrorDetails("server_error", "no_capacity", str(refused), None, None)
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send(
        {"type": "websocket.http.response.body", "body": msgspec.json.encode({"error": body})}
    )
