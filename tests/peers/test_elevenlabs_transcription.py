"""What is said in recordings, through the `elevenlabs` SDK for Python."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import (
    ExportOptions_Pdf,
    ExportOptions_SegmentedJson,
    ExportOptions_Srt,
    ExportOptions_Txt,
    SpeechToTextChunkResponseModel,
)

from bench.turns import turns
from tests.media import recording
from tests.peers.sound import word_error_rate
from tests.server.program import Server
from tests.server.test_access import asked, made

pytestmark = [pytest.mark.models, pytest.mark.peers]

HZ = 16_000
PAUSE = np.zeros(HZ // 2, np.int16)
ASKED = turns("question")[:3]
SAID = " ".join(turn.text for turn in ASKED)
SAMPLES = np.concatenate([part for turn in ASKED for part in (turn.pcm(), PAUSE)])
WAV = recording("wav", SAMPLES)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncElevenLabs]:
    client = AsyncElevenLabs(base_url=server.url, api_key=server.key)
    yield client
    await client._client_wrapper.httpx_client.httpx_client.aclose()


async def written(client: AsyncElevenLabs, **wanted: Any) -> SpeechToTextChunkResponseModel:
    answer = await client.speech_to_text.convert(**wanted)
    assert isinstance(answer, SpeechToTextChunkResponseModel)
    return answer


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "webm", "ogg", "flac"])
async def test_what_is_said_in_a_file_of_every_kind_is_written(
    client: AsyncElevenLabs, kind: str
) -> None:
    answer = await written(
        client,
        model_id="scribe_v1",
        file=(f"a.{kind}", recording(kind, SAMPLES)),
        language_code="eng",
        tag_audio_events=True,
        diarize=False,
        seed=7,
    )
    assert word_error_rate(answer.text, SAID) <= 0.2
    assert (answer.language_code, answer.language_probability) == ("eng", 1.0)
    assert answer.audio_duration_secs == pytest.approx(len(SAMPLES) / HZ, abs=0.2)


async def test_words_are_timed_where_they_are_heard(client: AsyncElevenLabs) -> None:
    answer = await written(
        client, model_id="scribe_v2", file=io.BytesIO(WAV), timestamps_granularity="character"
    )
    assert (answer.language_code, answer.additional_formats) == ("eng", None)
    assert 0.5 < answer.language_probability <= 1
    assert "".join(word.text for word in answer.words) == answer.text
    times = [time for word in answer.words for time in (word.start or 0, word.end or 0)]
    assert times == sorted(times)
    assert all(word.logprob <= 0 for word in answer.words)
    for word in answer.words:
        assert "".join(one.text for one in word.characters or ()) == word.text
    began = 0.0
    for turn in ASKED:  # the first word of each turn has its time
        first = re.sub(r"\W", "", turn.text.split()[0]).lower()
        at = began + turn.first_voiced_ms / 1000
        assert [
            word.start
            for word in answer.words
            if re.sub(r"\W", "", word.text).lower() == first and abs((word.start or 0) - at) < 0.35
        ], (turn.text, at)
        began += turn.duration_ms / 1000 + 0.5


async def test_samples_without_a_header_and_words_without_times(client: AsyncElevenLabs) -> None:
    answer = await written(
        client,
        model_id="moonshine-tiny-en",
        file=("a.pcm", SAMPLES.astype("<i2").tobytes()),
        file_format="pcm_s16le_16",
        timestamps_granularity="none",
    )
    assert word_error_rate(answer.text, SAID) <= 0.2
    assert "".join(word.text for word in answer.words) == answer.text
    assert {word.start for word in answer.words} == {None}


async def test_subtitles_text_and_segments_come_beside_the_words(client: AsyncElevenLabs) -> None:
    answer = await written(
        client,
        model_id="scribe_v2",
        file=("a.wav", WAV),
        language_code="en",
        additional_formats=[
            ExportOptions_Srt(max_characters_per_line=30),
            ExportOptions_Txt(),
            ExportOptions_SegmentedJson(max_segment_chars=40),
        ],
    )
    subtitles, text, segments = (one for one in answer.additional_formats or () if one)
    assert (subtitles.requested_format, subtitles.file_extension) == ("srt", "srt")
    assert not subtitles.is_base_64_encoded
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\S", subtitles.content)
    assert all(len(line) <= 30 for line in subtitles.content.splitlines())
    assert " ".join(text.content.split()) == answer.text
    parts = json.loads(segments.content)["segments"]
    assert " ".join(part["text"] for part in parts) == answer.text
    assert all("".join(w["text"] for w in part["words"]) == part["text"] for part in parts)


async def test_names_that_may_be_said(client: AsyncElevenLabs) -> None:
    text = "I would like to talk about VoiceForge, please."
    spoken = client.text_to_speech.convert("joe", text=text, output_format="mp3_44100_128")
    file = ("a.mp3", b"".join([piece async for piece in spoken]))
    plain = await written(client, model_id="scribe_v2", file=file, language_code="en")
    assert "VoiceForge" not in plain.text
    told = await written(
        client,
        model_id="scribe_v2",
        file=file,
        language_code="en",
        keyterms=["Zadarma", "VoiceForge"],
    )
    assert "VoiceForge" in told.text


async def test_silence_says_nothing(client: AsyncElevenLabs) -> None:
    file = ("a.flac", recording("flac", np.zeros(40 * HZ, np.int16)))
    answer = await written(client, model_id="scribe_v2", file=file)
    assert (answer.text, answer.words) == ("", [])


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ({"file": None}, 400, "the form has no file"),
        ({"file": ("a.wav", b"")}, 400, "file is empty"),
        ({"file": ("a.wav", b"PK\x03\x04" + bytes(1000))}, 400, "no recording that can be read"),
        ({"file": ("a.wav", WAV[: len(WAV) // 2])}, 400, "the file is cut"),
        ({"file": ("a.pcm", b"123"), "file_format": "pcm_s16le_16"}, 400, "even number"),
        ({"model_id": "scribe_v9"}, 400, "model_not_found"),
        ({"model_id": "moonshine-tiny-en"}, 400, "knows no times of words"),
        ({"language_code": "klingon"}, 422, "klingon"),
        ({"timestamps_granularity": "letter"}, 422, "timestamps_granularity"),
        ({"file_format": "aac"}, 422, "file_format"),
        ({"temperature": 7}, 422, "temperature"),
        ({"num_speakers": 99}, 422, "num_speakers"),
        ({"keyterms": ["x" * 60]}, 422, "keyterms"),
        ({"file": None, "source_url": "https://example.com/a"}, 400, "nothing is fetched here"),
        ({"file": None, "cloud_storage_url": "https://example.com/a"}, 400, "nothing is fetched"),
        ({"diarize": True}, 400, "speakers are not told apart"),
        ({"use_multi_channel": True}, 400, "use_multi_channel"),
        ({"webhook": True}, 400, "not by webhook"),
        ({"entity_detection": "all"}, 400, "entity_detection"),
        ({"entity_redaction": ["pii"]}, 400, "entity_redaction"),
        ({"additional_formats": [ExportOptions_Pdf()]}, 400, "no pdf is made here"),
        ({"token": "sutkn_1"}, 400, "no single-use tokens"),
    ],
)
async def test_what_cannot_be_transcribed_is_told(
    client: AsyncElevenLabs, wanted: dict[str, Any], status: int, told: str
) -> None:
    usual = {"model_id": "scribe_v2", "file": ("a.wav", WAV)}
    with pytest.raises(ApiError) as refused:
        await client.speech_to_text.convert(**{**usual, **wanted})
    assert refused.value.status_code == status
    assert told in json.dumps(refused.value.body["detail"])


async def test_who_may_not_is_told_in_their_shape(server: Server) -> None:
    _, other = await made(server, scopes=["realtime"])
    for key, status in (("vf_wrong", 401), (other, 403)):
        client = AsyncElevenLabs(base_url=server.url, api_key=key)
        with pytest.raises(ApiError) as refused:
            await client.speech_to_text.convert(model_id="scribe_v2", file=("a.wav", WAV))
        assert refused.value.status_code == status
        assert refused.value.body["detail"]["status"]
        await client._client_wrapper.httpx_client.httpx_client.aclose()


async def test_what_is_heard_is_counted_by_key(server: Server) -> None:
    ident, key = await made(server)
    client = AsyncElevenLabs(base_url=server.url, api_key=key)
    await client.speech_to_text.convert(model_id="scribe_v2", file=("a.wav", WAV))
    await client._client_wrapper.httpx_client.httpx_client.aclose()
    assert await heard_s(server, ident) == pytest.approx(len(SAMPLES) / HZ, abs=0.1)


async def heard_s(server: Server, key_id: str) -> float:
    """What `/v1/usage` tells of a key, once it tells anything."""
    async with asyncio.timeout(20):
        while True:
            used = (await asked(server, "GET", f"/v1/usage?key={key_id}"))["used"]
            if used["audio_in_s"] and used["compute_s"]:
                return float(used["audio_in_s"])
            await asyncio.sleep(0.5)
