"""Turns that the client ends, and recordings whose words follow."""

import pytest

from engine.errors import RequestError
from engine.frames import (
    CallerTranscript,
    Failure,
    InputCommitted,
    ResponseEnded,
    ResponseStarted,
    SpeechStarted,
)
from engine.inference import InferenceError
from engine.recordings import MOST_WAITING
from engine.settings import ResponseRequest, SessionSettings
from tests import scripted
from tests.engine.conversation import Conversation
from tests.virtual_time import in_virtual_time


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


def test_an_empty_commit_is_refused() -> None:
    async def scenario() -> None:
        async with Conversation(settings=SessionSettings(turn=None)) as talk:
            with pytest.raises(RequestError, match="at least 100 ms"):
                talk.session.commit()

    in_virtual_time(scenario())


def test_more_recordings_than_can_be_listened_to_are_refused_and_the_session_goes_on() -> None:
    async def scenario() -> None:
        stt = scripted.stt(seconds=1000)
        async with Conversation(settings=SessionSettings(turn=None), stt=stt) as talk:
            for number in range(MOST_WAITING):
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


def test_a_recording_sent_at_once_is_heard_as_if_spoken() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "Noon.") as talk:
            talk._microphone.cancel()
            talk.session.hear(scripted.spoken("what time is it") + scripted.silence(1500))
            await talk.until(ResponseEnded)
            assert talk.history() == ["user: what time is it", "assistant: Noon."]

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
