"""Before every route: nobody gets past who was not let in."""

from collections.abc import Callable

import msgspec

from server.access.caller import AS, COOKIE_AS, HEADER, OURSELVES, Caller
from server.access.credentials import header
from server.access.denied import Denied, tell
from server.access.entrance import Entrance
from server.lines import Application
from transports.outbox import Message, Send
from transports.reading import Receive

STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

IsPublic = Callable[[Message], bool]
"""Whether what a connection asks for needs no key."""


class Guard:
    """An ASGI application around another: whoever asks for what is not public needs a key.

    What is known of it stands in the scope (`caller_of`); what it may do there, the route asks.
    """

    def __init__(self, application: Application, is_public: IsPublic, entrance: Entrance) -> None:
        self._application = application
        self._is_public = is_public
        self._entrance = entrance

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_public(scope):
            await self._application(scope, receive, send)
            return
        try:
            entered = await self._entrance.enter(scope)
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        scope[AS], scope[COOKIE_AS] = entered.caller, entered.cookie
        told = entered.told
        await self._application(scope, receive, saying(told, send) if told else send)


class Trusted:
    """An ASGI application around another for who comes over a private socket: this server's own
    processes, which say for whom they ask.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            told = header(scope, HEADER.encode())
            scope[AS] = msgspec.json.decode(told, type=Caller) if told else OURSELVES
        await self._application(scope, receive, send)


def saying(told: dict[str, str], send: Send) -> Send:
    """Sends, with more headers."""
    more = [(name.encode(), value.encode()) for name, value in told.items()]

    async def sending(message: Message) -> None:
        if message["type"] in STARTS:
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending
