"""Pages of other origins: what their browsers ask for before they let a script call us (CORS).

Only calls are for such pages, with the client secret that their own server gave them. They are told
that any origin may; which may with its key, the key says (`server.access.guard`). A cookie is never
sent along: `*` forbids that.
"""

from server.access.credentials import header
from server.access.guard import saying
from server.lines import Application
from transports.outbox import Message, Send
from transports.reading import Receive

OPEN = frozenset({"/v1/realtime/calls", "/v1/realtime/ice_servers"})

ANYBODY = {"access-control-allow-origin": "*", "access-control-expose-headers": "location"}

PREFLIGHT = {
    **ANYBODY,
    "access-control-allow-methods": "GET, POST",
    # Clients have headers of their own, as npm's @openai/agents; `*` is all but the first.
    "access-control-allow-headers": "authorization, content-type, *",
    "access-control-max-age": "7200",
}


class Crossing:
    """An ASGI application around another: answers what browsers ask beforehand."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in OPEN or not header(scope, b"origin"):
            await self._application(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            headers = [(name.encode(), value.encode()) for name, value in PREFLIGHT.items()]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._application(scope, receive, saying(ANYBODY, send))
