"""What waits to be written to one WebSocket, and when a client counts as no longer reading."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

Send = Callable[[Message], Awaitable[None]]
"""ASGI's `send`. It waits while the socket's own buffer is full."""

STALL_S = 10.0
"""Nothing could be written for this long: the client has stopped reading."""

LIMIT_BYTES = 4 * 1024 * 1024
"""A minute of 24 kHz speech in base64: who is that far behind will not catch up."""


class Outbox:
    """A bounded buffer in front of a socket, with one task that empties it.

    Events put between two runs of the task are written together, so that the event loop hands them
    to the kernel in one call. `acceptance`, the handshake's end, goes out ahead of the first of
    them. `on_stalled` is called once, from the loop, if the client stops reading; the outbox has
    then dropped everything and writes no more. `lost` says that the socket was gone when it was
    written to; the reading side learns why.
    """

    def __init__(
        self,
        send: Send,
        acceptance: Message,
        *,
        stall_s: float = STALL_S,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._send = send
        self._acceptance = acceptance
        self.on_stalled: Callable[[], None] = lambda: None
        self._stall_s = stall_s
        self._limit_bytes = limit_bytes
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._moved_at = 0.0
        self._close: tuple[int, str] | None = None
        self._stalled = False
        self.lost = False
        self._wake = asyncio.Event()
        self.task = self._loop.create_task(self._run())

    def put(self, text: str) -> None:
        """Queue one message. Dropped after `close` or once stalled."""
        if self._stalled or self._close is not None:
            return
        now = self._loop.time()
        if not self._bytes:
            self._moved_at = now
        self._waiting.append(text)
        self._bytes += len(text)
        if self._bytes > self._limit_bytes or now - self._moved_at > self._stall_s:
            self._stall()
        else:
            self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Close the socket once everything is written, waiting at most the stall time for that."""
        if self._stalled or self._close is not None:
            return
        self._close = code, reason
        self._wake.set()
        self._loop.call_later(self._stall_s, self.task.cancel)

    def _stall(self) -> None:
        """Write no more. `put` is called from within the session, so it is told a moment later."""
        self._stalled = True
        self._waiting.clear()
        self.task.cancel()
        self._loop.call_soon(self.on_stalled)

    async def _run(self) -> None:
        try:
            await self._write()
        except OSError:  # what ASGI raises for a socket that is gone
            self.lost = True

    async def _write(self) -> None:
        await self._wake.wait()
        await self._send(self._acceptance)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                text = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._bytes -= len(text)
                self._moved_at = self._loop.time()
            if self._close is not None:
                code, reason = self._close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
