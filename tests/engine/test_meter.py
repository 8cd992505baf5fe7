"""What a session uses, by model, and what was prepared for nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.frames import PlaybackStarted, ResponseEnded
from engine.generation import Generation
from engine.inference import Priority
from engine.meter import Amounts, Meter
from engine.session import EndReason
from engine.settings import Greeting, ResponseRequest, SessionSettings
from tests import scripted
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time

ASK = Chat((ChatMessage("user", "x" * 80),))
LONG = "Your table is booked for eight tonight and we look forward to seeing all of you then."

Used = dict[tuple[str, bool], Amounts]


def taken(meter: Meter) -> Used:
    return {(one.model, one.dropped): one.amounts for one in meter.take()}


def counted(text: str, model: str = "") -> list[ChatDelta]:
    """An answer whose endpoint counts its tokens at the end."""
    words = [ChatDelta(text=f"{word} ") for word in text.split()]
    counts = {"input_tokens": 20, "output_tokens": len(words), "cached_tokens": 12}
    return [*words, ChatDelta(finish="stop", model=model, **counts)]  # type: ignore[arg-type]


def test_a_turn_is_counted_by_model_and_its_audio_by_itself() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: counted("It is noon.")) as talk:
            await talk.silence(0.5)
            await talk.caller_says("what time is it")
            await talk.until(ResponseEnded)
            used = taken(talk.session.meter)
            llm = used["llm", False]
            assert (llm.input_tokens, llm.output_tokens, llm.cached_tokens) == (20, 3, 12)
            assert used["tts", False].characters == len("It is noon.")
            assert used["", False].audio_out_ms == pytest.approx(3 * 260, abs=1)
            assert used["", False].audio_in_ms == pytest.approx(talk.session._audio.end / 16)
            assert {model for model, dropped in used} == {"stt", "turn", "llm", "tts", ""}
            for model, asked in (("stt", talk.stt), ("turn", talk.turn), ("llm", talk.llm)):
                assert used[model, False].compute_ms == len(asked.requests) * scripted.COMPUTE_MS
            assert taken(talk.session.meter).keys() <= {("", False)}  # counted once

    in_virtual_time(scenario())


def test_what_was_prepared_and_never_heard_is_counted_apart() -> None:
    """The caller pauses, an answer is prepared, and the caller goes on."""

    async def scenario() -> None:
        async with Conversation(lambda chat: counted("It is noon."), score=0.05) as talk:
            await talk.silence(0.5)
            await talk.caller_says("what time")
            await talk.silence(0.45)
            await talk.caller_says("is it now")
            await talk.until(ResponseEnded)
            used = taken(talk.session.meter)
            answers = [chat for chat in talk.llm.asked if chat.max_tokens != 0]
            assert len(answers) > 1
            assert used["llm", False].output_tokens == 3
            assert used["llm", True].compute_ms == (len(answers) - 1) * scripted.COMPUTE_MS
            assert used["tts", False].characters == len("It is noon.")

    in_virtual_time(scenario())


def test_what_is_prepared_waits_until_it_is_known_to_be_heard() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: counted("It is noon."), score=0.05) as talk:
            await talk.silence(0.5)
            await talk.caller_says("what time")
            await talk.silence(0.45)
            assert talk.tts.requests[0].settled
            assert "tts" not in {model for model, _ in taken(talk.session.meter)}
            talk.session.stop(EndReason.STOPPED)
            assert taken(talk.session.meter)["tts", True].characters == len("It is noon.")

    in_virtual_time(scenario())


def test_an_interrupted_answer_was_wanted() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: LONG) as talk:
            await talk.silence(0.5)
            await talk.caller_says("book a table")
            await talk.until(PlaybackStarted)
            await talk.silence(0.5)
            await talk.caller_says("no wait stop that please")
            await talk.until(ResponseEnded)
            used = taken(talk.session.meter)
            assert used["tts", False].characters == len(LONG)
            assert ("tts", True) not in used

    in_virtual_time(scenario())


def test_a_greeting_and_what_is_asked_beside_the_conversation_are_counted() -> None:
    async def scenario() -> None:
        settings = SessionSettings(greeting=Greeting("Good morning."))
        async with Conversation(lambda chat: counted("Yes."), settings) as talk:
            await talk.until(ResponseEnded)
            used = taken(talk.session.meter)
            assert used["tts", False].characters == len("Good morning.")
            talk.session.respond(ResponseRequest(in_conversation=False, modality="text"))
            await talk.until(ResponseEnded)
            assert taken(talk.session.meter)["llm", False].output_tokens == 1

    in_virtual_time(scenario())


def test_an_answer_of_the_fallback_is_counted_as_its_own() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: counted("Yes.", "another")) as talk:
            await talk.silence(0.5)
            await talk.caller_says("is it noon")
            await talk.until(ResponseEnded)
            assert taken(talk.session.meter)["another", False].output_tokens == 1

    in_virtual_time(scenario())


class Slow:
    """A model whose requests tell late what they cost."""

    def __init__(self, deltas: list[ChatDelta]) -> None:
        self._deltas = deltas
        self.settled = False
        self.compute_ms = 0.0

    def request(self, payload: Chat, *, priority: Priority, deadline_ms: int) -> "Slow":
        return self

    async def __aiter__(self) -> AsyncIterator[ChatDelta]:
        for delta in self._deltas:
            yield delta

    async def stopped(self) -> None:
        pass

    def promote(self, priority: Priority, deadline_ms: int) -> None: ...

    def cancel(self) -> None: ...


async def read(meter: Meter, deltas: list[ChatDelta], chat: Chat = ASK) -> Slow:
    model = Slow(deltas)
    request = meter.watch(model, "llm").request(chat, priority=Priority.FIRST, deadline_ms=1)
    async for _ in request:
        pass
    return model


def test_compute_is_counted_when_the_worker_has_stopped() -> None:
    meter = Meter()
    model = asyncio.run(read(meter, []))
    assert not meter.settled
    assert taken(meter) == {}
    model.settled, model.compute_ms = True, 250.0
    assert meter.settled
    assert taken(meter) == {("llm", False): Amounts(compute_ms=250.0)}
    assert taken(meter) == {}


def test_an_answer_that_was_cut_has_the_tokens_that_came() -> None:
    meter = Meter()
    so_far = ChatDelta("b", input_tokens=30, output_tokens=2, cached_tokens=25)
    for deltas in ([ChatDelta("a"), so_far], [ChatDelta("a"), ChatDelta("b"), ChatDelta("c")]):
        asyncio.run(read(meter, deltas)).settled = True
    [amounts] = taken(meter).values()
    estimated = 80 // 4  # where the endpoint never told
    assert (amounts.input_tokens, amounts.output_tokens) == (30 + estimated, 2 + 3)


@pytest.mark.parametrize("model", ["a\0b", "a\nb", "x" * 201])
def test_what_an_endpoint_tells_is_counted_within_reason(model: str) -> None:
    meter = Meter()
    told = ChatDelta("a", model=model, input_tokens=2**70, output_tokens=-1, cached_tokens=2**63)
    asyncio.run(read(meter, [told])).settled = True
    most = 2**31
    expected = Amounts(input_tokens=most, cached_tokens=most)
    assert taken(meter) == {("llm", False): expected}


def test_a_prompt_that_is_read_ahead_costs_compute_and_no_tokens() -> None:
    meter = Meter()
    warmed = [ChatDelta(finish="stop", input_tokens=20, output_tokens=1)]
    model = asyncio.run(read(meter, warmed, Chat(ASK.messages, max_tokens=0)))
    model.settled, model.compute_ms = True, 5.0
    assert taken(meter) == {("llm", False): Amounts(compute_ms=5.0)}


def test_what_was_asked_for_a_generation_is_known_by_its_fate() -> None:
    meter = Meter()
    generation: Generation | None = Generation(1, ResponseRequest(), SessionSettings())
    model = Slow([])
    model.settled, model.compute_ms = True, 1.0
    watch = meter.watch_answers(lambda: generation)
    watch(model, "tts").request(ASK, priority=Priority.FIRST, deadline_ms=1)
    assert taken(meter) == {}
    generation = None
    assert taken(meter) == {("tts", True): Amounts(compute_ms=1.0)}
