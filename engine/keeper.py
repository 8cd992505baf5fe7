"""A worker that is kept alive: started, watched and, when it dies, started again."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from engine import wire
from engine.inference import InferenceError
from engine.load import Load
from engine.process import WorkerCommand, WorkerProcess, start_worker
from engine.status import State, WorkerStatus

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 10.0
HEALTHY_S = 30.0
"""A worker that lived this long did not die of its start: the next one follows at once."""


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


class Keeper:
    """One place for a worker, and the processes that fill it, one after the other.

    Their sockets lie in `folder`, which only we may enter. `changed` is called with every new
    `status`; set it before `start`. One that is `asleep` is started by `wake`.
    """

    def __init__(
        self, name: str, command: WorkerCommand, folder: Path, *, asleep: bool = False
    ) -> None:
        state = State.ASLEEP if asleep else State.STARTING
        self.status = WorkerStatus(name, state, model=command.model)
        self.changed: Callable[[WorkerStatus], None] = lambda status: None
        self._command = command
        self._folder = folder
        self._numbers = itertools.count()
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep a worker alive, unless it is to sleep."""
        if self.status.state is not State.ASLEEP:
            self.wake()

    def wake(self) -> None:
        """Load the model that is asleep. Idempotent."""
        if self._task is None and self.status.state is not State.CLOSED:
            self._tell(state=State.STARTING)
            self._task = asyncio.create_task(self._keep(), name=f"keeper {self.status.name}")

    async def sleep(self) -> None:
        """Unload the model until it is woken."""
        await self._end()
        self._tell(state=State.ASLEEP, path="", pid=0, node="", resident_bytes=0, load=Load())

    async def ready(self) -> None:
        """Wait for the start in progress; raises why the last one failed."""
        while self.status.state is State.STARTING:
            await self._change.wait()
        if self.status.error is not None:
            raise self.status.error
        if self.status.state is State.CLOSED:
            raise InferenceError("closed", f"the {self.status.name} worker was shut down")

    async def close(self) -> None:
        """Stop the worker and keep it stopped. Idempotent."""
        await self._end()
        self._tell(state=State.CLOSED)

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            lived_s = await self._live()
            await asyncio.sleep(backoff.after(lived_s))
            self._tell(restarts=self.status.restarts + 1)

    async def _live(self) -> float:
        """One worker's life; returns how long it was ready, in s."""
        loop = asyncio.get_running_loop()
        name = self.status.name
        path = self._folder / f"{name}-{next(self._numbers)}"
        try:
            worker = await start_worker(name, self._command, str(path))
        except (InferenceError, OSError, wire.WireError) as failed:
            self._down(_as_inference_error(name, failed))
            return 0.0
        ready_at = loop.time()
        self._up(str(path), worker)
        try:
            reason = await worker.watch(lambda load: self._told(worker, load))
        except Exception as wrong:  # noqa: BLE001 - whatever it was, the next worker may do better
            reason = f"{type(wrong).__name__} while it was watched"
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
        self._down(InferenceError("worker_lost", f"the {name} worker was lost: {reason}"))
        return loop.time() - ready_at

    def _up(self, path: str, worker: WorkerProcess) -> None:
        self._tell(
            state=State.READY,
            path=path,
            pid=worker.pid,
            node=worker.node,
            resident_bytes=worker.resident_bytes,
            error_code="",
            error_message="",
        )

    def _told(self, worker: WorkerProcess, load: Load) -> None:
        self._tell(resident_bytes=worker.resident_bytes, load=load)

    def _down(self, error: InferenceError) -> None:
        self._tell(
            state=State.FAILED,
            path="",
            pid=0,
            node="",
            resident_bytes=0,
            load=Load(),
            error_code=error.code,
            error_message=str(error),
        )

    def _tell(self, **news: object) -> None:
        self.status = replace(self.status, **news)
        self._change.set()
        self._change = asyncio.Event()
        self.changed(self.status)


def _as_inference_error(name: str, failed: Exception) -> InferenceError:
    if isinstance(failed, InferenceError):
        return failed
    return InferenceError("worker_died", f"the {name} worker could not be started: {failed}")
