"""A voice that fails, and those that speak in its place."""

from collections.abc import AsyncIterator

import pytest

from engine.capabilities import Speech, Utterance
from engine.frames import ResponseEnded
from engine.inference import InferenceError, Priority
from engine.settings import ResponseRequest, SessionSettings
from tests import scripted
from tests.engine.conversation import Conversation
from tests.engine.test_responses import last, user
from tests.virtual_time import in_virtual_time

SAID = "The first sentence is short. The second one follows it at once."


class Voices:
    """Those that fail: at once, or after their first word where `late`."""

    def __init__(self, *failing: str, late: bool = False) -> None:
        self.failing = failing
        self.late = late
        self.asked: list[str] = []

    def tts(self) -> scripted.Scripted[Utterance, Speech]:
        return scripted.Scripted(self._speak)

    async def _speak(self, utterance: Utterance) -> AsyncIterator[Speech]:
        self.asked.append(utterance.voice)
        if utterance.voice in self.failing:
            if self.late:
                yield Speech(scripted.spoken("The", utterance.rate_hz), utterance.rate_hz, ())
            raise InferenceError("model_missing", f"{utterance.voice} is not here")
        able = scripted.tts().request(utterance, priority=Priority.FIRST, deadline_ms=500)
        async for speech in able:
            yield speech


async def answered(voices: Voices, *fallback: str, times: int = 1) -> ResponseEnded:
    settings = SessionSettings(voice="kumo", fallback_voices=fallback)
    async with Conversation(lambda chat: SAID, settings=settings, tts=voices.tts()) as talk:
        for number in range(times):
            talk.session.add(user("hello", f"item_{number}"))
            talk.session.respond(ResponseRequest())
            await talk.until(ResponseEnded)
        return last(talk)


@pytest.mark.parametrize(
    ("failing", "asked"),
    [
        ((), ["kumo"]),
        (("kumo",), ["kumo", "joe"]),
        (("kumo", "joe"), ["kumo", "joe", "alba"]),
    ],
)
def test_the_first_that_can_speaks_and_goes_on(failing: tuple[str, ...], asked: list[str]) -> None:
    async def scenario() -> None:
        voices = Voices(*failing)
        ended = await answered(voices, "joe", "alba", times=2)
        assert ended.status == "completed"
        assert voices.asked[: len(asked)] == asked
        assert set(voices.asked[len(asked) :]) == {asked[-1]}, "nobody comes back"
        assert len(voices.asked) > len(asked) + 1

    in_virtual_time(scenario())


def test_where_nobody_can_the_response_fails_and_the_next_one_tries_again() -> None:
    async def scenario() -> None:
        voices = Voices("kumo", "joe")
        ended = await answered(voices, "joe", times=2)
        assert (ended.status, ended.reason) == ("failed", "model_missing")
        assert voices.asked == ["kumo", "joe", "kumo"]

    in_virtual_time(scenario())


def test_what_has_begun_is_not_said_again_by_another() -> None:
    async def scenario() -> None:
        voices = Voices("kumo", late=True)
        ended = await answered(voices, "joe")
        assert ended.status == "failed"
        assert voices.asked == ["kumo"]

    in_virtual_time(scenario())
