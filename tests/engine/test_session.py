"""Sessions, as a client drives them, in virtual time."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.errors import RequestError
from engine.frames import (
    InputCommitted,
    PlaybackStarted,
    ResponseEnded,
    ResponseStarted,
    SessionEnded,
)
from engine.session import EndReason
from engine.settings import ResponseRequest, SessionSettings, TurnSettings
from tests.engine.conversation import Conversation
from tests.scripted import decoded
from tests.virtual_time import in_virtual_time


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


def test_a_session_that_only_listens_has_no_responses() -> None:
    async def scenario() -> None:
        settings = SessionSettings(kind="transcription", modality="text")
        async with Conversation(settings=settings) as talk:
            with pytest.raises(RequestError, match="only listens"):
                talk.session.respond(ResponseRequest())

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


def test_a_tap_hears_both_sides_while_the_session_is_recorded() -> None:
    class Tape:
        def __init__(self) -> None:
            self.caller, self.agent = b"", b""

        def heard(self, pcm: bytes) -> None:
            self.caller += pcm

        def said(self, pcm: bytes, rate_hz: int) -> None:
            assert rate_hz == 24_000
            self.agent += pcm

    async def scenario() -> None:
        async with Conversation(lambda chat: "one two three") as talk:
            tape = talk.session.tap = Tape()
            await talk.caller_says("count")
            await talk.until(ResponseEnded)
            assert (tape.caller, tape.agent) == (b"", b"")
            talk.session.configure(replace(talk.session.settings, record=True))
            await talk.caller_says("again")
            await talk.silence(4)
            assert "again" in decoded(tape.caller)
            assert decoded(tape.agent, 24_000) == "one two three"

    in_virtual_time(scenario())


def test_what_was_heard_is_known_at_any_moment_and_at_the_end() -> None:
    async def scenario() -> None:
        async with Conversation(lambda chat: "one two three four five six") as talk:
            assert talk.session.heard is None
            await talk.caller_says("count to six")
            await talk.until(PlaybackStarted)
            await talk.silence(0.8)
            assert talk.session.heard is not None
            item_id, text = talk.session.heard
            assert text == "one two three"
            assert item_id in talk.session.history
            talk.session.stop(EndReason.HUNG_UP)
            await talk.silence(1)
            assert talk.session.heard == (item_id, text)

    in_virtual_time(scenario())
