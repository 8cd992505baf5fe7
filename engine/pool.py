"""The gateway's side of a shared model: requests, and the replicas that they are sent to."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import msgspec

from engine import wire
from engine.inference import InferenceError, Priority
from engine.results import Results
from engine.status import State, WorkerStatus

P = TypeVar("P")
R = TypeVar("R")

MOST_IN_FLIGHT = 512
"""More than a machine can serve in time: what comes on top is refused at once."""

_RESTART_S = 10.0
"""How long a request waits for a worker at least. Deadlines order the queue, and are 150-300 ms for
a caller who waits; a worker that died needs seconds to load its model, and late speech is worth
more than none."""

_LOAD_S = 60.0
"""The same while one loads its model for the first time, or was asleep: the disk may be slow."""

_MOST_ATTEMPTS = 2  # a request that was there at two deaths may be what kills


class Replica(Protocol):
    """One place where a model is served: a worker (`engine.link`), whose model runs in it or, with
    `actors.ray_worker`, in a Ray actor on another machine.

    The pool sets the callbacks before `start`: `on_up` when it serves, `on_down` with the error
    when it is lost or could not start, `on_message` with what it says between the two.
    """

    on_message: Callable[[wire.FromWorker], None]
    on_up: Callable[[], None]
    on_down: Callable[[InferenceError], None]

    @property
    def state(self) -> State: ...

    @property
    def error(self) -> InferenceError | None:
        """Why it does not serve, if it failed."""
        ...

    @property
    def status(self) -> WorkerStatus:
        """What its keeper last said of the worker."""
        ...

    async def start(self) -> None: ...

    async def ready(self) -> None:
        """Wait until it serves. Raises `InferenceError` with why it cannot."""
        ...

    def wake(self) -> None:
        """It is asleep, and somebody waits for it. Idempotent."""
        ...

    def send(self, message: wire.ToWorker) -> None:
        """Send, or drop it if it is lost: `on_down` follows."""
        ...

    async def close(self) -> None: ...


class PoolStatus(msgspec.Struct, frozen=True):
    """How a pool is, seen from its gateway.

    `state` is that of the replica that is best off, `up` counts those that serve. `queued` is what
    the workers last said (every second); `in_flight` counts every open request.
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
        self.asked_at = asyncio.get_running_loop().time()
        self.payload = payload
        self.attempts = 0
        self.delivered = 0
        self.repeated = 0  # results still to come that were delivered before
        self.replica: Replica | None = None  # that it was sent to
        self.results: Results[R] = Results()
        self.compute_ms = 0.0
        self.stopped = asyncio.Event()  # nothing more can be added to that
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

    @property
    def settled(self) -> bool:
        """Whether `compute_ms` is known."""
        return self._work.stopped.is_set()

    async def stopped(self) -> None:
        """Wait until it is."""
        await self._work.stopped.wait()

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
    """Satisfies `engine.inference.Inference` with `replicas`, all of the same model.

    A request goes to the replica that has the fewest open. What had no result yet when its replica
    is lost is sent to another, or to the next one that is up unless that takes until its deadline
    and longer than 10 s. What had some fails with `worker_lost`, unless the model `replays`: the
    same payload always has the same results, so that they can go on where they were. Replicas that
    are asleep are woken.
    """

    def __init__(
        self,
        name: str,
        result_type: type[R],
        replicas: Sequence[Replica],
        *,
        replays: bool = False,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        self.name = name
        self._replays = replays
        self._decoder = msgspec.msgpack.Decoder(result_type)
        self._most_in_flight = most_in_flight
        self._waiting: dict[int, _Work[R]] = {}
        self._sent: dict[Replica, dict[int, _Work[R]]] = {}  # until the worker is done with it
        self._ids = itertools.count(1)
        self._upped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        for replica in replicas:
            replica.on_up = self._up
            replica.on_message = partial(self._receive, replica)
            replica.on_down = partial(self._down, replica)
            self._sent[replica] = {}

    async def start(self) -> None:
        """Begin to connect; `ready` waits for it. Requests may be made at once."""
        for replica in self._sent:
            await replica.start()

    async def ready(self) -> None:
        """Wait for the model. Raises `InferenceError` with the reason when it cannot be loaded."""
        await asyncio.gather(*(replica.ready() for replica in self._sent))

    async def up(self) -> None:
        """Wait until a replica serves, however long that takes."""
        await self._upped.wait()

    async def close(self) -> None:
        """Leave the replicas; open requests fail with `closed`. Idempotent."""
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
            queued=sum(replica.status.load.queued for replica in self._sent),
            restarts=sum(replica.status.restarts for replica in self._sent),
            error_code=error.code if error else None,
            error_message=str(error) if error else None,
        )

    @property
    def pids(self) -> list[int]:
        """The process idents of the workers that there are."""
        return [replica.status.pid for replica in self._sent if replica.status.pid]

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> PoolRequest[P, R]:
        """As `Inference.request`. What is wrong with it is raised by the iteration."""
        deadline = self._loop.time() + deadline_ms / 1000
        encoded = msgspec.msgpack.encode(payload)
        work: _Work[R] = _Work(next(self._ids), priority, deadline, encoded)
        refusal = self._refusal(len(encoded))
        if refusal is not None:
            self._end(work, refusal)
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
        hopeful = (State.READY, State.STARTING, State.ASLEEP)
        if any(replica.state in hopeful for replica in self._sent):
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
        if work.repeated:
            work.repeated -= 1
            return
        work.delivered += 1
        try:
            work.results.add(self._decoder.decode(payload))
        except ValueError as wrong:
            work.end(InferenceError("bad_result", f"the {self.name} worker's result: {wrong}"))
            replica.send(wire.Cancel(work.id))

    def _up(self) -> None:
        self._upped.set()
        for work in list(self._waiting.values()):
            self._send_or_wait(work)

    def _down(self, replica: Replica, error: InferenceError) -> None:
        lost, self._sent[replica] = self._sent[replica], {}
        hopeless = self._hopeless()
        if hopeless is not None:
            self._fail_all(hopeless)
        for work in lost.values():
            halfway = work.results.begun and not self._replays
            if hopeless is not None or halfway or work.attempts >= _MOST_ATTEMPTS:
                self._end(work, error)
            elif work.results.ended:
                work.stopped.set()
            else:
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
        for replica in self._sent:
            if replica.state is State.ASLEEP:
                replica.wake()
        if work.expiry is None:
            give_up_at = max(work.deadline, self._loop.time() + _RESTART_S)
            work.expiry = self._loop.call_at(give_up_at, self._expire, work)

    def _send(self, work: _Work[R], replica: Replica) -> None:
        self._waiting.pop(work.id, None)
        self._sent[replica][work.id] = work
        work.keep_waiting()
        work.replica = replica
        work.attempts += 1
        work.repeated = work.delivered
        remaining_ms = (work.deadline - self._loop.time()) * 1000
        replica.send(wire.Ask(work.id, work.priority, remaining_ms, work.payload))

    def _expire(self, work: _Work[R]) -> None:
        now = self._loop.time()
        loading = any(r.state in (State.STARTING, State.ASLEEP) for r in self._sent)
        if loading and now < work.asked_at + _LOAD_S:
            work.expiry = self._loop.call_at(now + _RESTART_S, self._expire, work)
            return
        self._waiting.pop(work.id, None)
        why = next((r.error for r in self._sent if r.error is not None), None)
        code = why.code if why else "worker_starting"
        reason = str(why) if why else f"the {self.name} worker is still loading its model"
        self._end(work, InferenceError(code, f"{reason}; none came up in time"))

    def _end(self, work: _Work[R], error: InferenceError | None, compute_ms: float = 0.0) -> None:
        """Its worker is done with it; what was cancelled is only metered."""
        work.compute_ms += compute_ms
        work.stopped.set()
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
        else:
            work.stopped.set()

    def _cancel_from_anywhere(self, work: _Work[R]) -> None:
        """Garbage is collected in any thread, and after the loop has gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, work)


_BEST_FIRST = (State.READY, State.STARTING, State.ASLEEP, State.FAILED, State.CLOSED)
