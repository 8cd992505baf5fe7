"""Who is told what: the client and the sidebands beside it, without sockets."""

import json
from typing import Any

import pytest

from engine import frames
from engine.errors import RequestError
from engine.items import Message, Part
from transports.realtime.audience import MOST_SIDEBANDS

ITEM = Message("item_a", "assistant", (Part("audio", "Hi."),), "in_progress")


def kinds(outlet: Any) -> list[str]:
    return [event["type"] for event in outlet.events]


def beside(client: Any) -> Any:
    """A sideband of the client's session."""
    outlet = type(client.outlet)()
    client.realtime.join(outlet)
    return outlet


def ask(client: Any, sideband: Any, **event: Any) -> None:
    client.realtime.receive(json.dumps(event), sideband)


def test_a_sideband_is_greeted_with_the_session_but_not_its_secret(client: Any) -> None:
    created, *more = beside(client).events
    assert (created["type"], more) == ("session.created", [])
    assert created["session"]["id"] == "sess_1"
    assert created["session"]["voiceforge"]["resume"] is None
    assert client.outlet.events[0]["session"]["voiceforge"]["resume"] == "secret"


def test_a_sideband_hears_all_that_the_client_does_but_the_audio(client: Any) -> None:
    sideband = beside(client)
    client.told(
        frames.ResponseStarted("resp_1", 1, "audio", True, {}),
        frames.ReplyItemStarted("resp_1", 0, ITEM, None),
        frames.ReplyText("resp_1", "item_a", 0, "Hi.", True),
        frames.ReplyAudio("resp_1", "item_a", 0, bytes(960), 24_000),
        frames.ReplyItemDone("resp_1", 0, ITEM),
        frames.ResponseEnded("resp_1", "completed", None, None, (ITEM,), frames.Usage()),
    )
    assert "response.output_audio.delta" in kinds(client.outlet)
    silent = [e for e in client.outlet.events if e["type"] != "response.output_audio.delta"]
    assert sideband.events[1:] == silent[1:]


def test_an_update_by_a_sideband_is_told_to_all_and_the_secret_to_the_client(client: Any) -> None:
    sideband, other = beside(client), beside(client)
    ask(client, sideband, type="session.update", session={"type": "realtime", "instructions": "Hi"})
    for outlet, secret in ((client.outlet, "secret"), (sideband, None), (other, None)):
        updated = outlet.events[-1]
        assert updated["type"] == "session.updated"
        assert updated["session"]["instructions"] == "Hi"
        assert updated["session"]["voiceforge"]["resume"] == secret
    assert client.session.settings.instructions == "Hi"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "no.such.event", "event_id": "e1"},
        {"type": "conversation.item.delete", "item_id": "nothing", "event_id": "e1"},
        {"type": "session.update", "session": {"type": "realtime", "voice": 1}, "event_id": "e1"},
    ],
)
def test_an_error_goes_to_who_sent_the_event(client: Any, event: dict[str, Any]) -> None:
    sideband, other = beside(client), beside(client)
    ask(client, sideband, **event)
    assert sideband.events[-1]["error"]["event_id"] == "e1"
    assert "error" not in kinds(other) + kinds(client.outlet)
    client.error(event)
    assert kinds(sideband).count("error") == 1
    assert "error" not in kinds(other)


def test_a_response_refused_later_is_told_to_who_asked_for_it(client: Any) -> None:
    sideband = beside(client)
    late = frames.Failure("invalid_request_error", "conversation_already_has_active_response", "no")
    ask(client, sideband, type="response.create")
    client.told(late)
    assert kinds(sideband)[-1] == "error"
    assert "error" not in kinds(client.outlet)
    client.ask({"type": "response.create"})
    client.told(late)
    assert kinds(sideband).count("error") == 1
    assert kinds(client.outlet)[-1] == "error"


def test_a_failure_of_the_server_is_told_to_all(client: Any) -> None:
    sideband = beside(client)
    client.told(frames.Failure("server_error", "worker_lost", "the worker was lost"))
    assert kinds(sideband)[-1] == kinds(client.outlet)[-1] == "error"


def test_a_payload_that_a_model_refused_is_told_to_all(client: Any) -> None:
    sideband = beside(client)
    client.told(frames.Failure("invalid_request_error", "bad_payload", "language is 'tlh'"))
    assert kinds(sideband)[-1] == kinds(client.outlet)[-1] == "error"


def test_an_item_is_shown_to_who_asked_for_it(client: Any) -> None:
    client.session.history.add(ITEM)
    sideband = beside(client)
    ask(client, sideband, type="conversation.item.retrieve", item_id="item_a")
    assert kinds(sideband)[-1] == "conversation.item.retrieved"
    assert "conversation.item.retrieved" not in kinds(client.outlet)


def test_while_the_client_is_away_a_sideband_goes_on_but_not_with_speech(client: Any) -> None:
    sideband = beside(client)
    assert client.realtime.leave(client.outlet)
    before = len(client.outlet.texts)
    ask(client, sideband, type="session.update", session={"type": "realtime", "instructions": "Hi"})
    assert kinds(sideband)[-1] == "session.updated"
    assert ("greet", None) not in client.session.calls
    text = {"output_modalities": ["text"]}
    ask(client, sideband, type="response.create", response=text)
    assert client.session.calls[-1][0] == "respond"
    asked = list(client.session.calls)
    for refused in (
        {"type": "response.create"},
        {"type": "input_audio_buffer.append", "audio": "AAAA"},
        {"type": "input_audio_buffer.commit"},
    ):
        ask(client, sideband, **refused)
        assert sideband.events[-1]["error"]["code"] == "client_away"
    assert client.session.calls == asked
    assert client.session.heard == b""
    assert len(client.outlet.texts) == before


def test_a_client_that_comes_back_is_told_the_history_and_its_sideband_is_not(
    client: Any,
) -> None:
    client.session.history.add(ITEM)
    sideband = beside(client)
    client.realtime.leave(client.outlet)
    before = len(sideband.texts)
    again = type(client.outlet)()
    client.realtime.reopen(again)
    assert kinds(again) == [
        "session.created",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert len(sideband.texts) == before
    client.told(frames.InputCleared())
    assert kinds(again)[-1] == kinds(sideband)[-1] == "input_audio_buffer.cleared"


def test_a_sideband_that_left_hears_nothing_more(client: Any) -> None:
    sideband = beside(client)
    client.realtime.part(sideband)
    client.realtime.part(sideband)
    client.told(frames.InputCleared())
    assert kinds(sideband) == ["session.created"]


@pytest.mark.parametrize(("reason", "code"), [("client_left", 1000), ("failed", 1011)])
def test_the_end_of_a_session_closes_its_sidebands(client: Any, reason: Any, code: int) -> None:
    sideband = beside(client)
    client.realtime.leave(client.outlet)
    client.told(frames.SessionEnded(reason, "over"))
    assert kinds(sideband)[-1] == "voiceforge.session.ended"
    assert sideband.closed == (code, reason)


def test_a_session_has_so_many_sidebands_and_no_more(client: Any) -> None:
    crowd = [beside(client) for _ in range(MOST_SIDEBANDS)]
    with pytest.raises(RequestError) as refused:
        beside(client)
    assert refused.value.code == "too_many_sidebands"
    client.realtime.part(crowd[0])
    beside(client)
