"""What the client is told: shapes that the openai package's own types accept, in the GA order."""

import base64
from typing import Any

import pytest
from msgspec.structs import replace
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from engine import frames
from engine.items import FunctionCall, FunctionOutput, Item, Message, Part

STOCK: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

SPOKEN = Message("item_a", "assistant", (), "in_progress")
SAID = Message("item_a", "assistant", (Part("audio", "Good evening."),))
WRITTEN = Message("item_a", "assistant", (Part("text", "Good evening."),))
CALL = FunctionCall("item_c", "call_1", "weather", "", "in_progress")
CALLED = FunctionCall("item_c", "call_1", "weather", '{"city":"Oslo"}')
USER = Message("item_u", "user", (Part("audio", None),))


class Speaker:
    """Hears speech that is in no event."""

    lead_ms = frame_ms = 20
    rate_hz = 24_000
    delay_ms = 60

    def __init__(self) -> None:
        self.heard = b""

    def say(self, pcm: bytes) -> None:
        self.heard += pcm


def response(*inside: frames.Frame, items: tuple[Item, ...], **how: Any) -> list[frames.Frame]:
    return [
        frames.ResponseStarted(
            "resp_1",
            1,
            how.get("modality", "audio"),
            how.get("in_conversation", True),
            how.get("metadata", {}),
        ),
        *inside,
        frames.ResponseEnded(
            "resp_1",
            how.get("status", "completed"),
            how.get("reason"),
            how.get("message"),
            items,
            frames.Usage(10, 5, 2, 900),
        ),
    ]


def spoken(done: Message = SAID) -> list[frames.Frame]:
    return [
        frames.ReplyItemStarted("resp_1", 0, SPOKEN, "item_u"),
        frames.ReplyText("resp_1", "item_a", 0, "Good ", True),
        frames.ReplyAudio("resp_1", "item_a", 0, b"\1\0" * 480, 24_000),
        frames.ReplyText("resp_1", "item_a", 0, "evening.", True),
        frames.ReplyItemDone("resp_1", 0, done),
    ]


CALLING: list[frames.Frame] = [
    frames.ReplyItemStarted("resp_1", 0, CALL, "item_u"),
    frames.ReplyArguments("resp_1", "item_c", 0, "call_1", '{"city":'),
    frames.ReplyArguments("resp_1", "item_c", 0, "call_1", '"Oslo"}'),
    frames.ReplyItemDone("resp_1", 0, CALLED),
]
OWN = replace(CALL, ours=True)
OWN_CALLED = replace(CALLED, ours=True)
SUNNY = replace(OWN_CALLED, output='{"sky":"sunny"}')
BROKEN = replace(OWN_CALLED, output="the shop does not answer", failed=True)

OWN_CALLING: list[frames.Frame] = [
    frames.ReplyItemStarted("resp_1", 0, OWN, "item_u"),
    frames.ReplyArguments("resp_1", "item_c", 0, "call_1", '{"city":"Oslo"}'),
    frames.ReplyItemDone("resp_1", 0, OWN_CALLED),
]

EVERYTHING: list[frames.Frame] = [
    frames.SpeechStarted("item_u", 320),
    frames.SpeechStopped("item_u", 1_500),
    frames.IdleTimeout("item_i", 0, 6_000),
    frames.InputCommitted("item_u", None),
    frames.InputCommitted("item_u", "item_a"),
    frames.InputCleared(),
    frames.CallerTranscriptDelta("item_u", "good "),
    frames.CallerTranscript("item_u", "good evening", 1.2),
    frames.CallerTranscriptFailed("item_u", "stt_down", "the transcriber is down: try again"),
    frames.ItemAdded(USER, None, True),
    frames.ItemAdded(SAID, "item_u", False),
    frames.ItemAdded(Message("item_s", "system", (Part("text", "Be kind."),)), "item_u", True),
    frames.ItemAdded(CALLED, "item_u", True),
    frames.ItemAdded(FunctionOutput("item_o", "call_1", "rain"), "item_c", True),
    frames.ItemDeleted("item_u"),
    frames.ItemTruncated("item_a", 640),
    frames.PlaybackStarted("resp_1"),
    frames.PlaybackStopped("resp_1"),
    frames.PlaybackCleared("resp_1"),
    frames.Failure("server_error", "llm_down", "the LLM endpoint does not answer", "x", "e"),
    *response(*spoken(), items=(SAID,), metadata={"topic": "a"}),
    *response(*CALLING, items=(CALLED,)),
    *response(*OWN_CALLING, items=(OWN_CALLED,)),
    frames.CallEnded("resp_1", 0, SUNNY),
    *response(*OWN_CALLING, items=(OWN_CALLED,)),
    frames.CallEnded("resp_1", 0, BROKEN),
    *response(*spoken(), items=(SAID,), status="cancelled", reason="turn_detected"),
    *response(items=(), status="incomplete", reason="max_output_tokens"),
    *response(items=(), status="failed", reason="llm_down", message="start the endpoint"),
]


