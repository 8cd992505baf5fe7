"""A client's configuration on its way to the engine and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import ToolSpec
from engine.settings import Greeting, Reprompt, SessionSettings, TurnSettings
from transports.realtime.session_object import RealtimeSession, merge
from transports.realtime.session_settings import session_of, settings_of


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def configured(client: Any, **session: Any) -> tuple[SessionSettings, dict[str, Any]]:
    (answer,) = client.ask(update(**session))
    assert answer["type"] == "session.updated", answer
    return client.session.settings, answer["session"]


def test_the_first_event_shows_what_is_in_force(client: Any) -> None:
    created = client.outlet.events[0]
    session = created["session"]
    assert created["type"] == "session.created"
    assert (session["id"], session["type"]) == ("sess_1", "realtime")
    assert session["voiceforge"]["resume"] == "secret"
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert client.session.calls == [("start", None)]


def test_everything_that_can_be_set_arrives_and_is_shown(client: Any) -> None:
    tool = {"type": "function", "name": "weather", "description": "d", "parameters": {"a": 1}}
    wanted = {
        "model": "gpt-realtime-2025-08-28",
        "instructions": "Be kind.",
        "output_modalities": ["text"],
        "audio": {
            "input": {
                "transcription": {"model": "whisper-1", "language": "en", "prompt": "names"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.7,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 700,
                    "create_response": False,
                    "interrupt_response": False,
                    "idle_timeout_ms": 6000,
                },
            },
            "output": {"voice": "alloy", "speed": 1.25},
        },
        "tools": [tool],
        "tool_choice": {"type": "function", "name": "weather"},
        "max_output_tokens": 512,
        "temperature": 0.6,
        "truncation": "disabled",
        "tracing": "auto",
        "include": ["item.input_audio_transcription.logprobs"],
        "voiceforge": {
            "greeting": {"text": "Hello {{name}}", "interruptible": False},
            "fallback_voices": ["jm_kumo", "alloy"],
            "variables": {"name": "Ann"},
            "longest_ms": 60_000,
        },
    }
    settings, shown = configured(client, **wanted)
    assert settings == SessionSettings(
        instructions="Be kind.",
        variables={"name": "Ann"},
        modality="text",
        voice="joe",
        fallback_voices=("jm_kumo", "joe"),
        speed=1.25,
        turn=TurnSettings("server_vad", 0.7, 200, 700, "auto", False, False),
        transcribe=True,
        language="en",
        tools=(ToolSpec("weather", "d", {"a": 1}),),
        tool_choice="weather",
        temperature=0.6,
        max_output_tokens=512,
        greeting=Greeting("Hello {{name}}", interruptible=False),
        reprompt=Reprompt(6_000),
        longest_ms=60_000,
    )
    for name in wanted.keys() - {"audio", "voiceforge"}:
        assert shown[name] == wanted[name], name
    assert shown["audio"]["output"]["voice"] == "alloy"
    assert shown["audio"]["input"]["turn_detection"] == wanted["audio"]["input"]["turn_detection"]  # type: ignore[index]
    assert shown["voiceforge"]["greeting"]["text"] == "Hello {{name}}"
    assert shown["voiceforge"]["resume"] == "secret"
    assert shown["id"] == "sess_1"


def test_what_an_update_does_not_name_stays(client: Any) -> None:
    configured(client, instructions="Be kind.", audio={"output": {"voice": "alloy"}})
    settings, shown = configured(client, audio={"output": {"speed": 1.5}})
    assert settings.instructions == "Be kind."
    assert shown["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "alloy",
        "speed": 1.5,
    }


def test_null_turns_turn_detection_off(client: Any) -> None:
    settings, shown = configured(client, audio={"input": {"turn_detection": None}})
    assert settings.turn is None
    assert shown["audio"]["input"]["turn_detection"] is None


def test_semantic_vad_keeps_its_eagerness(client: Any) -> None:
    detection = {"type": "semantic_vad", "eagerness": "high"}
    settings, _ = configured(client, audio={"input": {"turn_detection": detection}})
    assert settings.turn == TurnSettings("semantic_vad", eagerness="high")


def test_a_region_of_english_is_english(client: Any) -> None:
    heard = {"input": {"transcription": {"language": "en-GB"}}}
    settings, shown = configured(client, audio=heard)
    assert settings.language == "en-gb"
    assert shown["audio"]["input"]["transcription"]["language"] == "en-GB"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"language": "de"}, "de"),
        ({"language": "pt-BR"}, "pt-br"),
        ({"language": "auto"}, "auto"),
        ({"languages": ["en", "de"]}, "auto"),
        ({"languages": ["de"]}, "de"),
    ],
)
def test_other_languages_are_transcribed_and_found(
    client: Any, asked: dict[str, Any], meant: str
) -> None:
    settings, _ = configured(client, audio={"input": {"transcription": asked}})
    assert settings.language == meant


def test_key_terms_and_who_hears_are_chosen(client: Any) -> None:
    chosen = {"model": "whisper-base", "keywords": ["Zadarma", "Moritz Keller"]}
    settings, shown = configured(client, audio={"input": {"transcription": chosen}})
    assert (settings.recogniser, settings.terms) == ("many", ("Zadarma", "Moritz Keller"))
    assert shown["audio"]["input"]["transcription"]["keywords"] == chosen["keywords"]
    fast = {"model": "moonshine-tiny-en", "language": "en-GB"}
    settings, _ = configured(client, audio={"input": {"transcription": fast}})
    assert (settings.recogniser, settings.terms) == ("fast", ())


@pytest.mark.parametrize(
    ("transcription", "param"),
    [
        ({"model": "moonshine-tiny-en", "language": "fr"}, "model"),
        ({"keywords": ["Zadarma", ""]}, "keywords[1]"),
        ({"keywords": ["?!"]}, "keywords[0]"),
        ({"keywords": ["x" * 51]}, "keywords[0]"),
        ({"keywords": ["x"] * 101}, "keywords"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    client: Any, transcription: dict[str, Any], param: str
) -> None:
    error = client.error(update(audio={"input": {"transcription": transcription}}))
    assert error["param"] == f"session.audio.input.transcription.{param}"


def test_a_language_that_is_not_transcribed_is_refused(client: Any) -> None:
    error = client.error(update(audio={"input": {"transcription": {"language": "xx"}}}))
    assert error["code"] == "unsupported_parameter"
    assert error["param"] == "session.audio.input.transcription.language"
    assert "'xx'" in error["message"]
    assert "'en'" in error["message"]


def test_a_client_may_send_back_what_it_got(client: Any) -> None:
    session = client.outlet.events[0]["session"]
    session["id"], session["voiceforge"]["resume"] = "sess_other", "forged"
    (answer,) = client.ask({"type": "session.update", "session": session})
    assert answer["session"]["id"] == "sess_1"
    assert answer["session"]["voiceforge"]["resume"] == "secret"


def test_a_transcription_session_only_listens(client: Any) -> None:
    wanted = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}}},
    }
    (answer,) = client.ask({"type": "session.update", "session": wanted})
    settings = client.session.settings
    assert (settings.kind, settings.transcribe) == ("transcription", True)
    assert answer["session"]["type"] == "transcription"
    assert "output" not in answer["session"]["audio"]
    assert answer["session"]["id"] == "sess_1"


@pytest.mark.parametrize("voice", ["joe", "marin", {"id": "cedar"}])
def test_stock_voices_speak_with_the_own_one(client: Any, voice: Any) -> None:
    settings, shown = configured(client, audio={"output": {"voice": voice}})
    assert settings.voice == "joe"
    assert shown["audio"]["output"]["voice"] == voice


def test_speech_and_text_together_mean_speech(client: Any) -> None:
    settings, _ = configured(client, output_modalities=["text", "audio"])
    assert settings.modality == "audio"


TURNS = (
    st.none()
    | st.builds(
        TurnSettings,
        kind=st.just("semantic_vad"),
        eagerness=st.sampled_from(["low", "medium", "high", "auto"]),
        create_response=st.booleans(),
        interrupt_response=st.booleans(),
    )
    | st.builds(
        TurnSettings,
        kind=st.just("server_vad"),
        threshold=st.floats(0, 1),
        prefix_ms=st.integers(0, 5_000),
        silence_ms=st.integers(0, 10_000),
        create_response=st.booleans(),
        interrupt_response=st.booleans(),
    )
)
CHARACTERS = st.characters(blacklist_characters="\0", codec="utf-8")
SETTINGS = st.builds(
    SessionSettings,
    instructions=st.text(CHARACTERS, max_size=50),
    variables=st.dictionaries(st.text(CHARACTERS, max_size=5), st.text(CHARACTERS, max_size=5)),
    modality=st.sampled_from(["audio", "text"]),
    fallback_voices=st.lists(st.sampled_from(["joe", "jf_alpha"]), max_size=3).map(tuple),
    speed=st.floats(0.25, 4.0),
    turn=TURNS,
    transcribe=st.booleans(),
    tool_choice=st.sampled_from(["auto", "none", "required", "weather"]),
    temperature=st.none() | st.floats(0, 2),
    max_output_tokens=st.none() | st.integers(1, 4_096),
    greeting=st.none() | st.builds(Greeting, st.just("Hi"), st.booleans()),
    reprompt=st.none() | st.builds(Reprompt, st.integers(1_000, 9_999), st.none() | st.just("?")),
    longest_ms=st.none() | st.integers(1_000, 10**7),
)


@given(SETTINGS)
def test_settings_survive_the_way_out_and_back(settings: SessionSettings) -> None:
    session = session_of(settings)
    assert settings_of(session) == settings
    assert merge(session, {"type": "realtime"}) == session


def test_a_session_object_is_merged_not_changed() -> None:
    session = RealtimeSession()
    merge(session, {"type": "realtime", "instructions": "x"})
    assert session == RealtimeSession()
