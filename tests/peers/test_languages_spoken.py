"""Texts in other languages, spoken for programs."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from openai import AsyncOpenAI, BadRequestError

from actors.voices.catalogue import catalogue
from tests.peers.sound import word_error_rate
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

GERMAN = "Guten Morgen. Wo ist bitte der Bahnhof? Ich möchte heute nach Berlin fahren."

THIRTY = [
    *("af", "ar", "bg", "bn", "ca", "cmn", "cs", "cy", "da", "de", "el", "es", "et", "fa", "fi"),
    *("fr", "hi", "hu", "id", "it", "ko", "lt", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk"),
]


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        yield client


async def test_german_is_spoken_and_heard_as_german(client: AsyncOpenAI) -> None:
    raw = await client.audio.speech.with_raw_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input=GERMAN, response_format="flac"
    )
    assert raw.headers["x-voiceforge-voice"] == "espeak-de"
    assert raw.headers["x-voiceforge-engine"] == "espeak"
    heard = await client.audio.transcriptions.create(
        model="whisper-1", file=("a.flac", raw.content), response_format="verbose_json"
    )
    assert heard.language == "de"
    assert word_error_rate(heard.text, GERMAN) <= 0.6  # espeak-ng, and the smaller Whisper


@pytest.mark.parametrize("language", THIRTY)
async def test_a_language_is_spoken_by_who_reads_it(client: AsyncOpenAI, language: str) -> None:
    """So that each says about as much as it would in English, and is no silence."""
    reads = [voice for voice in catalogue().of_language(language) if voice.engine == "espeak"]
    raw = await client.audio.speech.with_raw_response.create(
        model="tts-1",
        voice="alloy",
        input=reads[0].sample,
        response_format="pcm",
        extra_body={"language": language},
    )
    assert raw.headers["x-voiceforge-engine"] == "espeak"
    sound = np.frombuffer(raw.content, "<i2").astype(float)
    assert 1.5 < len(sound) / 24_000 < 15
    assert np.sqrt(np.mean(sound**2)) > 300


async def test_a_text_in_two_scripts_has_two_voices(client: AsyncOpenAI) -> None:
    raw = await client.audio.speech.with_raw_response.create(
        model="tts-1",
        voice="nova",
        input="This is the Russian word for it: аптека. That is all.",
        response_format="pcm",
    )
    assert raw.headers["x-voiceforge-voice"] == "en_US-joe-medium, espeak-ru"
    assert len(raw.content) > 24_000 * 2 * 2


async def test_a_voice_that_cannot_read_a_text_is_an_error(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match="reads en-US and no ru"):
        await client.audio.speech.create(
            model="tts-1", voice="joe", input="Где находится ближайшая аптека?"
        )
