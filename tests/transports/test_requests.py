"""What a client asks for, as the session gets it."""

import base64
from typing import Any

from engine import frames
from engine.capabilities import ToolSpec
from engine.items import FunctionOutput, Message, Part
from engine.settings import ResponseRequest


def create(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": item, **more}


def text(words: str, role: str = "user", **more: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": words}]
    return {"type": "message", "role": role, "content": content, **more}


def asked(client: Any, **response: Any) -> ResponseRequest:
    event = {"type": "response.create", "event_id": "e1", "response": response}
    assert client.ask(event) == []
    name, request = client.session.calls[-1]
    assert name == "respond"
    assert isinstance(request, ResponseRequest)
    return request


def test_audio_arrives_at_16_khz(client: Any) -> None:
    audio = base64.b64encode(bytes(960)).decode()
    assert client.ask({"type": "input_audio_buffer.append", "audio": audio}) == []
    assert len(client.session.heard) == 640


def test_plain_requests_are_handed_on(client: Any) -> None:
    for event in (
        {"type": "input_audio_buffer.clear"},
        {"type": "response.cancel"},
        {"type": "response.cancel", "response_id": "resp_1"},
        {"type": "output_audio_buffer.clear"},
    ):
        assert client.ask(event) == []
    assert client.session.calls[1:] == [
        ("clear", None),
        ("cancel", None),
        ("cancel", "resp_1"),
        ("clear_playback", None),
    ]


def test_items_keep_the_client_s_ids_and_order(client: Any) -> None:
    client.ask(create(text("two", id="b")))
    client.ask(create(text("one", "system", id="a"), previous_item_id="root"))
    added, done = client.ask(create(text("three", "assistant"), previous_item_id="b"))
    assert [item.id for item in client.session.history][:2] == ["a", "b"]
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["previous_item_id"] == "b"
    assert added["item"]["id"].startswith("item_")
    assert client.error(create(text("again", id="a")))["code"] == "item_already_exists"


def test_a_tool_s_answer_is_an_item(client: Any) -> None:
    client.ask(create({"type": "function_call_output", "call_id": "call_1", "output": "rain"}))
    (item,) = client.session.history
    assert item == FunctionOutput(item.id, "call_1", "rain")


def test_a_recording_is_resampled_and_a_transcript_stands_for_one(client: Any) -> None:
    audio = base64.b64encode(bytes(48_000)).decode()
    part = {"type": "input_audio", "audio": audio}
    client.ask(create({"type": "message", "role": "user", "id": "u", "content": [part]}))
    assert client.session.calls[-1] == ("add_audio", ("u", "user", 32_000, None))
    part = {"type": "input_audio", "transcript": "hello"}
    client.ask(create({"type": "message", "role": "user", "id": "v", "content": [part]}))
    assert client.session.item("v") == Message("v", "user", (Part("audio", "hello"),))


def test_items_are_retrieved_deleted_and_truncated(client: Any) -> None:
    client.ask(create(text("one", id="a")))
    (got,) = client.ask({"type": "conversation.item.retrieve", "item_id": "a"})
    assert got["item"]["content"] == [{"type": "input_text", "text": "one"}]
    cut = {"item_id": "a", "content_index": 0, "audio_end_ms": 90}
    (event,) = client.ask({"type": "conversation.item.truncate", **cut})
    assert {name: event[name] for name in cut} == cut
    (event,) = client.ask({"type": "conversation.item.delete", "item_id": "a"})
    assert (event["type"], event["item_id"]) == ("conversation.item.deleted", "a")


def test_a_bare_response_is_as_the_session_has_it(client: Any) -> None:
    client.ask({"type": "response.create", "event_id": "e1"})
    assert client.session.calls[-1] == ("respond", ResponseRequest(event_id="e1"))
    assert asked(client) == ResponseRequest(event_id="e1")


def test_a_response_may_differ_from_the_session(client: Any) -> None:
    client.ask(create(text("earlier", id="a")))
    request = asked(
        client,
        conversation="none",
        instructions="Be short.",
        output_modalities=["text"],
        audio={"output": {"voice": "marin", "format": {"type": "audio/pcm", "rate": 24000}}},
        tools=[{"type": "function", "name": "f"}],
        tool_choice={"type": "function", "name": "f"},
        max_output_tokens=20,
        metadata={"topic": "x"},
        input=[{"type": "item_reference", "id": "a"}, text("now", id="n")],
    )
    assert request == ResponseRequest(
        in_conversation=False,
        instructions="Be short.",
        modality="text",
        voice="joe",
        tools=(ToolSpec("f", "", {}),),
        tool_choice="f",
        max_output_tokens=20,
        input=(
            Message("a", "user", (Part("text", "earlier"),)),
            Message("n", "user", (Part("text", "now"),)),
        ),
        metadata={"topic": "x"},
        asked={"voice": "marin", "max_output_tokens": 20},
        event_id="e1",
    )


def test_a_response_shows_its_own_voice_and_limit_in_the_client_s_words(client: Any) -> None:
    request = asked(client, audio={"output": {"voice": "marin"}}, max_output_tokens="inf")
    own = client.told(frames.ResponseStarted("resp_1", 1, "audio", True, {}, request.asked))
    plain = client.told(frames.ResponseStarted("resp_2", 2, "audio", True, {}))
    session = client.outlet.events[0]["session"]
    shown = [events[0]["response"] for events in (own, plain)]
    assert [response["audio"]["output"]["voice"] for response in shown] == [
        "marin",
        session["audio"]["output"]["voice"],
    ]
    client.ask(
        {"type": "session.update", "session": {"type": "realtime", "max_output_tokens": 500}}
    )
    (updated,) = client.told(frames.ResponseStarted("resp_3", 3, "audio", True, {}, request.asked))
    assert updated["response"]["max_output_tokens"] == "inf"
    (updated,) = client.told(frames.ResponseStarted("resp_4", 4, "audio", True, {}))
    assert updated["response"]["max_output_tokens"] == 500


def test_an_empty_input_is_not_the_history(client: Any) -> None:
    assert asked(client, input=[]).input == ()


def test_one_response_cannot_have_a_format_of_its_own(client: Any) -> None:
    wanted = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    error = client.error({"type": "response.create", "response": wanted})
    assert error["param"] == "response.audio.output.format"


def test_a_client_that_comes_back_is_told_the_history(client: Any, new_client: Any) -> None:
    client.ask({"type": "session.update", "session": {"type": "realtime", "instructions": "Hi."}})
    client.ask(create(text("one", id="a")))
    client.ask(create(text("two", "assistant", id="b")))
    client.told(frames.ResponseStarted("resp_1", 1, "audio", True, {}))
    again = type(client.outlet)()
    assert client.realtime.leave(client.outlet)
    client.told(frames.ItemDeleted("x"))
    client.realtime.reopen(again)
    created, *items = again.events
    assert created["session"]["id"] == "sess_1"
    assert created["session"]["instructions"] == "Hi."
    assert [(e["type"], e["previous_item_id"], e["item"]["id"]) for e in items] == [
        ("conversation.item.added", None, "a"),
        ("conversation.item.done", None, "a"),
        ("conversation.item.added", "a", "b"),
        ("conversation.item.done", "a", "b"),
    ]
    assert not client.realtime.leave(client.outlet)  # the old socket has no say any more


def test_a_ping_is_answered_to_who_asked(client: Any) -> None:
    (pong,) = client.ask({"type": "voiceforge.ping"})
    assert pong["type"] == "voiceforge.pong"
