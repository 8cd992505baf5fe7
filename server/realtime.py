"""The realtime socket, for what its caller may do and see."""

from urllib.parse import parse_qs

from server.access.authority import require
from server.access.caller import Scope, caller_of
from server.access.denied import Denied, tell
from server.lines import Application
from server.sessions import SessionRegistry
from transports.outbox import Message, Send
from transports.reading import Receive
from transports.websocket import RealtimeSocket


def own_sessions(sessions: SessionRegistry) -> Application:
    """An ASGI application: each connection reaches the sessions of its caller's account.

    A sideband needs the scope `sessions`, anything else `realtime`.
    """

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        query = parse_qs(scope.get("query_string", b"").decode(errors="replace"))
        needed: Scope = "sessions" if "call_id" in query else "realtime"
        try:
            require(caller, needed)
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        await RealtimeSocket(sessions.of(caller), preset=caller.session)(scope, receive, send)

    return serve
