"""A worker that is kept alive: started, watched and, when it dies, started again."""

import asyncio
import enum
from collections.abc import Callable

from engine import wire
from engine.inference import InferenceError
from engine.process import WorkerCommand, WorkerProcess, start_worker

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 10.0
HEALTHY_S = 30.0
"""A worker that lived this long did not die of its start: the next one follows at once."""


class State(enum.StrEnum):
    """Where a replica stands."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # it died or could not start, and will be tried again
    CLOSED = "closed"


class Backoff:
    """How long to wait before the next start: 0.1 s, doubled each time up to 10 s."""

    def __init__(self) -> None:
        self._next_s = FIRST_BACKOFF_S

    def after(self, lived_s: float) -> float:
        """The pause, in s, after a worker that was ready for `lived_s` (0: never)."""
        if lived_s >= HEALTHY_S:
            self._next_s = FIRST_BACKOFF_S
        pause, self._next_s = self._next_s, min(self._next_s * 2, LONGEST_BACKOFF_S)
        return pause


class Replica:
    """One place in a pool, and the worker processes that fill it, one after the other.

    Set before `start`: `on_up` is called when a worker is ready, `on_down` with the error when it
    is lost or could not start, `on_message` with what it says between the two.
    """

    def __init__(self, name: str, command: WorkerCommand) -> None:
        self.name = name
        self.on_message: Callable[[wire.FromWorker], None] = lambda message: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[InferenceError], None] = lambda error: None
        self.state = State.STARTING
        self.error: InferenceError | None = None
        self.restarts = 0
        self.worker: WorkerProcess | None = None
        self._command = command
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep a worker alive. Call once."""
        self._task = asyncio.create_task(self._keep(), name=f"replica {self.name}")

    async def ready(self) -> None:
        """Wait for the start in progress; raises why the last one failed."""
        while self.state is State.STARTING:
            await self._changed.wait()
        if self.error is not None:
            raise self.error
        if self.state is State.CLOSED:
            raise InferenceError("closed", f"the {self.name} worker was shut down")

    async def up(self) -> None:
        """Wait for a worker, through restarts. Raises when none will come: closed, or no model."""
        while self.state is not State.READY:
            hopeless = self.error is not None and self.error.code == "model_missing"
            if self.state is State.CLOSED or hopeless:
                await self.ready()
            await self._changed.wait()

    async def close(self) -> None:
        """Stop the worker and keep it stopped. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._become(State.CLOSED)

    def send(self, message: wire.ToWorker) -> None:
        """Send to the worker, if there is one."""
        if self.worker is not None:
            self.worker.send(message)

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            lived_s = await self._live()
            await asyncio.sleep(backoff.after(lived_s))
            self.restarts += 1

    async def _live(self) -> float:
        """One worker's life; returns how long it was ready, in s."""
        loop = asyncio.get_running_loop()
        try:
            self.worker = await start_worker(self.name, self._command)
        except (InferenceError, OSError, wire.WireError) as failed:
            self._down(_as_inference_error(self.name, failed))
            return 0.0
        ready_at = loop.time()
        self.error = None
        self._become(State.READY)
        self.on_up()
        try:
            reason = await self.worker.serve(self.on_message)
        except Exception as wrong:  # noqa: BLE001 - whatever it was, the next worker may do better
            reason = f"{type(wrong).__name__} while it was listened to"
        finally:
            self.worker = None
        self._down(InferenceError("worker_lost", f"the {self.name} worker was lost: {reason}"))
        return loop.time() - ready_at

    def _down(self, error: InferenceError) -> None:
        self.error = error
        self._become(State.FAILED)
        self.on_down(error)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed.set()
        self._changed = asyncio.Event()


def _as_inference_error(name: str, failed: Exception) -> InferenceError:
    if isinstance(failed, InferenceError):
        return failed
    return InferenceError("worker_died", f"the {name} worker could not be started: {failed}")