def transcribing(new_client: Any, **options: Any) -> Any:
    client = new_client(**options)
    wanted = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    client.ask({"type": "session.update", "session": wanted})
    return client


def test_every_event_has_the_stock_client_s_shape(new_client: Any) -> None:
    client = transcribing(new_client)
    client.told(*EVERYTHING)
    client.realtime.reopen(client.outlet, Speaker())
    client.told(*EVERYTHING)
    client.session.history.add(USER)
    client.ask({"type": "conversation.item.retrieve", "item_id": "item_u"})
    seen = set()
    for event in client.outlet.events:
        parsed = STOCK.validate_python(event)
        assert parsed.type == event["type"], event  # a union may fall back to another member
        seen.add(event["type"])
        extra = {
            name: value
            for name, value in (parsed.model_extra or {}).items()
            if name not in ("previous_item_id",)
        }
        assert not extra, (event["type"], extra)
    assert len({event["event_id"] for event in client.outlet.events}) == len(client.outlet.events)
    assert seen == {
        "session.created",
        "session.updated",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "input_audio_buffer.committed",
        "input_audio_buffer.cleared",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.timeout_triggered",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "rate_limits.updated",
        "response.created",
        "response.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "error",
    }


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_a_spoken_reply_comes_in_the_ga_order(client: Any) -> None:
    events = client.told(*response(*spoken(), items=(SAID,)))
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert base64.b64decode(events[5]["delta"]) == b"\1\0" * 480
    assert events[5]["item_id"] == "item_a"
    assert events[2]["previous_item_id"] == "item_u"
    assert events[8]["transcript"] == "Good evening."
    done = events[12]["response"]
    assert done["status"] == "completed"
    assert done["conversation_id"].startswith("conv_")
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "Good evening."}]
    assert done["usage"]["total_tokens"] == 15


def test_a_written_reply_comes_in_the_ga_order(client: Any) -> None:
    inside = [
        frames.ReplyItemStarted("resp_1", 0, SPOKEN, "item_u"),
        frames.ReplyText("resp_1", "item_a", 0, "Good evening.", False),
        frames.ReplyItemDone("resp_1", 0, WRITTEN),
    ]
    events = client.told(*response(*inside, items=(WRITTEN,), modality="text"))
    assert types(events)[3:8] == [
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
    ]
    assert events[6]["part"] == {"type": "text", "text": "Good evening."}
    STOCK.validate_python(events[5])


def test_a_function_call_comes_in_the_ga_order(client: Any) -> None:
    events = client.told(*response(*CALLING, items=(CALLED,)))
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (events[5]["name"], events[5]["arguments"]) == ("weather", '{"city":"Oslo"}')


def test_a_call_that_the_server_runs_is_shown_as_an_mcp_server_s(client: Any) -> None:
    events = client.told(*response(*OWN_CALLING, items=(OWN_CALLED,)))
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    done, ended = client.told(frames.CallEnded("resp_1", 0, SUNNY))
    assert done["type"] == "response.mcp_call.completed"
    assert (ended["type"], ended["previous_item_id"]) == ("conversation.item.done", "item_u")
    assert ended["item"]["server_label"] == "voiceforge"
    assert (ended["item"]["output"], ended["item"]["error"]) == ('{"sky":"sunny"}', None)
    assert client.told(frames.CallEnded("resp_1", 0, SUNNY)) == []


def test_a_call_that_failed_says_why(client: Any) -> None:
    client.told(*response(*OWN_CALLING, items=(OWN_CALLED,)))
    failed, ended = client.told(frames.CallEnded("resp_1", 0, BROKEN))
    assert failed["type"] == "response.mcp_call.failed"
    assert ended["item"]["error"]["message"] == "the shop does not answer"
    assert ended["item"]["output"] is None


def test_a_cut_reply_ends_with_what_was_heard(client: Any) -> None:
    heard = Message("item_a", "assistant", (Part("audio", "Good"),), "incomplete")
    events = client.told(
        *response(*spoken(heard), items=(heard,), status="cancelled", reason="turn_detected")
    )
    by_type = {event["type"]: event for event in events}
    assert by_type["response.output_audio_transcript.done"]["transcript"] == "Good"
    assert by_type["response.done"]["response"]["status_details"] == {
        "type": "cancelled",
        "reason": "turn_detected",
    }


def test_an_out_of_band_reply_touches_no_conversation(client: Any) -> None:
    events = client.told(*response(*spoken(), items=(SAID,), in_conversation=False))
    assert not [kind for kind in types(events) if kind.startswith("conversation.")]
    assert events[0]["response"]["conversation_id"] is None


