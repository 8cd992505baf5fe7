"""What of a session update an agent lets through, and what the client is told of the rest."""

import pytest

from transports.realtime.overrides import permitted
from transports.realtime.session_object import InputAudio, RealtimeAudio, RealtimeSession
from transports.realtime.wire import JsonObject


@pytest.mark.parametrize(
    ("audio", "told"),
    [
        ({"input": {"turn_detection": None}}, ["session.audio.input.turn_detection"]),
        ({"input": {}}, []),
        ({"output": {"voice": None}}, []),
        ({"output": {"voice": "alloy"}}, ["session.audio.output.voice"]),
    ],
    ids=["push-to-talk", "nothing", "no voice", "a voice"],
)
def test_who_asks_for_what_is_not_allowed_is_told(audio: JsonObject, told: list[str]) -> None:
    kept, refused = permitted({"audio": audio}, (), RealtimeSession())
    assert refused == told
    assert kept == {"audio": {side: {} for side in audio}}


def test_what_is_as_it_is_already_is_not_refused() -> None:
    by_hand = RealtimeSession(audio=RealtimeAudio(input=InputAudio(turn_detection=None)))
    update: JsonObject = {"audio": {"input": {"turn_detection": None}}}
    assert permitted(update, (), by_hand)[1] == []
