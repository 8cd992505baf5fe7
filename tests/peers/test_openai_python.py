"""Conversations through the `openai` Python SDK, as anybody would have them."""

import asyncio
from functools import partial
from typing import Any

import pytest
from openai import AsyncOpenAI, AuthenticationError, PermissionDeniedError

from bench.hearsay import words
from tests.peers.caller import Caller, calling, said, speaking
from tests.peers.sound import (
    PHONE_HZ,
    clip,
    from_g711,
    g711,
    history_error,
    transcribed,
    word_error_rate,
)
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

OCEAN = "What is the largest ocean on earth?"
BRIEF = "Answer in one short sentence."
AT_LENGTH = "You tell long stories."
STORY = "Tell me a long story about a lighthouse."
ORDER_STATUS = {
    "type": "function",
    "name": "order_status",
    "description": "Tells where an order is.",
    "parameters": {
        "type": "object",
        "properties": {"number": {"type": "string", "description": "the order's number"}},
        "required": ["number"],
    },
}


def pcm_in(**more: object) -> dict[str, object]:
    """The audio block of a session that gets 24 kHz PCM and wants the caller's words."""
    return {"input": {"transcription": {"model": "gpt-4o-transcribe"}, **more}}


def complaints(caller: Caller) -> list[object]:
    return [event.error for event in caller.all("error")]


async def test_a_spoken_question_gets_a_spoken_answer(server: Server) -> None:
    async with calling(server, instructions=BRIEF, audio=pcm_in()) as caller:
        async with speaking(caller) as line:
            await line.say(clip(OCEAN))
            asked = await caller.until("conversation.item.input_audio_transcription.completed")
            done = await caller.until("response.done")
        assert word_error_rate(asked.transcript, OCEAN) <= 0.15
        assert done.response.status == "completed"
        answer = said(done.response)
        assert "pacific" in answer.lower()
        assert word_error_rate(transcribed(caller.heard(done.response.id)), answer) <= 0.15
        assert complaints(caller) == []
        order = [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "response.created",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.done",
        ]
        came = caller.kinds()
        assert [kind for kind in came if kind in order] == order
        assert len(caller.all("voiceforge.turn.measured")) == 1


async def test_a_typed_question_gets_a_written_and_then_a_spoken_answer(server: Server) -> None:
    async with calling(server, instructions=BRIEF, output_modalities=["text"]) as caller:
        assert "pacific" in (await caller.answer(OCEAN)).lower()
        assert caller.all("response.output_audio.delta") == []
        assert len(caller.all("voiceforge.turn.measured")) == 1

        await caller.connection.session.update(
            session={"type": "realtime", "output_modalities": ["audio"]}
        )
        await caller.type("Say that once more, please.")
        done = await caller.until("response.done")
        heard = transcribed(caller.heard(done.response.id))
        assert word_error_rate(heard, said(done.response)) <= 0.15
        assert complaints(caller) == []


async def test_a_function_is_called_and_its_output_told(server: Server) -> None:
    session: dict[str, Any] = {
        "output_modalities": ["text"],
        "instructions": BRIEF,
        "tools": [ORDER_STATUS],
    }
    async with calling(server, **session) as caller:
        await caller.type("Where is my order? Its number is 1234.")
        called = await caller.until("response.function_call_arguments.done")
        done = await caller.until("response.done")
        [call] = done.response.output
        assert (call.type, call.name, call.call_id) == (
            "function_call",
            "order_status",
            called.call_id,
        )
        assert "1234" in call.arguments
        await caller.connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": "It arrives on Friday.",
            }
        )
        await caller.connection.response.create()
        done = await caller.until("response.done")
        assert "friday" in said(done.response).lower()
        assert complaints(caller) == []


async def test_a_caller_who_interrupts_leaves_a_history_of_what_was_heard(server: Server) -> None:
    session: dict[str, Any] = {"instructions": AT_LENGTH, "audio": pcm_in()}
    async with calling(server, **session) as caller, speaking(caller) as line:
        await caller.type(STORY)
        await caller.until("response.output_audio.delta")
        await asyncio.sleep(4)
        await line.say(clip("I want to cancel my subscription."))
        done = await caller.until("response.done")
        assert done.response.status == "cancelled"
        assert done.response.status_details.reason == "turn_detected"
        [item] = done.response.output
        kept = await remembered(caller, item.id)
        deltas = caller.all("response.output_audio_transcript.delta")
        whole = "".join(delta.delta for delta in deltas if delta.item_id == item.id)
        assert len(words(kept)) < len(words(whole))
        assert history_error(kept, caller.heard(done.response.id), whole) <= 1, kept
        assert complaints(caller) == []

        answer = await caller.until("response.created")
        assert answer.response.id != done.response.id


async def remembered(caller: Caller, item_id: str) -> str:
    """An assistant's item as the server has it."""
    await caller.connection.conversation.item.retrieve(item_id=item_id)
    retrieved = await caller.until("conversation.item.retrieved")
    return " ".join(part.transcript or part.text or "" for part in retrieved.item.content)