def test_a_failed_reply_says_what_to_do(client: Any) -> None:
    events = client.told(
        *response(items=(), status="failed", reason="llm_down", message="start the endpoint")
    )
    assert events[-2]["response"]["status_details"]["error"] == {
        "type": "server_error",
        "code": "llm_down",
        "message": "start the endpoint",
    }


def test_late_output_of_a_retired_response_is_dropped(client: Any) -> None:
    client.told(*response(*spoken(), items=(SAID,)))
    assert client.told(*spoken(), *CALLING) == []


def test_transcripts_come_only_when_asked_for(client: Any, new_client: Any) -> None:
    said = frames.CallerTranscript("item_u", "good evening", 1.2)
    assert client.told(said) == []
    assert len(transcribing(new_client).told(said)) == 1


def test_playback_is_not_announced_over_a_websocket(client: Any) -> None:
    assert client.told(frames.PlaybackStarted("resp_1"), frames.PlaybackCleared("resp_1")) == []


@pytest.mark.parametrize(("kind", "size"), [("audio/pcmu", 320), ("audio/pcma", 320)])
def test_g711_replies_are_sent_as_g711(client: Any, kind: str, size: int) -> None:
    audio = {"output": {"format": {"type": kind}}, "input": {"format": {"type": kind}}}
    wanted = {"type": "realtime", "audio": audio}
    client.ask({"type": "session.update", "session": wanted})
    assert client.realtime.rate_hz == 8_000
    started = frames.ReplyItemStarted("resp_1", 0, SPOKEN, None)
    begun = frames.ResponseStarted("resp_1", 1, "audio", True, {})
    pcm = frames.ReplyAudio("resp_1", "item_a", 0, bytes(640), 8_000)
    events = client.told(begun, started, pcm)
    assert len(base64.b64decode(events[-1]["delta"])) == size
    client.ask(
        {"type": "input_audio_buffer.append", "audio": base64.b64encode(b"\xff" * 160).decode()}
    )
    assert len(client.session.heard) == 640
    wanted["audio"]["output"]["format"]["type"] = "audio/pcm"  # type: ignore[index]
    assert client.error({"type": "session.update", "session": wanted})["code"] == "response_active"


def test_an_answer_prepared_before_the_format_changed_is_sent_in_the_new_one(client: Any) -> None:
    audio = {"output": {"format": {"type": "audio/pcmu"}}}
    client.ask({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
    begun = frames.ResponseStarted("resp_1", 1, "audio", True, {})
    started = frames.ReplyItemStarted("resp_1", 0, SPOKEN, None)
    prepared = [frames.ReplyAudio("resp_1", "item_a", 0, bytes(1920), 24_000)] * 25
    events = client.told(begun, started, *prepared, frames.ReplyItemDone("resp_1", 0, SAID))
    deltas = [e["delta"] for e in events if e["type"] == "response.output_audio.delta"]
    assert len(b"".join(map(base64.b64decode, deltas))) == pytest.approx(8_000, abs=8)
    kinds = types(events)
    last = len(kinds) - 1 - kinds[::-1].index("response.output_audio.delta")
    assert last < kinds.index("response.output_audio.done")


def test_a_measured_turn_is_an_own_event(client: Any) -> None:
    (event,) = client.told(frames.TurnMeasured("resp_1", {"first_audio": 612.5}, True))
    del event["event_id"]
    assert event == {
        "type": "voiceforge.turn.measured",
        "response_id": "resp_1",
        "stages": {"first_audio": 612.5},
        "prepared": True,
    }


def test_what_is_cited_is_an_own_event_and_shows_no_passage(client: Any) -> None:
    passage = frames.Passage("doc_1", "7", "Opening hours", "We open at nine.", 0.5)
    (event,) = client.told(frames.Cited("resp_1", (passage,)))
    assert event["type"] == "voiceforge.knowledge.cited"
    assert event["passages"] == [
        {"document_id": "doc_1", "passage_id": "7", "title": "Opening hours", "score": 0.5}
    ]


@pytest.mark.parametrize(("reason", "code"), [("failed", 1011), ("drained", 1000)])
def test_the_end_is_told_and_closes_the_socket(client: Any, reason: str, code: int) -> None:
    (event,) = client.told(frames.SessionEnded(reason, "why"))
    assert (event["type"], event["reason"]) == ("voiceforge.session.ended", reason)
    assert client.outlet.closed == (code, reason)
    assert client.ask("{") == []


def test_the_longest_duration_is_an_expired_session(client: Any) -> None:
    events = client.told(frames.SessionEnded("longest_duration", ""))
    assert types(events) == ["error", "voiceforge.session.ended"]
    assert events[0]["error"]["code"] == "session_expired"
