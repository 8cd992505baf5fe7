"""What is said while it is said, through the `elevenlabs` SDK for Python."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soxr
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.realtime import (
    AudioFormat,
    CommitStrategy,
    RealtimeConnection,
    RealtimeEvents,
)
from elevenlabs.speech_to_text_custom import AsyncSpeechToTextClient
from websockets.exceptions import InvalidStatus

from actors.stenographer import LONGEST_S
from tests.peers.sound import g711, to_pcm, word_error_rate
from tests.peers.test_elevenlabs_transcription import ASKED, HZ, SAID, SAMPLES, heard_s
from tests.peers.tls import secured
from tests.server.program import Server
from tests.server.test_access import asked, made

pytestmark = [pytest.mark.models, pytest.mark.peers]

ANSWER_S = 60
"""For what the server tells, other tests being at work beside."""


class Listener:
    """What the SDK's realtime connection was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Event()

    def follow(self, connection: RealtimeConnection) -> None:
        for event in RealtimeEvents:
            if event not in (RealtimeEvents.OPEN, RealtimeEvents.CLOSE):
                connection.on(event, partial(self._take, event.value))

    def _take(self, event: str, data: dict[str, Any]) -> None:
        self.told.append((event, data))
        self._news.set()

    def all(self, event: RealtimeEvents) -> list[dict[str, Any]]:
        return [data for kind, data in self.told if kind == event.value]

    async def until(self, event: RealtimeEvents, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(ANSWER_S):
            while len(self.all(event)) < count:
                self._news.clear()
                await self._news.wait()
        return self.all(event)

    async def admitted(self) -> bool:
        """Whether there was a place: the first that is told."""
        async with asyncio.timeout(ANSWER_S):
            while not self.told:
                self._news.clear()
                await self._news.wait()
        return self.told[0][0] == RealtimeEvents.SESSION_STARTED.value


@contextlib.asynccontextmanager
async def dictating(
    url: str, key: str, form: AudioFormat = AudioFormat.PCM_16000, **options: Any
) -> AsyncIterator[tuple[RealtimeConnection, Listener]]:
    """The SDK's connection, and what it hears."""
    client = AsyncElevenLabs(base_url=url, api_key=key)
    speech = client.speech_to_text
    assert isinstance(speech, AsyncSpeechToTextClient)
    wanted = {
        "model_id": "scribe_v2_realtime",
        "audio_format": form,
        "sample_rate": int(form.value.split("_")[1]),
        **options,
    }
    connection = await speech.realtime.connect(wanted)  # type: ignore[call-overload]
    listener = Listener()
    listener.follow(connection)
    try:
        yield connection, listener
    finally:
        await connection.close()
        await client._client_wrapper.httpx_client.httpx_client.aclose()


async def speak(connection: RealtimeConnection, audio: bytes, bytes_s: int = 2 * HZ) -> None:
    """Send it as a microphone does, four times as fast."""
    step = bytes_s // 10
    for at in range(0, len(audio), step):
        piece = base64.b64encode(audio[at : at + step]).decode()
        await connection.send({"audio_base_64": piece})
        await asyncio.sleep(0.025)


async def test_speech_is_written_while_it_is_spoken_and_committed_by_hand(server: Server) -> None:
    async with dictating(server.url, server.key, language_code="en") as (connection, listener):
        [started] = await listener.until(RealtimeEvents.SESSION_STARTED)
        assert started["config"]["commit_strategy"] == "manual"
        for count in (1, 2):
            await speak(connection, SAMPLES.astype("<i2").tobytes())
            await connection.commit()
            told = await listener.until(RealtimeEvents.COMMITTED_TRANSCRIPT, count)
            assert word_error_rate(told[-1]["text"], SAID) <= 0.2
        partials = [one["text"] for one in listener.all(RealtimeEvents.PARTIAL_TRANSCRIPT)]
        assert len(partials) >= 4
        assert any(SAID.lower().startswith(" ".join(one.lower().split()[:2])) for one in partials)


@pytest.mark.parametrize("form", [AudioFormat.PCM_24000, AudioFormat.ULAW_8000])
async def test_silences_commit_and_words_are_timed(server: Server, form: AudioFormat) -> None:
    rate_hz = int(form.value.split("_")[1])
    sound = to_pcm(soxr.resample(SAMPLES.astype(np.float64), HZ, rate_hz)) + bytes(2 * rate_hz)
    audio = g711(sound, "ULAW") if form is AudioFormat.ULAW_8000 else sound
    options = {
        "commit_strategy": CommitStrategy.VAD,
        "vad_silence_threshold_secs": 0.4,
        "include_timestamps": True,
        "include_language_detection": True,
        "language_code": "eng",
    }
    async with dictating(server.url, server.key, form, **options) as (connection, listener):
        await speak(connection, audio, len(audio) * rate_hz // (len(sound) // 2))
        detailed = RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS
        await listener.until(detailed, len(ASKED))
        texts = [one["text"] for one in listener.all(RealtimeEvents.COMMITTED_TRANSCRIPT)]
        told = listener.all(detailed)
    assert [one["text"] for one in told] == texts
    assert word_error_rate(" ".join(texts), SAID) <= 0.25
    assert {one["language_code"] for one in told} == {"en"}
    words = [word for one in told for word in one["words"]]
    assert all("".join(word["text"] for word in one["words"]) == one["text"] for one in told)
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    second = (ASKED[0].duration_ms + ASKED[1].first_voiced_ms) / 1000 + 0.5
    assert abs(told[1]["words"][0]["start"] - second) < 0.4


async def test_the_socket_is_reached_through_tls(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secured(urlsplit(server.url).port or 80, tmp_path) as (port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with dictating(f"https://127.0.0.1:{port}", server.key) as (connection, listener):
            await speak(connection, ASKED[0].pcm().astype("<i2").tobytes())
            await connection.commit()
            [told] = await listener.until(RealtimeEvents.COMMITTED_TRANSCRIPT)
    assert word_error_rate(told["text"], ASKED[0].text) <= 0.25


async def test_the_fast_recogniser_writes_what_comes_at_once(server: Server) -> None:
    async with dictating(server.url, server.key, model_id="moonshine-tiny-en") as (to, listener):
        audio = SAMPLES.astype("<i2").tobytes()
        await to.send({"audio_base_64": base64.b64encode(audio).decode()})
        await to.commit()
        [told] = await listener.until(RealtimeEvents.COMMITTED_TRANSCRIPT)
    assert word_error_rate(told["text"], SAID) <= 0.2


async def test_what_nobody_commits_is_committed_in_time(server: Server) -> None:
    """All of it comes at once, and more than is held."""
    audio = np.tile(SAMPLES, int(LONGEST_S * HZ / len(SAMPLES)) + 2).astype("<i2").tobytes()
    async with dictating(server.url, server.key, model_id="moonshine-tiny-en") as (to, listener):
        for at in range(0, len(audio), 10 * 2 * HZ):
            piece = base64.b64encode(audio[at : at + 10 * 2 * HZ]).decode()
            await to.send({"audio_base_64": piece})
        [told] = await listener.until(RealtimeEvents.COMMITTED_TRANSCRIPT)
    times = LONGEST_S * HZ / len(SAMPLES)
    assert len(told["text"].split()) == pytest.approx(times * len(SAID.split()), rel=0.2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model_id": "scribe_v9"}, "no model 'scribe_v9'"),
        ({"language_code": "klingon"}, "klingon"),
        ({"vad_threshold": 7}, "vad_threshold"),
        ({"entity_detection": "all"}, "entity_detection"),
    ],
)
async def test_what_a_session_cannot_be_is_told(
    server: Server, options: dict[str, Any], told: str
) -> None:
    async with dictating(server.url, server.key, **options) as (_, listener):
        [error] = await listener.until(RealtimeEvents.INVALID_REQUEST)
    assert told in error["error"]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no JSON", "input_audio_chunk"),
        ('{"message_type": "input_audio_chunk", "audio_base_64": "?"}', "base64"),
        ('{"message_type": "input_audio_chunk", "audio_base_64": "AAAA"}', "even number"),
    ],
)
async def test_what_a_socket_cannot_take_is_told(server: Server, message: str, told: str) -> None:
    async with dictating(server.url, server.key) as (connection, listener):
        await connection.websocket.send(message)
        [error] = await listener.until(RealtimeEvents.INPUT_ERROR)
    assert told in error["error"]


async def test_nobody_is_heard_without_a_key(server: Server) -> None:
    refusals: list[tuple[str, Any]] = [("vf_wrong", {}), ("", {"token": "sutkn_1"})]
    for key, options in refusals:
        with pytest.raises(InvalidStatus) as refused:
            async with dictating(server.url, key, **options):
                pass
        assert refused.value.response.status_code == 401
    _, other = await made(server, scopes=["realtime"])
    async with dictating(server.url, other) as (_, listener):
        [error] = await listener.until(RealtimeEvents.AUTH_ERROR)
    assert "speech" in error["error"]


async def test_a_revoked_key_ends_its_socket(server: Server) -> None:
    ident, key = await made(server)
    async with dictating(server.url, key) as (connection, listener):
        await listener.until(RealtimeEvents.SESSION_STARTED)
        await asked(server, "POST", f"/v1/admin/keys/{ident}/revoke")
        async with asyncio.timeout(15):
            await connection.websocket.wait_closed()
        closed = connection.websocket.protocol
    assert (closed.close_code, closed.close_reason) == (1008, "key_revoked")


@contextlib.asynccontextmanager
async def let_in(server: Server, key: str) -> AsyncIterator[tuple[RealtimeConnection, Listener]]:
    """A connection, as soon as there is a place for it."""
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        while True:
            connection, listener = await stack.enter_async_context(dictating(server.url, key))
            if await listener.admitted():
                break
            await stack.aclose()
            await asyncio.sleep(0.05)
        yield connection, listener


async def test_what_is_dictated_is_counted_and_its_place_given_back(server: Server) -> None:
    ident, key = await made(server, limits={"concurrent_sessions": 1})
    for _ in range(2):
        async with let_in(server, key) as (connection, listener):
            await speak(connection, SAMPLES.astype("<i2").tobytes())
            await connection.commit()
            await listener.until(RealtimeEvents.COMMITTED_TRANSCRIPT)
            async with dictating(server.url, key) as (_, second):
                await second.until(RealtimeEvents.RATE_LIMITED)
    async with asyncio.timeout(20):
        while await heard_s(server, ident) < 2 * len(SAMPLES) / HZ - 0.1:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    assert [line for line in server.logged() if line["level"] == "error"] == []
