"""An inference actor: one model, the queue before it and the threads that run it.

The event loop owns the queue; each lane, a thread, runs the model on one batch at a time. So
requests can be promoted, cancelled and counted while batches run. A stream is left between two of
its results for what is more urgent, and goes on later, in whatever lane.
"""

import asyncio
import contextlib
import itertools
import math
import queue
import threading
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from engine.child import complain
from engine.deadlines import DeadlineQueue
from engine.inference import BAD_PAYLOAD, BadPayload, InferenceError, Priority
from engine.load import Load, Meter
from engine.results import Results

P = TypeVar("P")
R = TypeVar("R")

LATELY_S = 30.0
"""For so long a caller who was answered may say something more."""

MOST_LEFT = 32
"""Streams that are left and wait to go on: each keeps what it has computed. Where there are so
many, another one without a live caller waits until one has ended.
"""


class Handler(Protocol[P, R]):
    """A model as an inference actor runs it."""

    max_batch: int
    """How many payloads one `run` takes at most; 1 where batches gain nothing."""

    lanes: int
    """How many `run`s may go on at once, each in a thread of its own."""

    streams: bool
    """Whether a run may be left after each result, and another thread go on with it."""

    @property
    def payload_type(self) -> type[P]: ...

    def warm_up(self) -> None:
        """Do what makes the first request slow."""
        ...

    def run(self, batch: list[P]) -> Iterator[tuple[int, R]]:
        """Yield (place in the batch, result), any number for each payload, as soon as it is there.

        Work stops at a `yield` when nobody waits for the batch any more. Raise `BadPayload` for
        what the caller can mend, `InferenceError` for what has a code of its own.
        """
        ...

    def lasts_s(self, result: R) -> float | None:
        """How long who asked needs no further result, where results are streams; None of the last
        one, behind which a run ends.
        """
        ...


Urgency = tuple[int, float]
"""Priority and deadline: the lowest is first."""


class _Work(Generic[P, R]):
    """One request. The loop sets what lanes only read; `answered` and, while one has it, `left` are
    a lane's own.
    """

    def __init__(self, ident: int, payload: P, priority: int, deadline: float, now: float) -> None:
        self.id = ident
        self.payload = payload
        self.priority = priority
        self.deadline = deadline  # of the next result
        self.asked_at = now
        self.lasts_s = 0.0  # what came so far, together
        self.cancelled = False
        self.answered = False
        self.left: Iterator[tuple[int, R]] | None = None  # the rest of a stream that was left
        self.results: Results[R] = Results()
        self.compute_ms = 0.0
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def urgency(self) -> Urgency:
        """Whoever has a part of it can wait for the rest as long as that lasts."""
        priority = max(self.priority, Priority.AHEAD) if self.lasts_s else self.priority
        return priority, self.deadline

    def urgency_after(self, now: float, lasts_s: float) -> Urgency:
        """What it will be when a result is there that is enough for so long."""
        return max(self.priority, Priority.AHEAD), max(self.deadline, now) + lasts_s


class BatchedRequest(Generic[P, R]):
    """A request to a `Batcher`, as `engine.inference.Request`."""

    def __init__(self, batcher: "Batcher[P, R]", work: _Work[P, R]) -> None:
        self._batcher = batcher
        self._work = work

    @property
    def compute_ms(self) -> float:
        """The request's share of its batch; known once it has `stopped`."""
        return self._work.compute_ms

    def __aiter__(self) -> "BatchedRequest[P, R]":
        return self

    async def __anext__(self) -> R:
        return await self._work.results.next()

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._batcher._promote(self._work, priority, deadline_ms)

    def cancel(self) -> None:
        self._batcher._cancel(self._work)

    async def stopped(self) -> None:
        """Wait until no lane works on it any more, which a cancelled one may still do."""
        await asyncio.shield(self._work.stopped)


class _Batch(Generic[P, R]):
    """What one lane runs now; `again`: it goes on with what was left."""

    def __init__(self, works: list[_Work[P, R]], started: float) -> None:
        self.works = works
        self.started = started
        self.again = works[0].left is not None


