"""Recordings that are transcribed, through the `openai` Python SDK."""

import asyncio
import re
import socket
import time
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import psutil
import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError

from bench.turns import turns
from tests.media import recording
from tests.peers.sound import word_error_rate
from tests.server.program import Server
from tests.server.test_access import asked, made

pytestmark = [pytest.mark.models, pytest.mark.peers]

HZ = 16_000
PAUSE = np.zeros(HZ // 2, np.int16)
ASKED = turns("question")[:12]
SAID = " ".join(turn.text for turn in ASKED)
SAMPLES = np.concatenate([part for turn in ASKED for part in (turn.pcm(), PAUSE)])
SECONDS = len(SAMPLES) / HZ

FEW = ASKED[0].text
ONE = np.concatenate([ASKED[0].pcm(), PAUSE])


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        yield client


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "webm", "ogg", "flac"])
async def test_what_is_said_in_a_file_of_every_kind_is_written(
    client: AsyncOpenAI, kind: str
) -> None:
    answer = await client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=(f"a.{kind}", recording(kind, ONE)), language="en"
    )
    assert word_error_rate(answer.text, FEW) <= 0.2
    assert answer.usage is not None
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == pytest.approx(len(ONE) / HZ, abs=0.1)


async def test_a_minute_is_written_with_the_times_of_sentences_and_words(
    client: AsyncOpenAI,
) -> None:
    answer = await client.audio.transcriptions.create(
        model="whisper-1",
        file=("a.flac", recording("flac", SAMPLES)),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert answer.language == "en"
    assert answer.duration == pytest.approx(SECONDS, abs=0.1)
    assert word_error_rate(answer.text, SAID) <= 0.15
    assert answer.words is not None
    assert " ".join(word.word for word in answer.words) == answer.text
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= SECONDS
    began = 0.0
    for turn in ASKED:  # the first word of each turn has its time
        first = re.sub(r"\W", "", turn.text.split()[0]).lower()
        at = began + turn.first_voiced_ms / 1000
        near = [
            word.start
            for word in answer.words
            if re.sub(r"\W", "", word.word).lower() == first and abs(word.start - at) < 0.35
        ]
        assert near, (turn.text, at)
        began += turn.duration_ms / 1000 + 0.5
    assert answer.segments is not None
    assert " ".join(one.text for one in answer.segments) == answer.text
    assert [one.id for one in answer.segments] == list(range(len(answer.segments)))
    assert all(one.end - one.start <= 7 for one in answer.segments)
    assert all(-2 < one.avg_logprob <= 0 for one in answer.segments)


async def test_subtitles_and_plain_text(client: AsyncOpenAI) -> None:
    file = ("a.wav", recording("wav", ONE))
    told = {
        name: await client.audio.transcriptions.create(
            model="whisper-1", file=file, response_format=name, language="en"
        )
        for name in ("text", "srt", "vtt")
    }
    assert word_error_rate(told["text"], FEW) <= 0.2
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\S", told["srt"])
    assert re.match(r"WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n\S", told["vtt"])


async def test_a_long_recording_is_told_as_it_is_heard(client: AsyncOpenAI) -> None:
    stream = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe",
        file=("a.mp3", recording("mp3", SAMPLES)),
        language="en",
        stream=True,
    )
    events = [event async for event in stream]
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) >= 2
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == "".join(deltas)
    assert word_error_rate(events[-1].text, SAID) <= 0.15


async def test_the_fast_recogniser_and_names_that_may_be_said(client: AsyncOpenAI) -> None:
    speech = await client.audio.speech.create(
        model="tts-1",
        voice="joe",
        input="I would like to talk about VoiceForge, please.",
        response_format="wav",
    )
    for model in ("moonshine-tiny-en", "whisper-1"):
        file = ("a.wav", speech.content)
        plain = await client.audio.transcriptions.create(model=model, file=file, language="en")
        assert "VoiceForge" not in plain.text
        told = await client.audio.transcriptions.create(
            model=model, file=file, prompt="Zadarma, VoiceForge", language="en"
        )
        assert "VoiceForge" in told.text


