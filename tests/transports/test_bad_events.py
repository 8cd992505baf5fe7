"""Every way to send nonsense: one error event that says what and where, and the session goes on."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeErrorEvent

from transports.realtime.client_events import NAMES
from transports.realtime.text import LONGEST_TEXT
from transports.realtime.wire import LARGEST_AUDIO

VAD = {"type": "server_vad"}


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def turn(**fields: Any) -> dict[str, Any]:
    return update(audio={"input": {"turn_detection": VAD | fields}})


def message(*content: dict[str, Any], role: str = "user", **more: Any) -> dict[str, Any]:
    item = {"type": "message", "role": role, "content": list(content)}
    return {"type": "conversation.item.create", "item": item, **more}


def append(audio: Any) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": audio}


CASES: list[tuple[str, Any, str, str | None, str]] = [
    ("truncated JSON", '{"type":', "invalid_json", None, "truncated"),
    ("no JSON", "hello", "invalid_json", None, "not JSON"),
    ("empty", "", "invalid_json", None, "truncated"),
    ("bytes that are no text", b"\xff\xfe\x00", "invalid_json", None, "malformed"),
    ("a text that is no UTF-8", b'{"type":"\xff"}', "invalid_json", None, "not JSON"),
    ("an unknown type before it", b'{"type":"x","y":"\xff"}', "invalid_json", None, "not JSON"),
    ("a lone surrogate", '"\ud800"', "invalid_json", None, "not JSON"),
    ("nested without end", "[" * 100_000, "invalid_json", None, "recursion"),
    ("an array", "[]", "invalid_value", None, "the event: expected `object`, got `array`"),
    ("no type", "{}", "missing_required_parameter", "type", "'type'"),
    ("unknown type", {"type": "x.y"}, "invalid_value", "type", "input_audio_buffer.append"),
    ("type is a number", {"type": 3}, "invalid_value", "type", "3"),
    (
        "a number for base64",
        append(3),
        "invalid_value",
        "audio",
        "invalid value 3 for 'audio'",
    ),
    ("garbage for base64", append("@@@"), "invalid_value", "audio", "base64"),
    ("no audio", {"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio", ""),
    ("odd audio", append("YWJj"), "invalid_value", "audio", "3 bytes: 16-bit samples need an even"),
    (
        "nothing to commit",
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        None,
        "nothing is buffered",
    ),
    ("no session", {"type": "session.update"}, "missing_required_parameter", "session", ""),
    (
        "session without type",
        {"type": "session.update", "session": {}},
        "missing_required_parameter",
        "session.type",
        "",
    ),
    (
        "session of unknown type",
        {"type": "session.update", "session": {"type": "video"}},
        "invalid_value",
        "session.type",
        '"video"',
    ),
    ("unknown field", update(vioce="x"), "unknown_parameter", "session.vioce", ""),
    ("beta field", update(modalities=["text"]), "unknown_parameter", "session.modalities", ""),
    (
        "threshold too high",
        turn(threshold=7),
        "invalid_value",
        "session.audio.input.turn_detection.threshold",
        "invalid value 7",
    ),
    (
        "threshold as text",
        turn(threshold="0.5"),
        "invalid_value",
        "session.audio.input.turn_detection.threshold",
        "expected `float`, got `str`",
    ),
    (
        "silence below nothing",
        turn(silence_duration_ms=-1),
        "invalid_value",
        "session.audio.input.turn_detection.silence_duration_ms",
        ">= 0",
    ),
    (
        "unknown turn detection",
        update(audio={"input": {"turn_detection": {"type": "psychic"}}}),
        "invalid_value",
        "session.audio.input.turn_detection.type",
        "psychic",
    ),
    (
        "unknown format",
        update(audio={"input": {"format": {"type": "audio/mp3"}}}),
        "invalid_value",
        "session.audio.input.format.type",
        "audio/mp3",
    ),
    (
        "a rate that is not offered",
        update(audio={"output": {"format": {"type": "audio/pcm", "rate": 16000}}}),
        "invalid_value",
        "session.audio.output.format.rate",
        "16000",
    ),
    (
        "unknown voice",
        update(audio={"output": {"voice": "darth"}}),
        "invalid_value",
        "session.audio.output.voice",
        "'darth': choose one of joe, alloy",
    ),
    ("unknown model", update(model="gpt-9"), "invalid_value", "session.model", "gpt-realtime"),
    (
        "unknown transcriber",
        update(audio={"input": {"transcription": {"model": "ear-1"}}}),
        "invalid_value",
        "session.audio.input.transcription.model",
        "whisper-1",
    ),
    ("no modality", update(output_modalities=[]), "invalid_value", "session.output_modalities", ""),
    (
        "unknown modality",
        update(output_modalities=["smell"]),
        "invalid_value",
        "session.output_modalities[0]",
        "smell",
    ),
    (
        "an mcp tool",
        update(tools=[{"type": "mcp", "server_label": "x"}]),
        "unsupported_parameter",
        "session.tools[0].type",
        "call the MCP server from the client",
    ),
    (
        "a tool without a name",
        update(tools=[{"type": "function"}]),
        "missing_required_parameter",
        "session.tools[0].name",
        "",
    ),
    ("tool choice", update(tool_choice=5), "invalid_value", "session.tool_choice", "5"),
    ("stored prompt", update(prompt={"id": "p"}), "unsupported_parameter", "session.prompt", ""),
    ("tokens", update(max_output_tokens=0), "invalid_value", "session.max_output_tokens", "0"),
    (
        "instructions too long",
        update(instructions="x" * 100_000),
        "string_above_max_length",
        "session.instructions",
        f"100000 characters: at most {LONGEST_TEXT}",
    ),
    (
        "variables that are no text",
        update(voiceforge={"variables": {"a": 1}}),
        "invalid_value",
        "session.voiceforge.variables[...]",
        "expected `str`",
    ),
    (
        "100,000 characters",
        message({"type": "input_text", "text": "y" * 100_000}),
        "string_above_max_length",
        "item.content[0].text",
        "send several items",
    ),
    (
        "NUL",
        message({"type": "input_text", "text": "a\0b"}),
        "invalid_value",
        "item.content[0].text",
        "NUL character at position 1",
    ),
    ("a message without parts", message(), "invalid_value", "item.content", "empty"),
    (
        "an unknown part",
        message({"type": "input_smell"}),
        "invalid_value",
        "item.content[0].type",
        "input_smell",
    ),
    (
        "a picture",
        message({"type": "input_image", "image_url": "data:"}),
        "invalid_value",
        "item.content[0].type",
        "use input_text or input_audio",
    ),
    (
        "text part without text",
        message({"type": "input_text"}),
        "missing_required_parameter",
        "item.content[0].text",
        "",
    ),
    (
        "audio part without audio",
        message({"type": "input_audio"}),
        "missing_required_parameter",
        "item.content[0].transcript",
        "'audio'",
    ),
    (
        "recorded audio of odd length",
        message({"type": "input_audio", "audio": "YWJj"}),
        "invalid_value",
        "item.content[0].audio",
        "3 bytes",
    ),
    (
        "audio with text beside it",
        message({"type": "input_audio", "audio": ""}, {"type": "input_text", "text": "a"}),
        "invalid_value",
        "item.content",
        "items of their own",
    ),
    (
        "behind an unknown item",
        message({"type": "input_text", "text": "a"}, previous_item_id="item_none"),
        "item_not_found",
        "previous_item_id",
        "",
    ),
    (
        "an unknown kind of item",
        {"type": "conversation.item.create", "item": {"type": "mcp_call"}},
        "invalid_value",
        "item.type",
        "mcp_call",
    ),
    (
        "retrieve without id",
        {"type": "conversation.item.retrieve"},
        "missing_required_parameter",
        "item_id",
        "",
    ),
    (
        "retrieve nothing",
        {"type": "conversation.item.retrieve", "item_id": "i"},
        "item_not_found",
        "item_id",
        "",
    ),
    (
        "delete nothing",
        {"type": "conversation.item.delete", "item_id": "i"},
        "item_not_found",
        "item_id",
        "",
    ),
    (
        "truncate before the start",
        {
            "type": "conversation.item.truncate",
            "item_id": "i",
            "content_index": 0,
            "audio_end_ms": -5,
        },
        "invalid_value",
        "audio_end_ms",
        "-5",
    ),
    (
        "a response in an unknown conversation",
        {"type": "response.create", "response": {"conversation": "mine"}},
        "invalid_value",
        "response.conversation",
        "mine",
    ),
    (
        "an unknown field in a response",
        {"type": "response.create", "response": {"voice": "x"}},
        "unknown_parameter",
        "response.voice",
        "",
    ),
    (
        "an unknown voice in a response",
        {"type": "response.create", "response": {"audio": {"output": {"voice": "x"}}}},
        "invalid_value",
        "response.audio.output.voice",
        "choose one of",
    ),
    (
        "a reference to nothing",
        {
            "type": "response.create",
            "response": {"input": [{"type": "item_reference", "id": "no"}]},
        },
        "item_not_found",
        "item_id",
        "",
    ),
]


@pytest.mark.parametrize(
    ("event", "code", "param", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_nonsense_brings_one_error_that_says_what_and_where(
    client: Any, event: Any, code: str, param: str | None, says: str
) -> None:
    if isinstance(event, dict):
        event = {"event_id": "mine_1", **event}
    (answer,) = client.ask(event)
    RealtimeErrorEvent.model_validate(answer)
    error = answer["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["param"] == param
    assert says in error["message"]
    assert error["event_id"] == ("mine_1" if isinstance(event, dict) else None)
    assert client.ask(update())[0]["type"] == "session.updated"  # the session goes on
    assert client.outlet.closed is None


def test_more_audio_than_one_event_may_have_is_refused(client: Any) -> None:
    error = client.error(append(base64.b64encode(bytes(LARGEST_AUDIO + 2)).decode()))
    assert error["code"] == "audio_too_large"
    assert str(LARGEST_AUDIO) in error["message"]
    assert client.session.heard == b""


@pytest.mark.parametrize("text", ["😀" * 100, "שלום עולם", "e\u0301\u202eabc", "x" * LONGEST_TEXT])
def test_any_script_is_text(client: Any, text: str) -> None:
    added, done = client.ask(message({"type": "input_text", "text": text}))
    assert (
        added["item"]["content"]
        == [{"type": "input_text", "text": text}]
        == done["item"]["content"]
    )


def test_a_refused_update_changes_nothing(client: Any) -> None:
    before = client.realtime.settings
    client.error(update(instructions="new", audio={"output": {"voice": "nobody"}}))
    assert client.realtime.settings is before
    assert client.ask(update())[0]["session"]["instructions"] == ""


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["realtime", "message", "user", "function", "auto", "server_vad", "AAAA"])
)
FIELDS = st.sampled_from(
    [
        "type",
        "session",
        "audio",
        "input",
        "output",
        "format",
        "item",
        "id",
        "role",
        "content",
        "text",
        "item_id",
        "event_id",
        "response",
        "turn_detection",
        "tools",
        "tool_choice",
        "voice",
        "previous_item_id",
        "audio_end_ms",
        "content_index",
        "conversation",
        "metadata",
        "voiceforge",
        "greeting",
        "variables",
        "call_id",
        "arguments",
        "name",
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)
EVENTS = st.builds(
    lambda kind, body: body | {"type": kind},
    st.sampled_from(NAMES),
    st.dictionaries(FIELDS, JSON, max_size=6),
)


FRESH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def test_an_event_id_is_not_echoed_whatever_its_size(client: Any) -> None:
    error = client.error({"type": "response.cancel", "event_id": "x" * 5000})
    assert (error["code"], error["event_id"]) == ("invalid_value", None)


def test_a_session_object_has_an_end(client: Any) -> None:
    tools = [
        {"type": "function", "name": f"f{number}", "description": "x" * 60_000, "parameters": {}}
        for number in range(30)
    ]
    error = client.error(update(tools=tools))
    assert (error["code"], error["param"]) == ("invalid_value", "session")
    assert "1048576" in error["message"]


def test_a_message_of_many_parts_is_no_longer_than_one_of_one(client: Any) -> None:
    parts = [{"type": "input_text", "text": "x" * 60_000}] * 3
    item = {"type": "message", "role": "user", "content": parts}
    error = client.error({"type": "conversation.item.create", "item": item})
    assert (error["code"], error["param"]) == ("string_above_max_length", "item.content")


@settings(max_examples=300, deadline=None, suppress_health_check=FRESH)
@given(document=EVENTS | JSON)
def test_no_json_gets_past_the_edge(new_client: Any, document: Any) -> None:
    client = new_client()
    client.ask(json.dumps(document))
    assert client.ask(update())[0]["type"] == "session.updated"


@settings(max_examples=200, deadline=None, suppress_health_check=FRESH)
@given(message=st.text() | st.binary())
def test_no_bytes_get_past_the_edge(new_client: Any, message: str | bytes) -> None:
    client = new_client()
    client.ask(message)
    assert client.ask(update())[0]["type"] == "session.updated"