class Batcher(Generic[P, R]):
    """Satisfies `engine.inference.Inference` with a model in this process.

    An idle lane takes what is most urgent at once: nothing waits for company, so batches form only
    from what has come while all lanes were busy. Streams take turns: who has nothing yet comes
    first, then who runs out first. Work without a live caller leaves the last idle lane of several
    to those who have one; a stream, which is soon left, only where there were any lately.
    """

    def __init__(self, handler: Handler[P, R]) -> None:
        self.payload_type = handler.payload_type
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._ids = itertools.count()
        self._waiting: DeadlineQueue[int, _Work[P, R]] = DeadlineQueue()
        self._running: set[_Batch[P, R]] = set()
        self._next: Urgency | None = None  # of what waits, for the lanes to read
        self._left = 0  # streams that wait to go on
        self._called_at = -math.inf  # when somebody with a live caller last asked
        self._waking: asyncio.TimerHandle | None = None
        self._meter = Meter()
        self._batches: queue.SimpleQueue[_Batch[P, R] | None] = queue.SimpleQueue()
        for number in range(handler.lanes):
            threading.Thread(target=self._lane, name=f"lane {number}", daemon=True).start()

    # ---- the loop's side ---------------------------------------------------------------------

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> BatchedRequest[P, R]:
        """As `Inference.request`."""
        now = self._loop.time()
        work: _Work[P, R] = _Work(next(self._ids), payload, priority, now + deadline_ms / 1000, now)
        self._waiting.push(work.id, work, priority, work.deadline)
        self._note(priority)
        self._fill_lanes()
        return BatchedRequest(self, work)

    def load(self) -> Load:
        """What it does now, and has done."""
        now = self._loop.time()
        queued = [work.asked_at for work in self._waiting.items() if work.left is None]
        longest = min((batch.started for batch in self._running), default=now)
        return Load(
            queued=len(queued),
            oldest_ms=(now - min(queued, default=now)) * 1000,
            running=self._left + sum(len(batch.works) for batch in self._running),
            busy_ms=(now - longest) * 1000,
            lanes=self._handler.lanes,
            worked_ms=self._meter.worked_ms,
            served=self._meter.served,
            batches=self._meter.batches,
        )

    def close(self) -> None:
        """End the lanes, after what they run now. What waits is never done."""
        for _ in range(self._handler.lanes):
            self._batches.put(None)

    def _fill_lanes(self) -> None:
        while len(self._waiting) and len(self._running) < self._handler.lanes:
            if self._kept_free():
                self._wake_later()
                break
            now = self._loop.time()
            works = [work for _, work in self._waiting.pop_batch(self._handler.max_batch)]
            for work in works:
                if work.left is None:
                    self._meter.began(work.priority, (now - work.asked_at) * 1000)
                else:
                    self._left -= 1
            batch = _Batch(works, now)
            self._running.add(batch)
            self._batches.put(batch)
        self._tell_lanes()

    def _tell_lanes(self) -> None:
        self._next = None
        if len(self._waiting):
            first = self._waiting.peek()[1]
            new = first.left is None and first.priority >= Priority.BATCH
            if not new or self._left < MOST_LEFT:
                self._next = first.urgency

    def _wake_later(self) -> None:
        """Look again when there was no caller for long enough."""
        if self._waking is None and self._handler.streams:
            self._waking = self._loop.call_at(self._called_at + LATELY_S, self._woken)

    def _woken(self) -> None:
        self._waking = None
        self._fill_lanes()

    def _kept_free(self) -> bool:
        """Whether the next work must leave the lane to those who may call at any moment."""
        if self._handler.lanes == 1 or self._waiting.peek()[1].priority < Priority.BATCH:
            return False
        lately = self._loop.time() < self._called_at + LATELY_S
        last = len(self._running) >= self._handler.lanes - 1
        return last and (lately or not self._handler.streams)

    def _note(self, priority: Priority) -> None:
        if priority in (Priority.FIRST, Priority.AHEAD):  # and no probe
            self._called_at = self._loop.time()

    def _promote(self, work: _Work[P, R], priority: Priority, deadline_ms: int) -> None:
        work.priority = priority
        work.deadline = self._loop.time() + deadline_ms / 1000 + work.lasts_s
        self._note(priority)
        if self._waiting.promote(work.id, *work.urgency):
            self._fill_lanes()

    def _cancel(self, work: _Work[P, R]) -> None:
        work.cancelled = True
        work.results.drop()
        if self._waiting.remove(work.id) is not None:
            if work.left is not None:
                self._left -= 1
                self._close(work)
            self._over(work)
            self._tell_lanes()

    def _add(self, work: _Work[P, R], result: R, lasts_s: float) -> None:
        now = self._loop.time()
        if not work.results.begun and now > work.deadline:
            self._meter.was_late(work.priority)
        if lasts_s:
            work.deadline = work.urgency_after(now, lasts_s)[1]
            work.lasts_s += lasts_s
        work.results.add(result)

    def _ran(self, batch: _Batch[P, R], errors: list[InferenceError | None]) -> None:
        """A lane is free again; each request of the batch bears an equal share of what it took."""
        took_ms = (self._loop.time() - batch.started) * 1000
        self._meter.ran(len(batch.works), took_ms, again=batch.again)
        self._running.discard(batch)
        for work, error in zip(batch.works, errors, strict=True):
            work.compute_ms += took_ms / len(batch.works)
            if work.left is not None and not work.cancelled:
                self._left += 1
                self._waiting.push(work.id, work, *work.urgency)
                continue
            self._close(work)
            work.results.end(error)
            self._over(work)
        self._fill_lanes()

    def _close(self, work: _Work[P, R]) -> None:
        """What was left of a stream may have something to tidy up, which takes its time."""
        if work.left is not None:
            self._loop.run_in_executor(None, close, work.left)
            work.left = None

    def _over(self, work: _Work[P, R]) -> None:
        if work.compute_ms:
            self._meter.ended(work.priority, work.compute_ms)
        work.stopped.set_result(None)

    # ---- the lanes' side ---------------------------------------------------------------------

    def _lane(self) -> None:
        while (batch := self._batches.get()) is not None:
            errors = self._run_apart_if_wrong(batch.works)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._ran, batch, errors)

    def _run_apart_if_wrong(self, works: list[_Work[P, R]]) -> list[InferenceError | None]:
        """How each ended. What a batch could not do is tried one by one: one payload may be bad."""
        error = self._run(works)
        if error is None or len(works) == 1:
            return [error] * len(works)
        return [error if work.answered else self._run([work]) for work in works]

    def _run(self, works: list[_Work[P, R]]) -> InferenceError | None:
        try:
            self._answer(works)
        except InferenceError as refused:
            return refused
        except BadPayload as bad:
            return InferenceError(BAD_PAYLOAD, str(bad))
        except Exception as wrong:  # noqa: BLE001 - a model may raise anything
            return _unexpected(self._handler.payload_type, wrong)
        return None

    def _answer(self, works: list[_Work[P, R]]) -> None:
        if all(work.cancelled for work in works):
            return
        run, works[0].left = works[0].left, None
        if run is None:
            run = self._handler.run([work.payload for work in works])
        streams = self._handler.streams
        for place, result in run:
            work = works[place]
            work.answered = True
            lasts_s = self._handler.lasts_s(result) if streams else None
            passed = lasts_s is not None and self._is_passed(work, lasts_s)
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._add, work, result, lasts_s or 0.0)
            if all(work.cancelled for work in works):
                return
            if passed:
                work.left = run
                return

    def _is_passed(self, work: _Work[P, R], lasts_s: float) -> bool:
        """Whether something waits that is more urgent than the rest of this."""
        first = self._next
        return first is not None and first < work.urgency_after(self._loop.time(), lasts_s)


def close(run: Iterator[object]) -> None:
    """End a run in its middle."""
    if isinstance(run, Generator):
        run.close()


def _unexpected(asked: object, wrong: Exception) -> InferenceError:
    """Log where it happened, not what it says: that may hold what somebody said."""
    last = traceback.extract_tb(wrong.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    complain("model_failed", asked=str(asked), error=type(wrong).__name__, where=where)
    return InferenceError(
        "model_failed", f"the model failed with {type(wrong).__name__} at {where}"
    )
