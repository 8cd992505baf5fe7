"""Whole conversations, in virtual time."""

import asyncio

import pytest

from engine.capabilities import Chat
from engine.frames import (
    ResponseEnded,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    TurnMeasured,
)
from tests import scripted
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time

LONG = "Your table is booked for eight tonight and we look forward to seeing all of you then."


def test_a_question_is_answered() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "It is noon.") as talk:
            await talk.silence(0.5)
            asked = await talk.caller_says("what time is it")
            await talk.until(ResponseEnded)
            assert talk.heard() == "It is noon."
            assert talk.history() == ["user: what time is it", "assistant: It is noon."]
            started = talk.client.speaking[0][0]
            assert started - asked < 0.7
            assert len(talk.client.of(ResponseStarted)) == 1

    in_virtual_time(scenario())


def test_all_that_one_caller_leads_to_is_asked_as_one_conversation() -> None:
    names = []

    async def scenario() -> None:
        async with Conversation() as talk:
            await talk.silence(0.5)
            await talk.caller_says("what time is it")
            await talk.until(ResponseEnded)
            assert {chat.max_tokens == 0 for chat in talk.llm.asked} == {True, False}
            [name] = {chat.conversation for chat in talk.llm.asked}
            names.append(name)

    in_virtual_time(scenario())
    in_virtual_time(scenario())
    assert all(names)
    assert names[0] != names[1]


def test_an_acknowledgement_lets_the_agent_go_on() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: LONG) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            await talk.caller_says("mhm")
            await talk.until(ResponseEnded)
            assert talk.history() == ["user: book a table", f"assistant: {LONG}"]
            assert max(talk.client.gaps_ms) < 700
            assert len(talk.client.of(SpeechStarted)) == 1

    in_virtual_time(scenario())


def test_the_agent_does_not_hear_itself_and_hears_the_caller_all_the_same() -> None:
    async def scenario() -> None:
        replies = iter([LONG, "Sure."])
        async with Conversation(lambda chat: next(replies)) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            talk.ear.echo = True
            await talk.caller_says("table is booked for eight")
            await talk.silence(0.5)
            assert len(talk.client.of(SpeechStarted)) == 1
            assert max(talk.client.gaps_ms, default=0) < 100
            talk.ear.echo = False
            await talk.caller_says("no cancel it please")
            cut = await talk.until(ResponseEnded)
            assert isinstance(cut, ResponseEnded)
            assert (cut.status, cut.reason) == ("cancelled", "turn_detected")
            await talk.until(ResponseEnded)
            assert talk.history()[2:] == ["user: no cancel it please", "assistant: Sure."]

    in_virtual_time(scenario())


def test_the_end_of_speech_that_was_cut_is_no_caller() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: LONG) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            talk.ear.echo = True
            talk.session.cancel(None)
            await talk.caller_says("booked for")
            await talk.silence(2)
            assert talk.history()[1:] == [f"assistant: {talk.heard()}"]

    in_virtual_time(scenario())


def test_a_caller_who_speaks_into_the_echo_is_heard() -> None:
    async def scenario() -> None:
        replies = iter([LONG, "Sure."])
        async with Conversation(lambda chat: next(replies)) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            talk.ear.echo = True
            asyncio.get_running_loop().call_later(0.3, setattr, talk.ear, "echo", False)
            await talk.caller_says("booked for no cancel it please")
            cut = await talk.until(ResponseEnded)
            assert isinstance(cut, ResponseEnded)
            assert (cut.status, cut.reason) == ("cancelled", "turn_detected")

    in_virtual_time(scenario())


@pytest.mark.parametrize(("confidence", "ended"), [(0.4, "completed"), (0.9, "cancelled")])
def test_a_brief_word_interrupts_if_the_recogniser_is_sure_of_it(
    confidence: float, ended: str
) -> None:
    async def scenario() -> None:
        stt = scripted.stt(confidence=confidence)
        async with Conversation(lambda chat: LONG, stt=stt) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            await talk.caller_says("emma")
            response = await talk.until(ResponseEnded)
            assert isinstance(response, ResponseEnded)
            assert response.status == ended

    in_virtual_time(scenario())


def test_a_late_transcript_interrupts_the_agent_that_went_on() -> None:
    async def scenario() -> None:
        replies = iter([LONG, "Sure."])
        async with Conversation(lambda chat: next(replies), stt=scripted.stt(1.2)) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            await talk.caller_says("no stop")
            cut = await talk.until(ResponseEnded)
            assert isinstance(cut, ResponseEnded)
            assert (cut.status, cut.reason) == ("cancelled", "turn_detected")
            await talk.until(ResponseEnded)
            assert talk.history()[2:] == ["user: no stop", "assistant: Sure."]

    in_virtual_time(scenario())


def test_an_answer_to_a_late_transcript_is_one_to_what_was_said() -> None:
    """On a busy machine the turn is over as soon as its words are there."""

    async def scenario() -> None:
        def echo(chat: Chat) -> str:
            return f"You said {chat.messages[-1].content}"

        async with Conversation(echo, stt=scripted.stt(4.0)) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseEnded)
            assert talk.history() == ["user: book a table", "assistant: You said book a table"]

    in_virtual_time(scenario())


def test_an_interruption_cuts_the_history_to_what_was_heard() -> None:
    async def scenario() -> None:
        replies = iter([LONG, ""])
        async with Conversation(lambda chat: next(replies)) as talk:
            await talk.caller_says("book a table")
            await talk.until(ResponseStarted)
            await talk.silence(2)
            await talk.caller_says("no stop that")
            await talk.until(ResponseEnded)
            heard = talk.heard()
            assert heard
            assert LONG.startswith(heard)
            assert heard != LONG
            cut = talk.history()[1].removeprefix("assistant: ")
            assert abs(len(cut.split()) - len(heard.split())) <= 1

    in_virtual_time(scenario())


def test_a_pause_within_a_sentence_does_not_end_the_turn() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "Sure.") as talk:
            await talk.caller_says("please book a table for the")
            await talk.silence(0.9)
            await talk.caller_says("third of May")
            await talk.until(ResponseEnded)
            assert talk.history()[0] == "user: please book a table for the third of May"
            assert len(talk.client.of(SpeechStopped)) == 1
            assert len(talk.client.of(ResponseStarted)) == 1

    in_virtual_time(scenario())


def test_a_cough_is_answered_by_nobody() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "Sure.") as talk:
            await talk.caller_makes_noise(200)
            await talk.silence(5)
            assert not talk.client.of(ResponseStarted)

    in_virtual_time(scenario())


def test_latency_is_told_by_stage() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            await talk.caller_says("what time is it")
            measured = await talk.until(TurnMeasured)
            assert isinstance(measured, TurnMeasured)
            assert measured.prepared
            assert next(iter(measured.stages)) == "pause"
            assert measured.stages["first_audio"] == pytest.approx(
                max(measured.stages.values()), abs=1
            )

    in_virtual_time(scenario())