async def test_silence_says_nothing(client: AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.create(
        model="whisper-1", file=("a.flac", recording("flac", np.zeros(90 * HZ, np.int16)))
    )
    assert answer.text == ""


WAV = recording("wav", ONE)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"file": ("a.wav", b"")}, "file is empty"),
        ({"file": ("a.wav", b"PK\x03\x04" + bytes(1000))}, "no recording that can be read"),
        ({"file": ("a.mp3", b"<html>not found</html>" * 99)}, "no recording that can be read"),
        ({"file": ("a.wav", WAV[: len(WAV) // 2])}, "the file is cut"),
        ({"model": "gpt-9"}, "unknown transcription model 'gpt-9'"),
        ({"response_format": "doc"}, "response_format"),
        ({"language": "klingon"}, "language is 'klingon'"),
        ({"temperature": 7}, "temperature"),
        ({"timestamp_granularities": ["letter"]}, "timestamp_granularities"),
        ({"stream": True, "response_format": "srt"}, "with stream"),
        ({"model": "moonshine-tiny-en", "response_format": "vtt"}, "no times of words"),
        ({"model": "moonshine-tiny-en", "language": "de"}, "language"),
        ({"prompt": "x" * 5000}, "prompt"),
    ],
)
async def test_what_cannot_be_transcribed_is_told(
    client: AsyncOpenAI, wanted: dict[str, Any], told: str
) -> None:
    usual = {"model": "whisper-1", "file": ("a.wav", WAV)}
    with pytest.raises(BadRequestError, match=told):
        await client.audio.transcriptions.create(**{**usual, **wanted})


def head(server: Server, length: int) -> bytes:
    """The beginning of a request whose body has so many bytes, up to where its file begins."""
    return (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: a\r\n"
        f"authorization: Bearer {server.key}\r\ncontent-length: {length}\r\n"
        "content-type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ).encode()


async def test_a_file_that_is_too_large_is_refused(server: Server) -> None:
    address = urllib.parse.urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head(server, 600 << 20))
    await writer.drain()
    answer = await reader.read(4000)
    assert b" 413 " in answer.split(b"\r\n")[0]
    writer.close()


async def test_a_slow_upload_holds_nobody_up(server: Server, client: AsyncOpenAI) -> None:
    address = urllib.parse.urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    end = b"\r\n--b--\r\n"
    start = head(server, 0).partition(b"\r\n\r\n")[2]
    writer.write(head(server, len(start) + len(WAV) + len(end)))
    for at in range(10):
        step = len(WAV) // 10 + 1
        writer.write(WAV[at * step : (at + 1) * step])
        await writer.drain()
        answer = await client.audio.transcriptions.create(
            model="moonshine-tiny-en", file=("a.wav", WAV), language="en"
        )
        assert answer.text
    writer.write(end)
    answered = await asyncio.wait_for(reader.readuntil(b"}"), 60)
    assert b" 200 " in answered.split(b"\r\n")[0]
    writer.close()


async def test_a_client_that_leaves_stops_the_work(server: Server) -> None:
    """Ten minutes of speech take half a minute to hear; the decoder is gone much earlier."""
    long = recording("flac", np.tile(SAMPLES, int(600 / SECONDS)))
    body = head(server, 0).partition(b"\r\n\r\n")[2] + long + b"\r\n--b--\r\n"
    request = head(server, len(body)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    address = urllib.parse.urlsplit(server.url)
    assert address.hostname is not None
    assert address.port is not None
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(request)
        await until(lambda: decoders(server) == 1)
    await until(lambda: decoders(server) == 0, 5)
    assert [line for line in server.logged() if line["level"] == "error"] == []


def decoders(server: Server) -> int:
    """How many there are."""
    children = psutil.Process(server.pid).children(recursive=True)
    found = 0
    for child in children:
        try:
            found += "server.transcription.decoding" in child.cmdline()
        except psutil.Error:
            continue
    return found


async def until(true: Any, within_s: float = 20) -> None:
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.05)


async def test_what_is_heard_is_counted_by_key(server: Server) -> None:
    ident, key = await made(server)
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key) as client:
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAV))
    counted: dict[str, float] = {}
    async with asyncio.timeout(20):
        while not ("audio_in_s" in counted and "compute_s" in counted):
            await asyncio.sleep(0.5)
            told = await asked(server, "GET", f"/v1/usage?key={ident}")
            counted = {name: value for name, value in told["used"].items() if value}
    assert counted["audio_in_s"] == pytest.approx(len(ONE) / HZ, abs=0.1)


async def test_a_key_without_the_scope_may_not(server: Server) -> None:
    _, key = await made(server, scopes=["realtime"])
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key) as other:
        with pytest.raises(APIStatusError, match="speech"):
            await other.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAV))
