"""A gateway's connection to one worker, made anew whenever its keeper has a new one."""

import asyncio
import contextlib
from collections.abc import Callable

from engine import wire
from engine.inference import InferenceError
from engine.process import connect
from engine.status import State, WorkerStatus

_AGAIN_S = 0.1  # the worker lives but refused or dropped us: it may have been too busy


class Link:
    """Satisfies `engine.pool.Replica` with a worker that a keeper keeps, here or elsewhere.

    Give what the keeper says to `follow`. `on_wanted` is called when a worker that is asleep is
    needed.
    """

    def __init__(self, name: str) -> None:
        self.on_message: Callable[[wire.FromWorker], None] = lambda message: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[InferenceError], None] = lambda error: None
        self.on_wanted: Callable[[], None] = lambda: None
        self.name = name
        self.state = State.STARTING
        self.error: InferenceError | None = None
        self.status = WorkerStatus(name)
        self._writer: asyncio.StreamWriter | None = None
        self._news = asyncio.Event()
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self, status: WorkerStatus) -> None:
        """Use the worker that `status` tells of."""
        told, self.status = self.status, status
        changes = ("state", "path", "error_code")
        if any(getattr(told, change) != getattr(status, change) for change in changes):
            self._news.set()

    async def start(self) -> None:
        """Begin to connect, and keep on connecting. Call once."""
        self._task = asyncio.create_task(self._keep(), name=f"link {self.name}")

    async def ready(self) -> None:
        """Wait for the connection; raises why there is none."""
        while self.state is State.STARTING:
            await self._change.wait()
        if self.error is not None:
            raise self.error
        if self.state is State.CLOSED:
            raise InferenceError("closed", f"the {self.name} worker was shut down")

    async def close(self) -> None:
        """Disconnect for good. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._become(State.CLOSED)

    def wake(self) -> None:
        """The worker is asleep, and somebody waits for it."""
        self.on_wanted()

    def send(self, message: wire.ToWorker) -> None:
        """Send, or drop it if the worker is gone: `on_down` follows. `WireError` if too large."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(wire.encode(message))

    async def _keep(self) -> None:
        while True:
            self._news.clear()
            status = self.status
            if status.state is State.READY:
                lost = await self._converse(status.path)
                self._down(self.status.error or lost)
                await self._news_within(_AGAIN_S)
                continue
            if status.error is not None:
                self._down(status.error)
            else:
                self.error = None
                self._become(status.state)
            await self._news.wait()

    async def _converse(self, path: str) -> InferenceError:
        """One connection's life; returns why it ended."""
        try:
            reader, self._writer, _ = await connect(self.name, path)
        except (OSError, wire.WireError) as failed:
            return self._lost(f"it cannot be reached: {failed}")
        except InferenceError as failed:
            return failed
        try:
            self.error = None
            self._become(State.READY)
            self.on_up()
            while (message := await wire.read_from_worker(reader)) is not None:
                self.on_message(message)
        except wire.WireError as broken:
            return self._lost(str(broken))
        except Exception as wrong:  # noqa: BLE001 - the next connection may do better
            return self._lost(f"{type(wrong).__name__} while it was listened to")
        finally:
            self._writer.close()
            self._writer = None
        return self._lost("it closed the connection")

    def _lost(self, reason: str) -> InferenceError:
        return InferenceError("worker_lost", f"the {self.name} worker was lost: {reason}")

    async def _news_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def _down(self, error: InferenceError) -> None:
        self.error = error
        self._become(State.FAILED)
        self.on_down(error)

    def _become(self, state: State) -> None:
        self.state = state
        self._change.set()
        self._change = asyncio.Event()
