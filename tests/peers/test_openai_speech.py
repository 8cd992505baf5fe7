"""Text that is spoken, through the `openai` Python SDK."""

import io
from collections.abc import AsyncIterator
from typing import Any, Literal

import numpy as np
import pytest
import soundfile
from openai import AsyncOpenAI, BadRequestError, NotFoundError

from tests.peers.sound import transcribed, word_error_rate
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

TEXT = "What is the largest ocean on earth? Please tell me about the history of this old city."
LONG = " ".join(f"This is sentence number {number} of a very long book." for number in range(200))

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        yield client


def heard(name: Format, audio: bytes) -> str:
    """What a recogniser makes of it."""
    if name == "pcm":
        return transcribed(audio)
    sound, rate_hz = soundfile.read(io.BytesIO(audio), dtype="float32")
    at = np.arange(0, len(sound), rate_hz / 24_000)
    pcm = np.interp(at, np.arange(len(sound)), sound)
    return transcribed((pcm * 32767).astype("<i2").tobytes())


async def test_aac_says_the_text_too(client: AsyncOpenAI) -> None:
    """No library of ours but the transcriptions' reads it."""
    answer = await client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input=TEXT, response_format="aac"
    )
    told = await client.audio.transcriptions.create(
        model="whisper-1", file=("speech.aac", answer.content)
    )
    assert word_error_rate(told.text, TEXT) <= 0.15


@pytest.mark.parametrize("name", ["mp3", "opus", "flac", "wav", "pcm"])
async def test_what_is_spoken_says_the_text_in_every_format(
    client: AsyncOpenAI, name: Format
) -> None:
    answer = await client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input=TEXT, response_format=name
    )
    assert word_error_rate(heard(name, answer.content), TEXT) <= 0.15


async def test_speed_makes_it_shorter(client: AsyncOpenAI) -> None:
    async def length(speed: float) -> int:
        answer = await client.audio.speech.create(
            model="tts-1", voice="joe", input=TEXT, response_format="pcm", speed=speed
        )
        return len(answer.content)

    assert await length(1.6) == pytest.approx(await length(1.0) / 1.6, rel=0.15)


async def test_audio_comes_while_it_is_made_and_in_events(client: AsyncOpenAI) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        voice="ash",
        input=TEXT,
        response_format="wav",
        stream_format="sse",
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        kinds = [
            "delta" if "speech.audio.delta" in line else "done"
            async for line in answer.iter_lines()
            if line.startswith("data: ")
        ]
    assert kinds == ["delta"] * (len(kinds) - 1) + ["done"]
    assert len(kinds) > 3


async def test_a_client_that_has_heard_enough_stops_the_work(
    server: Server, client: AsyncOpenAI
) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="joe", input=LONG, response_format="pcm"
    ) as answer:
        async for piece in answer.iter_bytes():
            assert piece
            break
    after = await client.audio.speech.create(
        model="tts-1", voice="joe", input="Hello there.", response_format="pcm"
    )
    assert len(after.content) < 24_000 * 2 * 3
    assert [line for line in server.logged() if line["level"] == "error"] == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"input": ""}, "input"),
        ({"input": "x" * 100_001}, "input"),
        ({"input": "🎉🎉"}, "letters or digits"),
        ({"input": "?!... \n\t"}, "letters or digits"),
        ({"voice": "bob"}, "unknown voice 'bob'"),
        ({"model": "gpt-9"}, "unknown model 'gpt-9'"),
        ({"response_format": "amr"}, "it may be aac, flac, mp3, opus, pcm, wav"),
        ({"speed": 9}, "speed"),
    ],
)
async def test_what_cannot_be_spoken_is_told(
    client: AsyncOpenAI, wanted: dict[str, Any], told: str
) -> None:
    usual = {"model": "tts-1", "voice": "alloy", "input": "Hello."}
    with pytest.raises(BadRequestError, match=told):
        await client.audio.speech.create(**{**usual, **wanted})


async def test_a_dictionary_that_is_not_there_is_named(client: AsyncOpenAI) -> None:
    named = [{"pronunciation_dictionary_id": "pd_none"}]
    with pytest.raises(NotFoundError, match="no pronunciation dictionary 'pd_none'"):
        await client.audio.speech.create(
            model="tts-1",
            voice="alloy",
            input="Hello.",
            extra_body={"pronunciation_dictionaries": named},
        )


async def test_control_characters_are_no_speech(client: AsyncOpenAI) -> None:
    answer = await client.audio.speech.create(
        model="tts-1",
        voice="alloy",
        input="Good\x07 morning,\x00 everybody.",
        response_format="pcm",
    )
    assert word_error_rate(transcribed(answer.content), "Good morning everybody.") <= 0.4
