"""The open realtime sockets, so that the server can wait for their goodbyes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Lines:
    """An ASGI application around another that knows how many connections are open."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._open = 0
        self._none = asyncio.Event()
        self._none.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._open += 1
        self._none.clear()
        try:
            await self._application(scope, receive, send)
        finally:
            self._open -= 1
            if not self._open:
                self._none.set()

    async def closed(self, within_s: float) -> bool:
        """Wait until all connections have ended; False if some are still open by then."""
        try:
            async with asyncio.timeout(within_s):
                await self._none.wait()
        except TimeoutError:
            return False
        return True