async def test_a_client_truncates_to_what_it_played(server: Server) -> None:
    async with calling(server, instructions=BRIEF) as caller:
        await caller.type("Please tell me what a lighthouse is for.")
        done = await caller.until("response.done")
        [item] = done.response.output
        played_ms = len(caller.heard(done.response.id)) // 48
        await caller.connection.conversation.item.truncate(
            item_id=item.id, content_index=0, audio_end_ms=played_ms // 2
        )
        truncated = await caller.until("conversation.item.truncated")
        assert (truncated.item_id, truncated.audio_end_ms) == (item.id, played_ms // 2)
        kept = await remembered(caller, item.id)
        pcm = caller.heard(done.response.id)
        assert 0 < len(words(kept)) < len(words(said(done.response)))
        assert history_error(kept, pcm[: len(pcm) // 4 * 2], said(done.response)) <= 1, kept


async def test_a_transcription_session_only_listens(server: Server) -> None:
    async with calling(server, extra_query={"intent": "transcription"}) as caller:
        await caller.connection.session.update(
            session={
                "type": "transcription",
                "audio": {
                    "input": {
                        "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                        "turn_detection": {"type": "server_vad"},
                    }
                },
            }
        )
        await caller.until("session.updated")
        async with speaking(caller) as line:
            for text in (OCEAN, "Who invented the telephone?"):
                await line.say(clip(text))
                told = await caller.until("conversation.item.input_audio_transcription.completed")
                assert word_error_rate(told.transcript, text) <= 0.15
        assert caller.all("response.created") == []
        assert complaints(caller) == []


@pytest.mark.parametrize(("kind", "law"), [("audio/pcmu", "ULAW"), ("audio/pcma", "ALAW")])
async def test_a_telephone_s_audio_goes_both_ways(server: Server, kind: str, law: str) -> None:
    audio = pcm_in(format={"type": kind}) | {"output": {"format": {"type": kind}}}
    async with calling(server, instructions=BRIEF, audio=audio) as caller:
        async with speaking(caller, PHONE_HZ, partial(g711, law=law)) as line:
            await line.say(clip(OCEAN, PHONE_HZ))
            asked = await caller.until("conversation.item.input_audio_transcription.completed")
            done = await caller.until("response.done")
        assert word_error_rate(asked.transcript, OCEAN) <= 0.15
        heard = transcribed(from_g711(caller.heard(done.response.id), law), PHONE_HZ)
        assert word_error_rate(heard, said(done.response)) <= 0.15
        assert complaints(caller) == []


async def test_an_out_of_band_response_leaves_the_conversation_alone(server: Server) -> None:
    async with calling(server, instructions=BRIEF, output_modalities=["text"]) as caller:
        await caller.answer(OCEAN)
        await caller.connection.response.create(
            response={
                "conversation": "none",
                "metadata": {"topic": "colour"},
                "output_modalities": ["text"],
                "input": [
                    {
                        "type": "message",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "What colour is the sky?"}],
                    }
                ],
            }
        )
        done = await caller.until("response.done")
        assert done.response.metadata == {"topic": "colour"}
        assert done.response.conversation_id is None
        assert "blue" in said(done.response).lower()
        assert len(caller.all("conversation.item.added")) == 2
        [item] = done.response.output
        await caller.connection.conversation.item.retrieve(item_id=item.id)
        assert (await caller.until("error")).error.code == "item_not_found"


async def test_push_to_talk_is_answered_when_the_button_is_released(server: Server) -> None:
    audio = pcm_in(turn_detection=None)
    async with calling(server, instructions=BRIEF, audio=audio) as caller:
        async with speaking(caller) as line:
            await line.say(clip(OCEAN))
            await asyncio.sleep(1)
        assert caller.all("input_audio_buffer.speech_started") == []
        assert caller.all("response.created") == []
        await caller.connection.input_audio_buffer.commit()
        await caller.connection.response.create()
        done = await caller.until("response.done")
        assert "pacific" in said(done.response).lower()
        assert complaints(caller) == []


async def test_a_caller_whose_connection_breaks_comes_back_to_the_conversation(
    server: Server,
) -> None:
    session: dict[str, Any] = {"output_modalities": ["text"], "instructions": BRIEF}
    async with calling(server, **session) as caller:
        await caller.answer("My name is Daniel.")
        [created] = caller.all("session.created")
        unplug(caller)
    own = created.session.voiceforge
    back = {"session_id": created.session.id, "resume": own["resume"]}
    async with calling(server, extra_query=back) as caller:
        [resumed] = caller.all("session.created")
        assert resumed.session.id == created.session.id
        assert "daniel" in (await caller.answer("What is my name?")).lower()
        roles = [event.item.role for event in caller.all("conversation.item.added")]
        assert roles == ["user", "assistant", "user", "assistant"]
        assert complaints(caller) == []


def unplug(caller: Caller) -> None:
    """Lose the network: no close frame, no goodbye."""
    caller.connection._connection.transport.abort()


async def test_a_client_secret_is_made_by_the_sdk_and_begins_the_session_that_was_meant(
    server: Server,
) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        made = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={
                "type": "realtime",
                "output_modalities": ["text"],
                "instructions": BRIEF,
                "audio": {"output": {"voice": "alloy"}},
            },
        )
    assert made.value.startswith("ek_")
    assert made.session.type == "realtime"
    assert made.session.instructions == BRIEF
    async with (
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key=made.value) as browser,
        browser.realtime.connect(model="gpt-realtime") as connection,
    ):
        caller = Caller(connection)
        created = await caller.until("session.created")
        assert created.session.instructions == BRIEF
        assert "pacific" in (await caller.answer(OCEAN)).lower()
        await caller.hang_up()
        with pytest.raises(PermissionDeniedError, match="lacks the scope 'sessions'"):
            await browser.realtime.client_secrets.create()


async def test_a_wrong_key_is_told_in_the_sdks_own_way(server: Server) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="vf_wrong") as client:
        with pytest.raises(AuthenticationError, match="no such key"):
            await client.realtime.client_secrets.create()
