"""The realtime protocol over a WebSocket, as an ASGI application without a framework.

The server's own limit on a message must be at least `wire.LARGEST_MESSAGE`; it closes with
1009 beyond it, and so does this loop.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from engine.session import EndReason, RequestError, Session, Transport
from engine.settings import SessionSettings
from transports.handshake import POLICY, Refused, acceptance, deny, query_of, refuse, refuse_http
from transports.outbox import LIMIT_BYTES, STALL_S, Message, Outbox, Send
from transports.reading import ABNORMAL, NO_CODE, Receive, converse
from transports.realtime import errors
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.connection import INTERNAL_ERROR, Realtime
from transports.realtime.overrides import ALL, Override
from transports.realtime.session_object import answered_by
from transports.realtime.update import first_object
from transports.realtime.wire import JsonObject

__all__ = ["Lease", "RealtimeSocket", "Refused", "Sessions"]

log = logging.getLogger(__name__)

LEFT_FOR_GOOD = (1000, NO_CODE)
"""Close codes (RFC 6455, 7.4.1) of a client that said goodbye; any other may come back."""

SIDEBAND_BYTES = 8 * 1024 * 1024
"""What may wait to be read by a sideband: some of the largest events. It is dropped beyond that."""

DEFAULTS = SessionSettings()
"""What a session is before a client says anything. Unlike at OpenAI, turns then end by what was
said and how, not by silence alone: it is what a caller wants, and no client depends on it."""


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

    def find(self, session_id: str) -> Lease | None:
        """An open session, for a sideband, which neither keeps it nor ends it; None if it is not
        here."""
        ...


class RealtimeSocket:
    """An ASGI application that serves `/v1/realtime`.

    Query: `model` (see `realtime.aliases`), `intent=transcription`; to come back `session_id` with
    `resume`, the token of `session.created`'s `voiceforge` block; for a sideband `call_id`, the id
    of the session to join. A new session begins with the `defaults`, changed as the `presets` say,
    the protocol's session object in full or in part. Its client may change what is `allowed`,
    but for the variables that are `fixed`. `agent` is who answers, by its id.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        defaults: SessionSettings = DEFAULTS,
        presets: Sequence[JsonObject] = (),
        allowed: Collection[Override] = ALL,
        fixed: Collection[str] = (),
        agent: str | None = None,
        stall_s: float = STALL_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._sessions = sessions
        self._defaults = defaults
        self._presets = presets
        self._allowed = allowed
        self._fixed = fixed
        self._agent = agent
        self._stall_s = stall_s
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await refuse_http(send)
            return
        await receive()  # websocket.connect
        query = query_of(scope)
        try:
            if "call_id" in query:
                await self._beside(query["call_id"], scope, receive, send)
            else:
                await self._serve(query, scope, receive, send)
        except Refused as refused:
            await refuse(scope, send, refused)

    def _outbox(self, scope: Message, send: Send, limit_bytes: int) -> Outbox:
        return Outbox(send, acceptance(scope), stall_s=self._stall_s, limit_bytes=limit_bytes)

    async def _serve(
        self, query: dict[str, str], scope: Message, receive: Receive, send: Send
    ) -> None:
        """Be the way to a session's client."""
        outbox = self._outbox(scope, send, self._limit_bytes)
        try:
            await self._converse(query, outbox, receive)
        finally:
            outbox.task.cancel()

    async def _beside(self, call_id: str, scope: Message, receive: Receive, send: Send) -> None:
        """Be a sideband: hear what the session `call_id` says, and ask it. HTTP 404 without it.

        Whatever happens to the sideband, the session goes on.
        """
        lease = self._sessions.find(call_id)
        realtime = lease.transport if lease is not None else None
        if not isinstance(realtime, Realtime):
            message = f"no session {call_id[:64]!r} is open: call_id is the id in session.created"
            kind = "invalid_request_error"
            error = errors.ErrorDetails(kind, "session_not_found", message, "call_id", None)
            await deny(scope, send, 404, error)
            return
        outbox = self._outbox(scope, send, min(SIDEBAND_BYTES, self._limit_bytes))
        try:
            realtime.join(outbox)
            log.info("sideband joined")
            await converse(realtime, outbox, receive, sideband=True)
            log.info("sideband left", extra={"stalled": outbox.stalled})
        except RequestError as error:
            kind = "invalid_request_error"
            told = errors.ErrorDetails(kind, error.code, str(error), error.param, None)
            await deny(scope, send, 429, told)
        except Exception:  # a bug of ours is no reason to end somebody's call
            log.exception("sideband failed")
            outbox.close(INTERNAL_ERROR, "the server failed on this event")
            await asyncio.wait({outbox.task})
        finally:
            realtime.part(outbox)
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
            code = await converse(realtime, outbox, receive)
            if outbox.stalled:
                log.warning("session %s: the client stopped reading", session.id)
        except Exception:  # this session fails, no other
            log.exception("session %s failed", session.id)
            session.stop(EndReason.FAILED, "the server failed on this session's event")
            await asyncio.wait({outbox.task})
        finally:
            if realtime.leave(outbox) and not realtime.ended:
                self._sessions.left(lease, for_good=code in LEFT_FOR_GOOD)

    async def _lease(self, query: dict[str, str], outbox: Outbox) -> tuple[Lease, Realtime, bool]:
        """The session that the client asks for, its transport, and whether it was there before."""
        if query.get("session_id"):
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
        kinds = [preset["type"] for preset in self._presets if "type" in preset]
        kind = kinds[-1] if kinds else query.get("intent")
        model = query.get("model") or DEFAULT_MODEL
        wanted = answered_by(self._agent, first_object(self._defaults, kind, model, self._presets))
        realtime = Realtime(outbox, wanted, allowed=self._allowed, fixed=self._fixed)
        return await self._sessions.open(realtime.settings, realtime), realtime, False
