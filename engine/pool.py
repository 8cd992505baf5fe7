"""The gateway's side of a shared model: requests, and the workers that they are sent to."""

import asyncio
import itertools
from typing import Generic, TypeVar

import msgspec

from engine import wire
from engine.inference import InferenceError, Priority
from engine.process import WorkerCommand
from engine.replica import Replica, State
from engine.results import Results

P = TypeVar("P")
R = TypeVar("R")

MOST_IN_FLIGHT = 512
"""More than a machine can serve in time: what comes on top is refused at once."""

_RESTART_S = 3.0
"""How long a request waits for a worker at least. Deadlines order the queue, and are 150-300 ms for
a caller who waits; a worker that died needs longer to load its model, and late speech is worth more
than none."""

_MOST_ATTEMPTS = 2  # a request that was there at two deaths may be what kills


class PoolStatus(msgspec.Struct, frozen=True):
    """What /readyz and the metrics say of a pool.

    `queued` is what the worker last said (every 2 s); `in_flight` counts every open request.
    """

    name: str
    state: State
    in_flight: int
    queued: int
    restarts: int
    error_code: str | None
    error_message: str | None


class _Work(Generic[R]):
    """One open request, as the pool holds it until it is done."""

    def __init__(self, ident: int, priority: Priority, deadline: float, payload: bytes) -> None:
        self.id = ident
        self.priority = priority
        self.deadline = deadline
        self.payload = payload
        self.attempts = 0
        self.results: Results[R] = Results()
        self.compute_ms = 0.0
        self.expiry: asyncio.TimerHandle | None = None

    def end(self, error: InferenceError | None) -> None:
        self.results.end(error)
        self.payload = b""
        self.keep_waiting()

    def keep_waiting(self) -> None:
        """Forget when to give up, if that was arranged."""
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None


class PoolRequest(Generic[P, R]):
    """A request to a pool, as `engine.inference.Request`. Dropping it cancels it."""

    def __init__(self, pool: "Pool[P, R]", work: _Work[R]) -> None:
        self._pool = pool
        self._work = work

    @property
    def compute_ms(self) -> float:
        """Known once the work has ended, a cancelled one's when the worker has stopped it."""
        return self._work.compute_ms

    def __aiter__(self) -> "PoolRequest[P, R]":
        return self

    async def __anext__(self) -> R:
        return await self._work.results.next()

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._pool._promote(self._work, priority, deadline_ms)

    def cancel(self) -> None:
        self._pool._cancel(self._work)

    def __del__(self) -> None:
        if not self._work.results.ended:
            self._pool._cancel_from_anywhere(self._work)


