"""The realtime sockets of a gateway, each for what its caller may do and see."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

from server.access.address import address_of
from server.access.authority import require
from server.access.caller import Caller, Scope, caller_of
from server.access.denied import RETRY_DATABASE_S, Denied, retry, tell
from server.agents.answering import Agents, Answering
from server.agents.incoming import Arrival, Unanswered
from server.lines import Application
from server.sessions import SessionRegistry
from storage.errors import Missing, StorageError
from transports.handshake import POLICY, query_of
from transports.outbox import Message, Send
from transports.reading import Receive
from transports.realtime.wire import JsonObject
from transports.visits import Visits
from transports.webrtc.calls import Calls
from transports.websocket import RealtimeSocket

Scoped = MutableMapping[str, Any]
"""ASGI's scope."""

REVOKED = "key_revoked"

OWN_QUERY = ("agent", "model", "intent")
"""What this server knows of a query: the rest is for an agent's incoming webhook."""

RETRY_INCOMING_S = 5

GOODBYE_S = 2.0
"""For a session that ends because its key was revoked to say so; what is open then is closed."""


class Sockets:
    """An ASGI application: each connection reaches the sessions of its caller's account.

    A sideband needs the scope `sessions`, anything else `realtime`. `?agent=` says who answers, or
    the session of a client secret.
    """

    def __init__(
        self,
        sessions: SessionRegistry,
        agents: Agents | None = None,
        calls: Calls | None = None,
    ) -> None:
        self._sessions = sessions
        self._agents = agents
        self._calls = calls
        self._open: set[Socket | Held] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        query = query_of(scope)
        needed: Scope = "sessions" if "call_id" in query else "realtime"
        try:
            require(caller, needed)
            answering = await self._answering(caller, query, scope, "websocket")
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        socket = RealtimeSocket(self._visits(caller, answering, "websocket"))
        await self.held(socket)(scope, receive, send)

    async def call(
        self, scope: Scoped, offer: str, query: dict[str, str], session: JsonObject | None
    ) -> tuple[str, str]:
        """Answer a browser's offer: the answer as SDP, and the session's id. See
        `Visits.begin` for `query` and `session`. Raises `Denied`, `RequestError`, `Refused`.
        """
        assert self._calls is not None
        caller = caller_of(scope)
        answering = await self._answering(caller, query, scope, "webrtc")
        visits = self._visits(caller, answering, "webrtc")
        who = caller.key_id or ""
        answer, session_id, task = await self._calls.begin(offer, visits, query, session, who=who)
        held = Held(caller, task)
        self._open.add(held)
        task.add_done_callback(lambda _: self._open.discard(held))
        return answer, session_id

    def held(self, application: Application) -> Application:
        """An ASGI application for WebSockets whose connections end when their keys are revoked."""

        async def serving(scope: Message, receive: Receive, send: Send) -> None:
            socket = Socket(caller_of(scope))
            self._open.add(socket)
            try:
                await socket.serve(application, scope, receive, send)
            finally:
                self._open.discard(socket)

        return serving

    async def _answering(
        self, caller: Caller, query: Mapping[str, str], scope: Scoped, way: str
    ) -> Answering | None:
        """Who answers in the session that is to begin, if it is an agent. Raises `Denied`."""
        if "call_id" in query or query.get("session_id"):
            return None  # it has begun
        named = query.get("agent")
        if caller.session is not None:  # whoever has only a secret does not choose
            named = (caller.session.get("voiceforge") or {}).get("agent")
        if not named:
            return None
        try:
            if self._agents is not None:
                return await self._agents.arriving(
                    caller, arrival(caller, named, query, scope, way)
                )
        except Missing:
            pass
        except Unanswered as error:
            raise retry(503, "agent_unavailable", str(error), RETRY_INCOMING_S) from None
        except StorageError:
            text = "the agent cannot be looked up: the database does not answer"
            raise retry(503, "database_unavailable", text, RETRY_DATABASE_S) from None
        raise Denied(404, "agent_not_found", f"there is no agent {named[:64]!r}")

    def _visits(self, caller: Caller, answering: Answering | None, way: str) -> Visits:
        own = self._sessions.of(caller, answering, way)
        given = [caller.session] if caller.session else []
        if answering is None:
            return Visits(own, presets=given)
        return Visits(
            own,
            presets=[*answering.presets, *given],
            allowed=answering.allowed,
            fixed=variables_of([*answering.given, *given]),
            agent=answering.agent.id,
        )

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


def variables_of(presets: Sequence[Mapping[str, Any]]) -> set[str]:
    """The names of those that somebody's server has given a value. Tools send them on as the truth:
    no client changes that.
    """
    blocks = [preset.get("voiceforge") or {} for preset in presets]
    return {name for block in blocks for name in block.get("variables") or {}}


def arrival(
    caller: Caller, named: str, query: Mapping[str, str], scope: Scoped, way: str
) -> Arrival:
    """What an agent's incoming webhook is told."""
    return Arrival(
        named,
        caller.account_id,
        caller.key_id,
        way,
        address_of(scope),
        {name: value for name, value in query.items() if name not in OWN_QUERY},
    )


class Held:
    """A call, which ends when its key is revoked."""

    def __init__(self, caller: Caller, task: "asyncio.Task[None]") -> None:
        self.caller = caller
        self._task = task

    def close(self) -> None:
        """End it now, if it has not ended."""
        self._task.cancel()


class Socket:
    """One connection."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def serve(
        self, application: Application, scope: Message, receive: Receive, send: Send
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
