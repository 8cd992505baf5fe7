"""The realtime protocol over a WebSocket, as an ASGI application without a framework.

The server's own limit on a message must be at least `wire.LARGEST_MESSAGE`; it closes with
1009 beyond it, and so does this loop.
"""

import asyncio
import logging

import msgspec

from engine.session import RequestError
from transports.handshake import POLICY, Refused, acceptance, deny, query_of, refuse, refuse_http
from transports.outbox import LIMIT_BYTES, STALL_S, Message, Outbox, Send
from transports.reading import Receive, converse
from transports.realtime import errors
from transports.realtime.connection import INTERNAL_ERROR, Realtime
from transports.visits import Visits

log = logging.getLogger(__name__)

SIDEBAND_BYTES = 8 * 1024 * 1024
"""What may wait to be read by a sideband: some of the largest events. It is dropped beyond that."""


class RealtimeSocket:
    """An ASGI application that serves `/v1/realtime`.

    Query: what `Visits.begin` takes; for a sideband `call_id`, the id of the session to join.
    """

    def __init__(
        self,
        visits: Visits,
        *,
        stall_s: float = STALL_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._visits = visits
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
        lease = self._visits.sessions.find(call_id)
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
        """Serve the session that is asked for."""
        try:
            visit = await self._visits.begin(query, outbox)
        except RequestError as error:
            outbox.put(msgspec.json.encode(errors.refused(error, None)).decode())
            outbox.close(POLICY, error.code)
            await outbox.task
            return
        await visit.stay(receive)
