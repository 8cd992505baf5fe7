"""The realtime sockets of a gateway, each for what its caller may do and see."""

import asyncio
import contextlib
from collections.abc import Collection

from server.access.authority import require
from server.access.caller import Caller, Scope, caller_of
from server.access.denied import Denied, tell
from server.sessions import SessionRegistry
from transports.handshake import POLICY, query_of
from transports.outbox import Message, Send
from transports.reading import Receive
from transports.websocket import RealtimeSocket

REVOKED = "key_revoked"

GOODBYE_S = 2.0
"""For a session that ends because its key was revoked to say so; what is open then is closed."""


class Sockets:
    """An ASGI application: each connection reaches the sessions of its caller's account.

    A sideband needs the scope `sessions`, anything else `realtime`.
    """

    def __init__(self, sessions: SessionRegistry) -> None:
        self._sessions = sessions
        self._open: set[Socket] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        needed: Scope = "sessions" if "call_id" in query_of(scope) else "realtime"
        try:
            require(caller, needed)
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        socket = Socket(caller)
        self._open.add(socket)
        try:
            own = RealtimeSocket(self._sessions.of(caller), preset=caller.session)
            await socket.serve(own, scope, receive, send)
        finally:
            self._open.discard(socket)

    def keys(self) -> set[str]:
        """The keys, by their ids, that open sessions began with or open sockets came with."""
        shown = {key for s in self._open if (key := s.caller.key_id) is not None}
        return self._sessions.keys() | shown

    def revoke(self, key_ids: Collection[str]) -> None:
        """End the sessions that began with these keys, and whatever else they have open: the
        sidebands, and the sockets of who came back to another key's session.
        """
        self._sessions.revoke(key_ids)
        for socket in self._open:
            if socket.caller.key_id in key_ids:
                asyncio.get_running_loop().call_later(GOODBYE_S, socket.close)


class Socket:
    """One connection."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def serve(
        self, application: RealtimeSocket, scope: Message, receive: Receive, send: Send
    ) -> None:
        """Serve it until it ends, or is closed."""
        self._task = asyncio.current_task()
        try:
            await application(scope, receive, send)
        except asyncio.CancelledError:
            if not self._closed or self._task is None:
                raise
            self._task.uncancel()
            with contextlib.suppress(Exception):  # the client may be gone
                await send({"type": "websocket.close", "code": POLICY, "reason": REVOKED})
        finally:
            self._task = None

    def close(self) -> None:
        """End it now, if it has not ended."""
        if self._task is not None:
            self._closed = True
            self._task.cancel()
