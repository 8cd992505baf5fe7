"""The gateway's side of a shared model: requests, and the workers that they are sent to."""

import asyncio
import itertools
from functools import partial
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

    `state` is that of the replica that is best off, `up` counts those that serve. `queued` is what
    the workers last said (every 2 s); `in_flight` counts every open request.
    """

    name: str
    state: State
    up: int
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
        self.replica: Replica | None = None  # that it was sent to
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
    """Satisfies `engine.inference.Inference` with worker processes of its own, all alike.

    A request goes to the replica that has the fewest open. A worker that dies is started again.
    What had no result yet is sent to another replica, or to the next worker unless that takes until
    its deadline and longer than 3 s; what had some fails with `worker_lost`.
    """

    def __init__(
        self,
        name: str,
        command: WorkerCommand,
        result_type: type[R],
        *,
        replicas: int = 1,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        self.name = name
        self._decoder = msgspec.msgpack.Decoder(result_type)
        self._most_in_flight = most_in_flight
        self._waiting: dict[int, _Work[R]] = {}
        self._sent: dict[Replica, dict[int, _Work[R]]] = {}  # until the worker is done with it
        self._ids = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        for _ in range(replicas):
            replica = Replica(name, command)
            replica.on_up = self._up
            replica.on_message = partial(self._receive, replica)
            replica.on_down = partial(self._down, replica)
            self._sent[replica] = {}

    async def start(self) -> None:
        """Begin to start the workers; `ready` waits for them. Requests may be made at once."""
        for replica in self._sent:
            replica.start()

    async def ready(self) -> None:
        """Wait for the model. Raises `InferenceError` with the reason when it cannot be loaded."""
        await asyncio.gather(*(replica.ready() for replica in self._sent))

    async def close(self) -> None:
        """Stop the workers; open requests fail with `closed`. Idempotent."""
        await asyncio.gather(*(replica.close() for replica in self._sent))
        self._fail_all(self._closed())

    @property
    def state(self) -> PoolStatus:
        best = min(self._sent, key=lambda replica: _BEST_FIRST.index(replica.state))
        error = next((replica.error for replica in self._sent if replica.error is not None), None)
        return PoolStatus(
            name=self.name,
            state=best.state,
            up=sum(replica.state is State.READY for replica in self._sent),
            in_flight=self._in_flight(),
            queued=sum(r.worker.queued for r in self._sent if r.worker is not None),
            restarts=sum(replica.restarts for replica in self._sent),
            error_code=error.code if error else None,
            error_message=str(error) if error else None,
        )

    @property
    def pids(self) -> list[int]:
        """The process idents of the workers that there are."""
        return [replica.worker.pid for replica in self._sent if replica.worker is not None]

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> PoolRequest[P, R]:
        """As `Inference.request`. What is wrong with it is raised by the iteration."""
        deadline = self._loop.time() + deadline_ms / 1000
        encoded = msgspec.msgpack.encode(payload)
        work: _Work[R] = _Work(next(self._ids), priority, deadline, encoded)
        refusal = self._refusal(len(encoded))
        if refusal is not None:
            work.end(refusal)
        else:
            self._send_or_wait(work)
        return PoolRequest(self, work)

    def _refusal(self, size: int) -> InferenceError | None:
        if all(replica.state is State.CLOSED for replica in self._sent):
            return self._closed()
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
        return self._hopeless()

    def _hopeless(self) -> InferenceError | None:
        """Why no replica will serve before somebody does something about it."""
        if any(replica.state in (State.READY, State.STARTING) for replica in self._sent):
            return None
        errors = [replica.error for replica in self._sent]
        return next((e for e in errors if e is not None and e.code == "model_missing"), None)

    def _closed(self) -> InferenceError:
        return InferenceError("closed", f"the {self.name} worker was shut down")

    # ---- what the workers say ----------------------------------------------------------------

    def _receive(self, replica: Replica, message: wire.FromWorker) -> None:
        sent = self._sent[replica]
        match message:
            case wire.Result(ident, payload) if ident in sent:
                self._add(replica, sent[ident], payload)
            case wire.Done(ident, compute_ms) if ident in sent:
                self._end(sent.pop(ident), None, compute_ms)
            case wire.Failed(ident, code, text, compute_ms) if ident in sent:
                self._end(sent.pop(ident), InferenceError(code, text), compute_ms)
            case _:
                pass  # of no request that is still open

    def _add(self, replica: Replica, work: _Work[R], payload: bytes) -> None:
        if work.results.ended:
            return  # it was cancelled, and the worker did not know yet
        try:
            work.results.add(self._decoder.decode(payload))
        except ValueError as wrong:
            work.end(InferenceError("bad_result", f"the {self.name} worker's result: {wrong}"))
            replica.send(wire.Cancel(work.id))

    def _up(self) -> None:
        for work in list(self._waiting.values()):
            self._send_or_wait(work)

    def _down(self, replica: Replica, error: InferenceError) -> None:
        lost, self._sent[replica] = self._sent[replica], {}
        hopeless = self._hopeless()
        if hopeless is not None:
            self._fail_all(hopeless)
        for work in lost.values():
            if hopeless is not None or work.results.begun or work.attempts >= _MOST_ATTEMPTS:
                self._end(work, error)
            elif not work.results.ended:
                self._send_or_wait(work)

    def _in_flight(self) -> int:
        return len(self._waiting) + sum(map(len, self._sent.values()))

    # ---- requests ----------------------------------------------------------------------------

    def _send_or_wait(self, work: _Work[R]) -> None:
        """Send it, or while there is no worker arrange when to give up."""
        up = [replica for replica in self._sent if replica.state is State.READY]
        if up:
            self._send(work, min(up, key=lambda replica: len(self._sent[replica])))
            return
        self._waiting[work.id] = work
        work.replica = None
        if work.expiry is None:
            give_up_at = max(work.deadline, self._loop.time() + _RESTART_S)
            work.expiry = self._loop.call_at(give_up_at, self._expire, work)

    def _send(self, work: _Work[R], replica: Replica) -> None:
        self._waiting.pop(work.id, None)
        self._sent[replica][work.id] = work
        work.keep_waiting()
        work.replica = replica
        work.attempts += 1
        remaining_ms = (work.deadline - self._loop.time()) * 1000
        replica.send(wire.Ask(work.id, work.priority, remaining_ms, work.payload))

    def _expire(self, work: _Work[R]) -> None:
        self._waiting.pop(work.id, None)
        why = next((r.error for r in self._sent if r.error is not None), None)
        code = why.code if why else "worker_starting"
        reason = str(why) if why else f"the {self.name} worker is still loading its model"
        self._end(work, InferenceError(code, f"{reason}; none came up in time"))

    def _end(self, work: _Work[R], error: InferenceError | None, compute_ms: float = 0.0) -> None:
        """Its worker is done with it; what was cancelled is only metered."""
        work.compute_ms += compute_ms
        if not work.results.ended:
            work.end(error)

    def _fail_all(self, error: InferenceError) -> None:
        for works in (self._waiting, *self._sent.values()):
            for work in works.values():
                self._end(work, error)
            works.clear()

    def _promote(self, work: _Work[R], priority: Priority, deadline_ms: int) -> None:
        if work.results.ended:
            return
        work.priority = priority
        work.deadline = self._loop.time() + deadline_ms / 1000
        if work.replica is not None:
            work.replica.send(wire.Promote(work.id, priority, deadline_ms))
        else:
            work.keep_waiting()
            self._send_or_wait(work)

    def _cancel(self, work: _Work[R]) -> None:
        running = not work.results.ended
        work.results.drop()
        if not running:
            return
        work.end(None)
        self._waiting.pop(work.id, None)
        if work.replica is not None:
            work.replica.send(wire.Cancel(work.id))

    def _cancel_from_anywhere(self, work: _Work[R]) -> None:
        """Garbage is collected in any thread, and after the loop has gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, work)


_BEST_FIRST = (State.READY, State.STARTING, State.FAILED, State.CLOSED)
