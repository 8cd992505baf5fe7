import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from actors.fallback import OUT_S, FallbackChat
from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.inference import InferenceError, Priority
from tests.virtual_time import in_virtual_time

CHAT = Chat((ChatMessage("user", "hello"),))


class Asked:
    """A request to `Endpoint`."""

    compute_ms = 5.0
    settled = True

    def __init__(self, endpoint: "Endpoint", priority: Priority) -> None:
        self.endpoint = endpoint
        self.priority = priority
        self.cancelled = False
        self._cancelled = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[ChatDelta]:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._cancelled.wait(), self.endpoint.takes_s)
            return
        for text in self.endpoint.says:
            yield ChatDelta(text)
        if self.endpoint.error is not None:
            raise self.endpoint.error

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self.priority = priority

    def cancel(self) -> None:
        self.cancelled = True
        self._cancelled.set()

    async def stopped(self) -> None:
        if self.cancelled and self.endpoint.error is not None:
            await asyncio.Event().wait()  # reads on, and never comes to an end


class Endpoint:
    """Says what it is given, then fails if it is to."""

    payload_type = Chat

    def __init__(self, *says: str, error: str | None = None, takes_s: float = 0.0) -> None:
        self.says = says
        self.error = InferenceError(error, "it failed") if error else None
        self.takes_s = takes_s
        self.asked: list[Asked] = []

    def request(self, payload: Chat, *, priority: Priority, deadline_ms: int) -> Asked:
        self.asked.append(Asked(self, priority))
        return self.asked[-1]


async def said(llm: FallbackChat) -> str:
    request = llm.request(CHAT, priority=Priority.FIRST, deadline_ms=500)
    text = "".join([delta.text async for delta in request])
    await request.stopped()
    return text


async def test_the_first_answers_alone_while_it_can() -> None:
    first, second = Endpoint("one"), Endpoint("two")
    assert await said(FallbackChat(first, second)) == "one"
    assert second.asked == []


@pytest.mark.parametrize("code", ["llm_unreachable", "llm_timeout", "llm_overloaded", "llm_cut"])
async def test_the_second_answers_when_the_first_does_not(code: str) -> None:
    assert await said(FallbackChat(Endpoint(error=code), Endpoint("two"))) == "two"


async def test_an_answer_that_has_begun_is_not_begun_again_elsewhere() -> None:
    second = Endpoint("two")
    llm = FallbackChat(Endpoint("o", error="llm_cut"), second)
    with pytest.raises(InferenceError) as cut:
        await said(llm)
    assert cut.value.code == "llm_cut"
    assert second.asked == []


async def test_a_request_that_is_refused_for_what_it_is_goes_nowhere_else() -> None:
    second = Endpoint("two")
    with pytest.raises(InferenceError):
        await said(FallbackChat(Endpoint(error="llm_refused"), second))
    assert second.asked == []


def test_a_first_that_failed_is_left_alone_for_a_while() -> None:
    async def outage() -> None:
        first, second = Endpoint(error="llm_unreachable", takes_s=5.0), Endpoint("two")
        llm = FallbackChat(first, second)
        assert await said(llm) == "two"
        began = asyncio.get_running_loop().time()
        assert await said(llm) == "two"
        assert asyncio.get_running_loop().time() == began  # nobody waits for the first again
        await asyncio.sleep(OUT_S + 1)
        first.error, first.says = None, ("one",)
        assert await said(llm) == "one"

    in_virtual_time(outage())


def test_nobody_waits_for_a_first_that_has_failed_somebody_else() -> None:
    async def outage() -> None:
        first, second = Endpoint(error="llm_timeout", takes_s=30.0), Endpoint("two")
        llm = FallbackChat(first, second)
        asked = asyncio.create_task(said(llm))
        await asyncio.sleep(29)
        following = asyncio.create_task(said(llm))
        gone = llm.request(CHAT, priority=Priority.FIRST, deadline_ms=500)
        iterating = asyncio.create_task(anext(aiter(gone), None))
        await asyncio.sleep(0.5)
        gone.cancel()
        assert (await asked, await following) == ("two", "two")
        assert asyncio.get_running_loop().time() < 31
        assert await iterating is None, "who gave up is asked for nowhere"
        assert (len(first.asked), len(second.asked)) == (3, 2)

    in_virtual_time(outage())


def test_one_requests_failure_is_not_everybodys() -> None:
    async def overload() -> None:
        first, second = Endpoint("one", takes_s=2.0), Endpoint("two")
        llm = FallbackChat(first, second)
        waiting = asyncio.create_task(said(llm))
        await asyncio.sleep(1)
        first.error, first.takes_s, first.says = InferenceError("llm_overloaded", "full"), 0.0, ()
        assert await said(llm) == "two"
        first.error, first.says = None, ("one",)
        assert await waiting == "one"

    in_virtual_time(overload())


async def test_promotion_and_cancelling_reach_whoever_is_asked() -> None:
    first, second = Endpoint(error="llm_timeout"), Endpoint("two", "three")
    request = FallbackChat(first, second).request(
        CHAT, priority=Priority.SPECULATIVE, deadline_ms=500
    )
    deltas = aiter(request)
    assert (await anext(deltas)).text == "two"
    request.promote(Priority.FIRST, 100)
    assert second.asked[0].priority is Priority.FIRST
    request.cancel()
    assert second.asked[0].cancelled
    assert request.compute_ms == 10.0


async def test_it_is_settled_when_nobody_is_asked_any_more() -> None:
    llm = FallbackChat(Endpoint(error="llm_failed"), Endpoint("two"))
    request = llm.request(CHAT, priority=Priority.FIRST, deadline_ms=500)
    assert not request.settled, "it has not been asked yet"
    deltas = aiter(request)
    await anext(deltas)
    assert not request.settled
    assert await anext(deltas, None) is None
    assert request.settled
    unread = llm.request(CHAT, priority=Priority.FIRST, deadline_ms=500)
    unread.cancel()
    assert unread.settled
