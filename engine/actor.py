"""Actors: what a pipeline is made of."""

import asyncio
from collections import deque
from collections.abc import Callable

from engine.frames import Frame, Output
from engine.inference import Priority

Emit = Callable[[Frame], None]


def nowhere(frame: Frame) -> None:
    """Where an actor emits to before a pipeline links it."""


class Actor:
    """Receives frames and emits frames without ever waiting: it is called directly.

    `emit` is the next actor's `receive`, `following` that actor itself; the pipeline sets both.
    """

    def __init__(self) -> None:
        self.emit: Emit = nowhere
        self.following: Actor | None = None

    def receive(self, frame: Frame) -> None:
        """Take one frame. What is not for this actor must be emitted on."""
        self.emit(frame)

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Begin; `failed` takes an exception that no caller could catch."""

    async def room(self) -> None:
        """Wait until this actor can take more, as a producer should before it emits more to it."""

    def prioritise(self, priority: Priority) -> None:
        """Give the agent's output that is being made here another place in the queues."""

    def interrupt(self) -> None:
        """Drop the agent's output that is being made here. The caller's audio stays."""

    def close(self) -> None:
        """Give back what is held. Nothing is received or emitted afterwards."""


class InboxFull(Exception):
    """An actor's inbox overflowed: its producer did not wait for room."""


class WaitingActor(Actor):
    """An actor whose work waits for others: one bounded inbox, one task.

    `receive` queues every frame; override it to let frames pass that need no waiting. `handle` does
    the work, one frame at a time and in order.
    """

    INBOX_FRAMES = 256
    """What an inbox holds at most."""

    ROOM_FRAMES = 128
    """How many may wait before a producer should."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox: deque[Frame] = deque()
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._room: asyncio.Event = asyncio.Event()
        self._handling: Frame | None = None
        self._failed: Callable[[BaseException], None] = _raise
        self._room.set()

    async def handle(self, frame: Frame) -> None:
        """Do the work of one frame."""
        self.emit(frame)

    def receive(self, frame: Frame) -> None:
        self.queue(frame)

    def queue(self, frame: Frame) -> None:
        """Put a frame into the inbox. Raises `InboxFull`."""
        if len(self._inbox) >= self.INBOX_FRAMES:
            raise InboxFull(f"{type(self).__name__} has {len(self._inbox)} frames waiting")
        self._inbox.append(frame)
        if len(self._inbox) > self.ROOM_FRAMES:
            self._room.clear()
        wake = self._wake
        if wake is not None:
            self._wake = None
            if not wake.done():
                wake.set_result(None)

    async def room(self) -> None:
        """Wait until few frames wait in the inbox."""
        await self._room.wait()

    def start(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._begin()

    def interrupt(self) -> None:
        """Cancel the handler of an output frame and drop the output that waits."""
        kept = [frame for frame in self._inbox if not isinstance(frame, Output)]
        self._inbox.clear()
        self._inbox.extend(kept)
        self._room.set()
        if isinstance(self._handling, Output):
            self._handling = None
            self._end()
            self._begin()

    def close(self) -> None:
        self._inbox.clear()
        self._end()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(
            self._run(), name=f"{type(self).__name__} actor"
        )
        self._task.add_done_callback(self._ended)

    def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        inbox = self._inbox
        task = self._task
        while True:
            while inbox:
                frame = inbox.popleft()
                if not self._room.is_set() and len(inbox) <= self.ROOM_FRAMES:
                    self._room.set()
                self._handling = frame
                await self.handle(frame)
                if self._task is not task:
                    return  # the handler itself led to the interrupt: another task goes on
                self._handling = None
            self._wake = loop.create_future()
            await self._wake


def _raise(error: BaseException) -> None:
    raise error
