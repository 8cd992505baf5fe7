"""SSML as it sounds, through the unmodified SDKs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from elevenlabs.client import AsyncElevenLabs
from openai import AsyncOpenAI, BadRequestError

from tests.peers.sound import transcribed
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

SECOND = 24_000 * 2
BOMB = (
    "<!DOCTYPE speak [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"
    "<speak>&c;</speak>"
)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        yield client


async def said(client: AsyncOpenAI, marked: str, voice: str = "joe") -> bytes:
    answer = await client.audio.speech.create(
        model="tts-1", voice=voice, input=f"<speak>{marked}</speak>", response_format="pcm"
    )
    return answer.content


async def test_what_is_to_be_said_in_its_place_is_heard(client: AsyncOpenAI) -> None:
    audio = await said(
        client,
        "Please call <sub alias='the doctor'>DR</sub> on"
        " <say-as interpret-as='ordinal'>3</say-as> Street.",
    )
    assert "the doctor on 3rd street" in transcribed(audio).lower()


@pytest.mark.parametrize("voice", ["joe", "jf_alpha"])
async def test_phonemes_are_heard_from_every_voice_that_is_given_them(
    client: AsyncOpenAI, voice: str
) -> None:
    marked = "I would like a <phoneme ph='{}'>zzyx</phoneme>, please, and nothing else today."
    computer = transcribed(await said(client, marked.format("kəmˈpjuːtɚ"), voice)).lower()
    potato = transcribed(await said(client, marked.format("pəˈteɪtoʊ"), voice)).lower()
    assert "computer" in computer
    assert "potato" in potato


async def test_a_pause_is_as_long_as_it_is_asked_to_be(client: AsyncOpenAI) -> None:
    without = await said(client, "One sentence. And another.")
    pause = await said(client, "One sentence. <break time='2s'/>And another.")
    assert (len(pause) - len(without)) / SECOND == pytest.approx(2, abs=0.4)
    assert bytes(round(1.9 * SECOND) // 2 * 2) in pause


async def test_what_is_to_be_slow_takes_longer(client: AsyncOpenAI) -> None:
    text = "What is the largest ocean on earth?"
    slow = await said(client, f"<prosody rate='60%'>{text}</prosody>")
    assert len(slow) / len(await said(client, text)) == pytest.approx(1 / 0.6, rel=0.15)


async def test_another_language_is_spoken_by_who_can(client: AsyncOpenAI) -> None:
    answer = await client.audio.speech.with_raw_response.create(
        model="tts-1",
        voice="alloy",
        input="<speak>Say <lang xml:lang='fr'>bonjour</lang> and <emphasis>go</emphasis>.</speak>",
    )
    assert answer.headers["x-voiceforge-engine"] == "piper, espeak"
    assert answer.headers["x-voiceforge-warning"] == "ignored: emphasis"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<speak>Hi", "every tag has to be closed"),
        ("<speak><break time='9 years'/></speak>", "time of <break>"),
        (BOMB, "a document type"),
        ("<speak></speak>", "letters or digits"),
    ],
)
async def test_what_cannot_be_read_is_told(client: AsyncOpenAI, text: str, told: str) -> None:
    with pytest.raises(BadRequestError, match=told):
        await client.audio.speech.create(model="tts-1", voice="alloy", input=text)


async def test_elevenlabs_tags_stand_in_a_plain_text(server: Server) -> None:
    client = AsyncElevenLabs(base_url=server.url, api_key=server.key)
    usual: dict[str, Any] = {"voice_id": "joe", "output_format": "pcm_24000"}

    async def spoken(text: str) -> bytes:
        return b"".join(
            [piece async for piece in client.text_to_speech.convert(text=text, **usual)]
        )

    paused = await spoken("AT&T & you. <break time='1.0s'/> Good morning.")
    assert len(paused) - len(await spoken("AT&T & you. Good morning.")) == pytest.approx(
        SECOND, rel=0.3
    )
    timed = await client.text_to_speech.convert_with_timestamps(
        voice_id="joe", text="<speak>Wait. <break time='2s'/>Now.</speak>"
    )
    assert timed.alignment is not None
    assert "".join(timed.alignment.characters) == "Wait. Now."
    assert timed.alignment.character_start_times_seconds[6] > 2
    await client._client_wrapper.httpx_client.httpx_client.aclose()
