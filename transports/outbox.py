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

ROOM_BYTES = 1024 * 1024
"""A client that is further behind is not listened to until it has read: what it asks for would only
make it worse."""

LIMIT_BYTES = 64 * 1024 * 1024
"""More than one event, or the return to a long conversation, can have to say."""


class Outbox:
    """A bounded buffer in front of a socket, with one task that empties it.

    Events put between two runs of the task are written together, so that the event loop hands them
    to the kernel in one call. `acceptance`, the handshake's end, goes out ahead of the first of
    them. `stalled` says that the client stopped reading: the outbox has then dropped everything,
    and its task has ended. `lost` says that the socket was gone when it was written to; the reading
    side learns why.
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
        self._stall_s = stall_s
        self._limit_bytes = limit_bytes
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._moved_at = 0.0
        self._close: tuple[int, str] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.accepted = False
        self.stalled = False
        self.lost = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.task = self._loop.create_task(self._run())

    def put(self, text: str) -> None:
        """Queue one message. Dropped after `close` or once stalled."""
        if self.stalled or self._close is not None:
            return
        if not self._bytes:
            self._moved_at = self._loop.time()
        self._waiting.append(text)
        self._bytes += len(text)
        if self._bytes > ROOM_BYTES:
            self._room.clear()
        if self._bytes > self._limit_bytes:
            self._stall()
            return
        if self._watch is None:
            self._watch = self._loop.call_later(self._stall_s, self._look)
        self._wake.set()

    async def room(self) -> None:
        """Wait until the client has read most of what it was sent."""
        await self._room.wait()

    def close(self, code: int, reason: str) -> None:
        """Close the socket once everything is written, waiting at most the stall time for that."""
        if self.stalled or self._close is not None:
            return
        self._close = code, reason
        self._wake.set()
        self._loop.call_later(self._stall_s, self.task.cancel)

    def _look(self) -> None:
        """See whether anything was written lately, as long as anything waits."""
        self._watch = None
        if not self._bytes:
            return
        left_s = self._moved_at + self._stall_s - self._loop.time()
        if left_s <= 0:
            self._stall()
        else:
            self._watch = self._loop.call_later(left_s, self._look)

    def _stall(self) -> None:
        self.stalled = True
        self._waiting.clear()
        self.task.cancel()

    async def _run(self) -> None:
        try:
            await self._write()
        except (OSError, RuntimeError):
            # What ASGI raises for a socket that is gone, and uvicorn for one that it is closing.
            self.lost = True
        finally:
            self._room.set()
            if self._watch is not None:
                self._watch.cancel()

    async def _write(self) -> None:
        await self._wake.wait()
        self.accepted = True
        await self._send(self._acceptance)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                text = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._bytes -= len(text)
                self._moved_at = self._loop.time()
                if self._bytes <= ROOM_BYTES:
                    self._room.set()
            if self._close is not None:
                code, reason = self._close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
