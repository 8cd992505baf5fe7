"""Responses that a client asks for: typed, with tools, out of band, failed, cut."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.capabilities import Chat, ChatDelta, ToolCall, ToolSpec
from engine.errors import RequestError
from engine.frames import (
    PlaybackCleared,
    ReplyAudio,
    ReplyItemDone,
    ReplyText,
    ResponseEnded,
    TurnMeasured,
)
from engine.inference import InferenceError
from engine.items import FunctionCall, FunctionOutput, Message, Part
from engine.settings import ResponseRequest, SessionSettings
from tests import scripted
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time

TOOL = ToolSpec("get_weather", "The weather in a town.", {"type": "object"})


def user(text: str, item_id: str = "item_1") -> Message:
    return Message(item_id, "user", (Part("text", text),))


def last(talk: Conversation) -> ResponseEnded:
    ended = talk.client.of(ResponseEnded)[-1]
    assert isinstance(ended, ResponseEnded)
    return ended


def test_typed_words_get_spoken_or_written_answers() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "It is noon.") as talk:
            talk.session.add(user("what time is it"))
            talk.session.respond(ResponseRequest())
            await talk.until(ResponseEnded)
            assert talk.heard() == "It is noon."
            spoken = len(talk.client.of(ReplyAudio))
            talk.session.respond(ResponseRequest(modality="text"))
            await talk.until(ResponseEnded)
            assert len(talk.client.of(ReplyAudio)) == spoken
            written = [f for f in talk.client.of(ReplyText) if isinstance(f, ReplyText)]
            assert "".join(f.text for f in written if not f.spoken) == "It is noon."
            assert len(talk.client.of(TurnMeasured)) == 2

    in_virtual_time(scenario())


def test_a_second_response_is_refused_while_one_is_active() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            talk.session.add(user("hello"))
            talk.session.respond(ResponseRequest())
            with pytest.raises(RequestError, match="in progress"):
                talk.session.respond(ResponseRequest())
            talk.session.cancel()
            assert last(talk).status == "cancelled"
            assert last(talk).reason == "client_cancelled"
            with pytest.raises(RequestError):
                talk.session.cancel()

    in_virtual_time(scenario())


def test_a_tool_is_called_once_its_generation_is_promoted_and_its_output_answered() -> None:
    async def scenario() -> None:
        def reply(chat: Chat) -> str | list[ChatDelta]:
            if chat.messages[-1].role == "tool":
                return "It rains."
            return [
                ChatDelta(tool_calls=(ToolCall(0, "", "call_1", "get_weather"),)),
                ChatDelta(tool_calls=(ToolCall(0, '{"town":'),)),
                ChatDelta(tool_calls=(ToolCall(0, '"Bath"}'),)),
                ChatDelta(finish="tool_calls"),
            ]

        async with Conversation(reply, SessionSettings(tools=(TOOL,))) as talk:
            await talk.caller_says("what is the weather in Bath")
            await talk.until(ResponseEnded)
            done = [f for f in talk.client.of(ReplyItemDone) if isinstance(f, ReplyItemDone)]
            call = done[0].item
            assert isinstance(call, FunctionCall)
            assert (call.name, call.arguments) == ("get_weather", '{"town":"Bath"}')
            talk.session.add(FunctionOutput("item_out", "call_1", '"rain"'))
            talk.session.respond(ResponseRequest())
            await talk.until(ResponseEnded)
            assert talk.heard() == "It rains."

    in_virtual_time(scenario())


def test_a_function_call_that_was_cut_is_incomplete() -> None:
    async def scenario() -> None:
        torn = [
            ChatDelta(tool_calls=(ToolCall(0, '{"tow', "call_1", "get_weather"),)),
            ChatDelta(finish="length"),
        ]
        async with Conversation(lambda chat: torn, SessionSettings(tools=(TOOL,))) as talk:
            await talk.caller_says("what is the weather in Bath")
            await talk.until(ResponseEnded)
            assert last(talk).status == "incomplete"
            assert [item.status for item in last(talk).items] == ["incomplete"]

    in_virtual_time(scenario())


def test_out_of_band_responses_leave_floor_and_history_alone() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: chat.messages[-1].content or "") as talk:
            request = ResponseRequest(
                in_conversation=False,
                modality="text",
                input=(user("classify this"),),
                metadata={"topic": "x"},
            )
            talk.session.respond(request)
            talk.session.respond(request)
            await talk.until(ResponseEnded)
            await talk.silence(1)
            assert [
                f.status for f in talk.client.of(ResponseEnded) if isinstance(f, ResponseEnded)
            ] == [
                "completed",
                "completed",
            ]
            assert talk.history() == []

    in_virtual_time(scenario())


def test_an_endpoint_that_is_down_fails_the_response_and_not_the_session() -> None:
    async def scenario() -> None:
        down = InferenceError("llm_unreachable", "the LLM cannot be reached")
        replies: Iterator[str | InferenceError] = iter([down, "Hello."])
        async with Conversation(lambda chat: next(replies)) as talk:
            await talk.caller_says("are you there")
            await talk.until(ResponseEnded)
            assert (last(talk).status, last(talk).reason) == ("failed", "llm_unreachable")
            await talk.caller_says("and now are you there")
            await talk.until(ResponseEnded)
            assert last(talk).status == "completed"
            assert talk.heard() == "Hello."

    in_virtual_time(scenario())


def test_an_endpoint_cut_in_mid_stream_keeps_what_was_said() -> None:
    async def scenario() -> None:
        broken = [ChatDelta(text="The first sentence. "), ChatDelta(text="The sec")]

        async def script(chat: Chat):  # type: ignore[no-untyped-def]
            for delta in broken:
                yield delta
            raise InferenceError("llm_cut", "the stream ended early")

        async with Conversation() as talk:
            talk.llm._script = script
            await talk.caller_says("tell me something")
            await talk.until(ResponseEnded)
            assert (last(talk).status, last(talk).reason) == ("failed", "llm_cut")
            assert talk.history()[-1].startswith("assistant: The first sentence.")

    in_virtual_time(scenario())


def test_a_voice_that_fails_ends_the_response_with_its_cause() -> None:
    async def scenario() -> None:
        async def script(utterance):  # type: ignore[no-untyped-def]
            raise InferenceError("worker_lost", "the worker died")
            yield

        async with Conversation(tts=scripted.Scripted(script)) as talk:
            await talk.caller_says("are you there")
            await talk.until(ResponseEnded)
            assert (last(talk).status, last(talk).reason) == ("failed", "worker_lost")

    in_virtual_time(scenario())


def test_the_voice_can_change_until_it_has_been_heard() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            answers = talk.tts._script

            async def missing(utterance):  # type: ignore[no-untyped-def]
                raise InferenceError("model_missing", "fetch the voice first")
                yield

            talk.tts._script = missing
            await talk.caller_says("are you there")
            await talk.until(ResponseEnded)
            assert last(talk).status == "failed"
            talk.session.configure(replace(talk.session.settings, voice="other"))
            talk.tts._script = answers
            await talk.caller_says("and now")
            await talk.until(ReplyAudio)
            with pytest.raises(RequestError, match="the agent has spoken as 'other'"):
                talk.session.configure(replace(talk.session.settings, voice="joe"))

    in_virtual_time(scenario())


def test_a_reply_that_failed_does_not_hold_up_the_next() -> None:
    async def scenario() -> None:
        async def lost(utterance):  # type: ignore[no-untyped-def]
            raise InferenceError("worker_lost", "the worker died")
            yield

        tts = scripted.Scripted(lost)
        async with Conversation(reply=lambda chat: "One sentence. " * 500, tts=tts) as talk:
            talk.session.add(user("Tell me a story."))
            talk.session.respond(ResponseRequest())
            await talk.until(ResponseEnded)
            assert (last(talk).status, last(talk).reason) == ("failed", "worker_lost")
            asked = len(talk.llm.asked)
            talk.session.respond(ResponseRequest())
            await asyncio.sleep(0.01)
            assert len(talk.llm.asked) == asked + 1

    in_virtual_time(scenario())


def test_truncation_takes_the_smaller_of_the_clients_value_and_the_ledgers() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "one two three four five") as talk:
            await talk.caller_says("count to five")
            await talk.until(ResponseEnded)
            item = list(talk.session.history)[-1]
            talk.session.truncate(item.id, 600)
            assert talk.history()[-1] == "assistant: one two"
            talk.session.truncate(item.id, 100_000)
            assert talk.history()[-1] == "assistant: one two"  # what was cut does not come back
            with pytest.raises(RequestError, match="no item"):
                talk.session.truncate("item_none", 100)

    in_virtual_time(scenario())


def test_truncating_what_is_being_said_stops_it() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "one two three four five six seven") as talk:
            await talk.caller_says("count to seven")
            await talk.until(ReplyAudio)
            await talk.silence(1)
            item = list(talk.session.history)[-1]
            talk.session.truncate(item.id, 500)
            assert talk.history()[-1] == "assistant: one two"
            assert talk.client.of(PlaybackCleared)

    in_virtual_time(scenario())
