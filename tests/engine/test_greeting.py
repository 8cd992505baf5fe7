"""The greeting, what breaks a silence, and the variables in what an agent says."""

import pytest
from msgspec.structs import replace

from engine.errors import RequestError
from engine.frames import IdleTimeout, ReplyAudio, ResponseEnded, ResponseStarted
from engine.session import EndReason
from engine.settings import Greeting, Reprompt, SessionSettings
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time


def test_a_greeting_is_said_verbatim_with_its_variables() -> None:
    async def scenario() -> None:
        settings = SessionSettings(
            greeting=Greeting("Hello {{name}}, how are you?"), variables={"name": "Anna"}
        )
        async with Conversation(settings=settings) as talk:
            await talk.until(ResponseEnded)
            assert talk.heard() == "Hello Anna, how are you?"
            assert not talk.llm.asked

    in_virtual_time(scenario())


def test_a_greeting_that_may_not_be_interrupted_is_heard_out_and_the_caller_too() -> None:
    async def scenario() -> None:
        text = "This call is recorded for quality and training purposes, thank you."
        settings = SessionSettings(greeting=Greeting(text, interruptible=False))
        async with Conversation(lambda chat: "Gladly.", settings) as talk:
            await talk.until(ResponseStarted)
            await talk.silence(0.5)
            await talk.caller_says("I want to book a table")
            await talk.until(ResponseEnded)
            await talk.until(ResponseEnded)
            assert talk.heard() == f"{text} Gladly."
            assert talk.history()[1] == "user: I want to book a table"

    in_virtual_time(scenario())


def test_an_unknown_variable_is_refused_with_its_field() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            wrong = replace(talk.session.settings, instructions="You are {{role}}.")
            with pytest.raises(RequestError, match="'role'") as refused:
                talk.session.configure(wrong)
            assert refused.value.param == "session.instructions"

    in_virtual_time(scenario())


def test_what_variables_blow_up_is_refused() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            huge = SessionSettings(instructions="{{a}}" * 10_000, variables={"a": "x" * 60_000})
            with pytest.raises(RequestError, match="600050000 characters") as refused:
                talk.session.configure(huge)
            assert refused.value.code == "string_above_max_length"

    in_virtual_time(scenario())


def test_greeting_and_longest_duration_can_be_set_after_the_start() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            settings = SessionSettings(greeting=Greeting("Good day."), longest_ms=5000)
            talk.session.configure(settings)
            talk.session.greet()
            await talk.until(ResponseEnded)
            talk.session.configure(replace(settings, instructions="Be brief."))
            talk.session.greet()
            await talk.silence(10)
            assert talk.heard() == "Good day."
            assert talk.ended == [EndReason.TOO_LONG]

    in_virtual_time(scenario())


def test_an_agent_s_instructions_are_read_while_it_greets() -> None:
    async def scenario() -> None:
        settings = SessionSettings(instructions="Be brief.", greeting=Greeting("Good day."))
        async with Conversation(settings=settings) as talk:
            began = talk.now
            await talk.until(ResponseEnded)
            assert talk.client.at(ReplyAudio)[0] - began < 0.12, "0.15 s take the LLM"
            (warmed,) = talk.llm.asked
            assert warmed.max_tokens == 0
            assert warmed.messages[0].content == "Be brief."

    in_virtual_time(scenario())


def test_new_instructions_are_read_before_anybody_speaks_and_hold_no_greeting_up() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            settings = SessionSettings(instructions="Be brief.", greeting=Greeting("Good day."))
            talk.session.configure(settings)
            await talk.silence(1)
            (warmed,) = talk.llm.asked
            assert warmed.max_tokens == 0
            assert warmed.messages[0].content == "Be brief."
            talk.session.configure(replace(settings, instructions="Be kind."))
            await talk.silence(0.02)
            asked_at = talk.now
            talk.session.greet()
            await talk.until(ResponseEnded)
            assert talk.client.at(ReplyAudio)[0] - asked_at < 0.12, "0.15 s take the LLM"
            talk.session.configure(replace(settings, instructions="Be kind.", speed=1.1))
            await talk.silence(1)
            assert len(talk.llm.asked) == 2, "nothing new to read"

    in_virtual_time(scenario())


def test_silence_is_broken_by_a_reprompt() -> None:
    async def scenario() -> None:
        settings = SessionSettings(reprompt=Reprompt(3000, "Are you still there?", times=1))
        async with Conversation(settings=settings) as talk:
            await talk.until(ResponseEnded)
            assert talk.heard() == "Are you still there?"
            assert talk.client.of(IdleTimeout)
            await talk.silence(120)
            assert len(talk.client.of(ResponseEnded)) == 1

    in_virtual_time(scenario())


def test_nobody_is_reprompted_who_is_away_or_holds_the_button() -> None:
    async def scenario() -> None:
        settings = SessionSettings(reprompt=Reprompt(2000, "Are you there?"))
        async with Conversation(settings=settings) as talk:
            talk.session.detach()
            await talk.silence(30)
            assert talk.history() == []
            talk.session.configure(replace(settings, turn=None))
            talk.session.attach(talk.client)
            await talk.silence(30)
            assert talk.history() == []

    in_virtual_time(scenario())
