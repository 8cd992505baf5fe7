"""Sessions, as a client drives them, in virtual time."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.capabilities import Chat, ChatDelta, ToolCall, ToolSpec
from engine.errors import RequestError
from engine.frames import (
    CallerTranscript,
    Failure,
    IdleTimeout,
    InputCommitted,
    PlaybackCleared,
    ReplyAudio,
    ReplyItemDone,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    SessionEnded,
    SpeechStarted,
    TurnMeasured,
)
from engine.inference import InferenceError
from engine.items import FunctionCall, FunctionOutput, Message, Part
from engine.session import EndReason
from engine.settings import (
    Greeting,
    Reprompt,
    ResponseRequest,
    SessionSettings,
    TurnSettings,
)
from engine.turns import MOST_UNTRANSCRIBED
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


def test_a_session_ends_at_its_longest_duration_after_its_last_words() -> None:
    async def scenario() -> None:
        settings = SessionSettings(longest_ms=2000)
        async with Conversation(lambda chat: "one two three four five six", settings) as talk:
            await talk.caller_says("count to six")
            await talk.silence(5)
            assert talk.ended == [EndReason.TOO_LONG]
            assert talk.heard() == "one two three four five six"
            assert isinstance(talk.client.frames[-1][1], SessionEnded)

    in_virtual_time(scenario())


def test_push_to_talk_answers_what_was_committed() -> None:
    async def scenario() -> None:
        settings = SessionSettings(turn=None, transcribe=True)
        async with Conversation(lambda chat: "Noon.", settings) as talk:
            await talk.caller_says("what time is it")
            await talk.silence(3)
            assert not talk.client.of(InputCommitted)
            talk.session.commit()
            talk.session.respond(ResponseRequest())
            await talk.until(ResponseEnded)
            assert talk.history() == ["user: what time is it", "assistant: Noon."]
            assert talk.client.of(CallerTranscript)
            assert not talk.client.of(SpeechStarted)

    in_virtual_time(scenario())


def test_more_recordings_than_can_be_listened_to_are_refused_and_the_session_goes_on() -> None:
    async def scenario() -> None:
        stt = scripted.stt(seconds=1000)
        async with Conversation(settings=SessionSettings(turn=None), stt=stt) as talk:
            for number in range(MOST_UNTRANSCRIBED):
                talk.session.add_audio(f"item_{number}", "user", bytes(16_000), None)
            with pytest.raises(RequestError, match="wait for some"):
                talk.session.add_audio("item_more", "user", bytes(16_000), None)
            await talk.silence(1)
            with pytest.raises(RequestError, match="wait for some"):
                talk.session.commit()
            assert "item_more" not in talk.session.history
            assert talk.ended == []

    in_virtual_time(scenario())


def test_a_response_cancelled_before_its_turn_is_transcribed_is_told_to_be_over() -> None:
    async def scenario() -> None:
        async with Conversation(settings=SessionSettings(turn=None)) as talk:
            await talk.caller_says("what time is it")
            talk.session.commit()
            talk.session.respond(ResponseRequest(metadata={"mine": "1"}))
            talk.session.cancel()
            assert [frame.metadata for frame in talk.client.of(ResponseStarted)] == [{"mine": "1"}]  # type: ignore[attr-defined]
            ended = await talk.until(ResponseEnded)
            assert isinstance(ended, ResponseEnded)
            assert (ended.status, ended.reason) == ("cancelled", "client_cancelled")
            await talk.silence(2)
            assert talk.heard() == ""

    in_virtual_time(scenario())


def test_a_session_that_only_listens_has_no_responses() -> None:
    async def scenario() -> None:
        settings = SessionSettings(kind="transcription", modality="text")
        async with Conversation(settings=settings) as talk:
            with pytest.raises(RequestError, match="only listens"):
                talk.session.respond(ResponseRequest())

    in_virtual_time(scenario())


def test_what_variables_blow_up_is_refused() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            huge = SessionSettings(instructions="{{a}}" * 10_000, variables={"a": "x" * 60_000})
            with pytest.raises(RequestError, match="600050000 characters") as refused:
                talk.session.configure(huge)
            assert refused.value.code == "string_above_max_length"

    in_virtual_time(scenario())


def test_an_empty_commit_is_refused() -> None:
    async def scenario() -> None:
        async with Conversation(settings=SessionSettings(turn=None)) as talk:
            with pytest.raises(RequestError, match="at least 100 ms"):
                talk.session.commit()

    in_virtual_time(scenario())


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


def test_a_broken_session_ends_alone() -> None:
    async def scenario() -> None:
        async with Conversation() as broken, Conversation() as whole:

            def explode(frame: object) -> None:
                raise RuntimeError("boom")

            broken.session._pipeline.actors[1].emit = explode
            await asyncio.gather(broken.silence(0.5), whole.caller_says("hello there friend"))
            await whole.until(ResponseEnded)
            assert broken.ended == [EndReason.FAILED]
            assert whole.ended == []
            assert whole.heard() == "Certainly."

    in_virtual_time(scenario())


def test_a_client_that_comes_back_goes_on_with_its_history() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "one two three four five six seven") as talk:
            await talk.caller_says("count to seven")
            await talk.until(ResponseStarted)
            await talk.silence(1)
            heard = talk.heard()
            talk.session.detach()
            ended = await talk.until(ResponseEnded)  # told to those who still follow the session
            assert isinstance(ended, ResponseEnded)
            assert ended.status == "cancelled"
            await talk.silence(30)
            assert talk.heard() == heard
            talk.session.attach(talk.client)
            await talk.caller_says("go on please now")
            await talk.until(ResponseEnded)
            kept = talk.history()
            assert kept[0] == "user: count to seven"
            assert kept[1].startswith("assistant: one")
            assert "seven" not in kept[1]
            assert kept[2:] == [
                "user: go on please now",
                "assistant: one two three four five six seven",
            ]

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


def test_no_answer_is_made_where_the_client_wants_none() -> None:
    async def scenario() -> None:
        turn = TurnSettings(create_response=False)
        async with Conversation(settings=SessionSettings(turn=turn)) as talk:
            await talk.caller_says("just write this down")
            await talk.until(InputCommitted)
            await talk.silence(3)
            assert not talk.llm.asked

    in_virtual_time(scenario())


def test_an_hour_of_silence_costs_nothing() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            talk._microphone.cancel()
            for _ in range(60):
                talk.session.hear(bytes(32_000 * 60))
            assert not talk.stt.asked
            assert len(talk.session._audio.slice(0, talk.session._audio.end)) <= 2 * 16_000

    in_virtual_time(scenario())


def test_a_recording_sent_at_once_is_heard_as_if_spoken() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "Noon.") as talk:
            talk._microphone.cancel()
            talk.session.hear(scripted.spoken("what time is it") + scripted.silence(1500))
            await talk.until(ResponseEnded)
            assert talk.history() == ["user: what time is it", "assistant: Noon."]

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


def test_a_response_that_waited_for_a_transcript_too_long_is_refused_and_nothing_ends() -> None:
    async def scenario() -> None:
        async with Conversation(stt=scripted.stt(0.3)) as talk:
            talk.session.add_audio("item_a", "user", scripted.spoken("a recording"), None)
            talk.session.respond(ResponseRequest(event_id="event_1"))
            talk.session._turns.say("Something else.", interruptible=True)
            failure = await talk.until(Failure)
            assert isinstance(failure, Failure)
            assert failure.event_id == "event_1"
            assert talk.ended == []

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


def test_words_that_cannot_be_had_are_an_error_even_without_transcripts() -> None:
    async def scenario() -> None:
        async def script(clip):  # type: ignore[no-untyped-def]
            raise InferenceError("worker_lost", "the worker died")
            yield

        async with Conversation(stt=scripted.Scripted(script)) as talk:
            await talk.caller_says("are you there")
            failure = await talk.until(Failure)
            assert isinstance(failure, Failure)
            assert (failure.kind, failure.code) == ("server_error", "worker_lost")

    in_virtual_time(scenario())


def test_sound_that_never_pauses_is_committed_in_the_end() -> None:
    async def scenario() -> None:
        async with Conversation() as talk:
            await talk.caller_says(" ".join(["word"] * 540))
            assert talk.client.of(InputCommitted)
            await talk.silence(1)
            await talk.caller_says("what time is it")
            await talk.until(ResponseEnded)
            assert talk.ended == []

    in_virtual_time(scenario())
