"""A language model with another behind it, for when it does not answer."""

import asyncio
from collections.abc import AsyncIterator, Callable

from engine.capabilities import Chat, ChatDelta
from engine.inference import InferenceError, Priority
from engine.load import Load
from engine.meter import Measurable, Measured

OUT_S = 10.0
"""So long the first is left alone after it failed."""

ELSEWHERE = ("llm_unreachable", "llm_timeout", "llm_overloaded", "llm_failed", "llm_cut")
"""Failures that another endpoint may not have. A refusal (`llm_refused`) is the request's fault."""

DOWN = ("llm_unreachable", "llm_timeout")
"""Those that whoever else waits for it would have too: they wait no longer."""


Llm = Measurable[Chat, ChatDelta]
"""An endpoint, or a pool of workers."""


class FallbackRequest:
    """As `engine.inference.Request`: the first endpoint's answer, or if it has none the other's."""

    def __init__(
        self, llm: "FallbackChat", chat: Chat, priority: Priority, deadline: float
    ) -> None:
        self._llm = llm
        self._chat = chat
        self._priority = priority
        self._deadline = deadline
        self._requests: list[Measured[ChatDelta]] = []
        self._cancelled = False
        self._over = False
        self._moved = False
        self._answer = self._deltas()

    @property
    def compute_ms(self) -> float:
        """What both endpoints took together."""
        return sum(request.compute_ms for request in self._requests)

    @property
    def settled(self) -> bool:
        """Whether neither is asked any more: `compute_ms` is final."""
        over = self._over or self._cancelled
        return over and all(request.settled for request in self._requests)

    def __aiter__(self) -> AsyncIterator[ChatDelta]:
        return self._answer

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._priority = priority
        self._deadline = asyncio.get_running_loop().time() + deadline_ms / 1000
        for request in self._requests:
            request.promote(priority, deadline_ms)

    def cancel(self) -> None:
        self._cancelled = True
        for request in self._requests:
            request.cancel()

    async def stopped(self) -> None:
        """Wait until whoever was asked last works no more. One that was left may still read."""
        if self._requests:
            await self._requests[-1].stopped()

    def move_on(self) -> None:
        """Wait for the first endpoint no longer: nothing of its answer has come."""
        self._moved = True
        for request in self._requests:
            request.cancel()

    async def _deltas(self) -> AsyncIterator[ChatDelta]:
        try:
            async for delta in self._of_either():
                yield delta
        finally:
            self._over = True

    async def _of_either(self) -> AsyncIterator[ChatDelta]:
        if not self._llm.first_is_out:
            unanswered = self._llm.unanswered
            unanswered.add(self)
            begun = False
            try:
                async for delta in self._ask(self._llm.first):
                    begun = True
                    unanswered.discard(self)
                    yield delta
            except InferenceError as failed:
                if begun or failed.code not in ELSEWHERE:
                    raise
                self._llm.first_failed(down=failed.code in DOWN)
            else:
                if not self._moved:
                    return
            finally:
                unanswered.discard(self)
        async for delta in self._ask(self._llm.second):
            yield delta

    def _ask(self, llm: Llm) -> Measured[ChatDelta]:
        remaining_ms = (self._deadline - asyncio.get_running_loop().time()) * 1000
        request = llm.request(self._chat, priority=self._priority, deadline_ms=round(remaining_ms))
        self._requests.append(request)
        if self._cancelled:
            request.cancel()
        return request


class FallbackChat:
    """Satisfies `engine.doorway.Served`: asks `first`, and `second` when that does not answer.

    An answer that has begun is never begun again elsewhere. `load` tells how busy both are, where
    somebody wants to know.
    """

    payload_type = Chat

    def __init__(self, first: Llm, second: Llm, load: Callable[[], Load] = Load) -> None:
        self.first = first
        self.second = second
        self.load = load
        self.unanswered: set[FallbackRequest] = set()
        """Those who wait for `first`."""
        self._back_at = float("-inf")

    @property
    def first_is_out(self) -> bool:
        """Whether `first` has just failed, and is left alone."""
        return asyncio.get_running_loop().time() < self._back_at

    def first_failed(self, *, down: bool) -> None:
        """Leave `first` alone for `OUT_S`; if it is `down`, who waits for it asks `second`."""
        self._back_at = asyncio.get_running_loop().time() + OUT_S
        for request in list(self.unanswered) if down else ():
            request.move_on()

    def request(self, payload: Chat, *, priority: Priority, deadline_ms: int) -> FallbackRequest:
        """As `Inference.request`."""
        deadline = asyncio.get_running_loop().time() + deadline_ms / 1000
        return FallbackRequest(self, payload, priority, deadline)