class Pool(Generic[P, R]):
    """Satisfies `engine.inference.Inference` with a worker process of its own.

    A worker that dies is started again. What had no result yet is sent to the next one, unless that
    takes until its deadline and longer than 3 s; what had some fails with `worker_lost`.
    """

    def __init__(
        self,
        name: str,
        command: WorkerCommand,
        result_type: type[R],
        *,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        self.name = name
        self._decoder = msgspec.msgpack.Decoder(result_type)
        self._most_in_flight = most_in_flight
        self._open: dict[int, _Work[R]] = {}
        self._cancelled: dict[int, _Work[R]] = {}
        self._ids = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._replica = Replica(
            name, command, on_message=self._receive, on_up=self._up, on_down=self._down
        )

    async def start(self) -> None:
        """Begin to start the worker; `ready` waits for it. Requests may be made at once."""
        self._replica.start()

    async def ready(self) -> None:
        """Wait for the model. Raises `InferenceError` with the reason when it cannot be loaded."""
        await self._replica.ready()

    async def close(self) -> None:
        """Stop the worker; open requests fail with `closed`. Idempotent."""
        await self._replica.close()
        self._fail_all(InferenceError("closed", f"the {self.name} worker was shut down"))

    @property
    def state(self) -> PoolStatus:
        replica = self._replica
        worker, error = replica.worker, replica.error
        return PoolStatus(
            name=self.name,
            state=replica.state,
            in_flight=self._in_flight(),
            queued=worker.queued if worker else 0,
            restarts=replica.restarts,
            error_code=error.code if error else None,
            error_message=str(error) if error else None,
        )

    @property
    def pid(self) -> int | None:
        """The worker's process ident, while there is one."""
        return self._replica.worker.pid if self._replica.worker else None

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> PoolRequest[P, R]:
        """As `Inference.request`. What is wrong with it is raised by the iteration."""
        deadline = self._loop.time() + deadline_ms / 1000
        encoded = msgspec.msgpack.encode(payload)
        work: _Work[R] = _Work(next(self._ids), priority, deadline, encoded)
        refusal = self._refusal(len(encoded))
        if refusal is not None:
            work.end(refusal)
        else:
            self._open[work.id] = work
            self._send_or_wait(work)
        return PoolRequest(self, work)

    def _refusal(self, size: int) -> InferenceError | None:
        if self._replica.state is State.CLOSED:
            return InferenceError("closed", f"the {self.name} worker was shut down")
        if self._in_flight() >= self._most_in_flight:
            return InferenceError(
                "overloaded",
                f"{self._in_flight()} {self.name} requests are open, the most this machine takes: "
                "try again later",
            )
        if size > wire.MAX_MESSAGE_BYTES - 1024:
            return InferenceError(
                "too_large",
                f"{size} bytes are over the limit of {wire.MAX_MESSAGE_BYTES - 1024} for one "
                f"{self.name} request: send it in smaller pieces",
            )
        error = self._replica.error
        return error if error is not None and error.code == "model_missing" else None

    # ---- what the worker says ----------------------------------------------------------------

    def _receive(self, message: wire.FromWorker) -> None:
        match message:
            case wire.Result(ident, payload) if ident in self._open:
                self._add(self._open[ident], payload)
            case wire.Done(ident, compute_ms) if ident in self._open:
                self._end(self._open[ident], None, compute_ms)
            case wire.Failed(ident, code, text, compute_ms) if ident in self._open:
                self._end(self._open[ident], InferenceError(code, text), compute_ms)
            case wire.Done(ident, compute_ms) | wire.Failed(ident, _, _, compute_ms):
                if ident in self._cancelled:
                    self._cancelled.pop(ident).compute_ms += compute_ms
            case _:
                pass  # a late result of what was cancelled

    def _up(self) -> None:
        for work in self._open.values():
            self._send_or_wait(work)

    def _add(self, work: _Work[R], payload: bytes) -> None:
        try:
            work.results.add(self._decoder.decode(payload))
        except ValueError as wrong:
            text = f"the {self.name} worker's result: {wrong}"
            self._end(work, InferenceError("bad_result", text))
            self._replica.send(wire.Cancel(work.id))

    def _down(self, error: InferenceError) -> None:
        self._cancelled.clear()
        if error.code == "model_missing":
            self._fail_all(error)
        for work in list(self._open.values()):
            if work.results.begun or work.attempts >= _MOST_ATTEMPTS:
                self._end(work, error)
            else:
                self._send_or_wait(work)

    def _in_flight(self) -> int:
        return len(self._open) + len(self._cancelled)

    # ---- requests ----------------------------------------------------------------------------

    def _send_or_wait(self, work: _Work[R]) -> None:
        """Send it, or while there is no worker arrange when to give up."""
        if self._replica.state is State.READY:
            work.keep_waiting()
            work.attempts += 1
            remaining_ms = (work.deadline - self._loop.time()) * 1000
            self._replica.send(wire.Ask(work.id, work.priority, remaining_ms, work.payload))
        elif work.expiry is None:
            give_up_at = max(work.deadline, self._loop.time() + _RESTART_S)
            work.expiry = self._loop.call_at(give_up_at, self._expire, work)

    def _expire(self, work: _Work[R]) -> None:
        why = self._replica.error
        code = why.code if why else "worker_starting"
        reason = str(why) if why else f"the {self.name} worker is still loading its model"
        self._end(work, InferenceError(code, f"{reason}; none came up in time"))

    def _end(self, work: _Work[R], error: InferenceError | None, compute_ms: float = 0.0) -> None:
        self._open.pop(work.id, None)
        work.compute_ms += compute_ms
        work.end(error)

    def _fail_all(self, error: InferenceError) -> None:
        for work in list(self._open.values()):
            self._end(work, error)

    def _promote(self, work: _Work[R], priority: Priority, deadline_ms: int) -> None:
        if work.results.ended:
            return
        work.priority = priority
        work.deadline = self._loop.time() + deadline_ms / 1000
        self._replica.send(wire.Promote(work.id, priority, deadline_ms))
        if work.expiry is not None:
            work.keep_waiting()
            self._send_or_wait(work)

    def _cancel(self, work: _Work[R]) -> None:
        running = not work.results.ended
        work.results.drop()
        if not running:
            return
        self._end(work, None)
        if self._replica.state is State.READY:
            self._cancelled[work.id] = work
            self._replica.send(wire.Cancel(work.id))

    def _cancel_from_anywhere(self, work: _Work[R]) -> None:
        """Garbage is collected in any thread, and after the loop has gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, work)
