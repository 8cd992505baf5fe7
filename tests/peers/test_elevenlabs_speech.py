"""Text that is spoken, through the `elevenlabs` SDKs for Python and npm."""

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile
from elevenlabs import VoiceSettings
from elevenlabs.client import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.realtime_tts import RealtimeTextToSpeechClient
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from actors.voices.catalogue import catalogue
from server.eleven.output_formats import Name
from tests.peers.node import passed
from tests.peers.sound import to_pcm, transcribed, word_error_rate
from tests.peers.tls import secured
from tests.server.program import Server
from tests.server.test_access import asked, made

pytestmark = [pytest.mark.models, pytest.mark.peers]


GEORGE = "JBFqnCBsd6RMkjVDRZzb"
FIRST = "What is the largest ocean on earth?"
SECOND = "Please tell me about the history of this old city."
TEXT = f"{FIRST} {SECOND}"
LONG = " ".join(f"This is sentence number {number} of a very long book." for number in range(200))

RAW = {"pcm": "PCM_16", "ulaw": "ULAW", "alaw": "ALAW"}


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncElevenLabs]:
    client = AsyncElevenLabs(base_url=server.url, api_key=server.key)
    yield client
    await client._client_wrapper.httpx_client.httpx_client.aclose()


@pytest.fixture
def blocking(server: Server) -> Iterator[ElevenLabs]:
    client = ElevenLabs(base_url=server.url, api_key=server.key)
    yield client
    client._client_wrapper.httpx_client.httpx_client.close()


def heard(name: str, audio: bytes) -> str:
    """What a recogniser makes of audio in the format of this name."""
    codec, rate_hz = name.split("_")[:2]
    how: dict[str, Any] = {}
    if codec in RAW:
        how = {"samplerate": int(rate_hz), "channels": 1, "format": "RAW", "subtype": RAW[codec]}
    sound, found_hz = soundfile.read(io.BytesIO(audio), dtype="float64", **how)
    assert found_hz == int(rate_hz)
    return transcribed(to_pcm(sound * 32767), found_hz)


async def all_of(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("name", get_args(Name))
async def test_what_is_spoken_says_the_text_in_every_format(
    client: AsyncElevenLabs, name: Name
) -> None:
    audio = await all_of(client.text_to_speech.convert(GEORGE, text=TEXT, output_format=name))
    assert word_error_rate(heard(name, audio), TEXT) <= 0.15


async def test_a_stream_is_the_same_and_comes_while_it_is_made(client: AsyncElevenLabs) -> None:
    whole = await all_of(client.text_to_speech.convert(GEORGE, text=LONG[:600]))
    times: list[float] = []
    pieces: list[bytes] = []
    began = time.monotonic()
    async for piece in client.text_to_speech.stream(
        GEORGE, text=LONG[:600], model_id="eleven_flash_v2_5"
    ):
        pieces.append(piece)
        times.append(time.monotonic() - began)
    assert b"".join(pieces) == whole
    assert times[0] < times[-1] / 3


async def test_speed_makes_it_shorter(client: AsyncElevenLabs) -> None:
    async def length(speed: float) -> int:
        settings = VoiceSettings(speed=speed, stability=0.3)
        pieces = client.text_to_speech.convert(
            "joe", text=TEXT, voice_settings=settings, output_format="pcm_16000"
        )
        return len(await all_of(pieces))

    assert await length(1.2) == pytest.approx(await length(0.8) * 0.8 / 1.2, rel=0.15)


async def test_each_character_is_timed_where_it_is_heard(client: AsyncElevenLabs) -> None:
    told = await client.text_to_speech.convert_with_timestamps(
        GEORGE, text=TEXT, output_format="pcm_24000"
    )
    audio, times = base64.b64decode(told.audio_base_64), told.alignment
    assert times is not None
    assert times == told.normalized_alignment
    assert "".join(times.characters) == TEXT
    edges = np.column_stack(
        [times.character_start_times_seconds, times.character_end_times_seconds]
    ).ravel()
    assert (np.diff(edges) >= 0).all()
    assert edges[-1] == pytest.approx(len(audio) / 48_000, abs=0.01)
    cut = int(times.character_end_times_seconds[len(FIRST) - 1] * 24_000) * 2
    assert word_error_rate(transcribed(audio[:cut]), FIRST) <= 0.15
    assert word_error_rate(transcribed(audio[cut:]), SECOND) <= 0.15


async def test_timed_audio_comes_in_lines(client: AsyncElevenLabs) -> None:
    audio, characters, until = b"", "", 0.0
    async for line in client.text_to_speech.stream_with_timestamps(GEORGE, text=TEXT):
        audio += base64.b64decode(line.audio_base_64)
        if line.alignment is not None:
            characters += "".join(line.alignment.characters)
            assert line.alignment.character_start_times_seconds[0] >= until
            until = line.alignment.character_end_times_seconds[-1]
    assert characters == TEXT
    assert word_error_rate(heard("mp3_44100_128", audio), TEXT) <= 0.15


@pytest.mark.filterwarnings("ignore:ConnectionClosed.(code|reason) is deprecated")  # the SDK's
def test_text_is_spoken_while_it_is_written(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's `convert_realtime`, which insists on TLS."""
    with secured(urlsplit(server.url).port or 80, tmp_path) as (port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        client = ElevenLabs(base_url=f"https://127.0.0.1:{port}", api_key=server.key)
        speech = client.text_to_speech
        assert isinstance(speech, RealtimeTextToSpeechClient)
        written = iter([f"{word} " for word in TEXT.split()])
        audio = b"".join(speech.convert_realtime(GEORGE, text=written, model_id="eleven_v3"))
        with pytest.raises(ApiError) as told:
            list(
                speech.convert_realtime(
                    GEORGE, text=iter(["Hi. "]), voice_settings=VoiceSettings(speed=9)
                )
            )
        client._client_wrapper.httpx_client.httpx_client.close()
    assert word_error_rate(heard("mp3_44100_128", audio), TEXT) <= 0.15
    body = told.value.body  # what is told, or why the socket was closed if that is read first
    assert (body["error"] if isinstance(body, dict) else body) == "invalid_message"


def socket_url(server: Server, query: str = "", voice: str = "joe") -> str:
    return f"{server.url.replace('http', 'ws', 1)}/v1/text-to-speech/{voice}/stream-input{query}"


async def conversation(
    server: Server, query: str, *texts: dict[str, Any], key: bool = True
) -> tuple[list[dict[str, Any]], int]:
    """What the WebSocket says to these messages, and with what code it closes."""
    headers = {"xi-api-key": server.key} if key else {}
    told: list[dict[str, Any]] = []
    async with connect(socket_url(server, query), additional_headers=headers) as socket:
        try:
            for text in texts:
                await socket.send(json.dumps(text))
            while True:
                told.append(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            return told, closed.rcvd.code if closed.rcvd else 1006


OPENS = {"text": " ", "voice_settings": {"stability": 0.5}}


@pytest.mark.parametrize("name", ["mp3_44100_128", "pcm_16000", "ulaw_8000", "opus_48000_64"])
async def test_what_is_flushed_is_heard_and_timed_at_once(server: Server, name: str) -> None:
    query = f"?output_format={name}"
    async with connect(
        socket_url(server, query), additional_headers={"xi-api-key": server.key}
    ) as socket:
        await socket.send(json.dumps(OPENS))
        await socket.send(json.dumps({"text": FIRST, "flush": True}))
        first: list[dict[str, Any]] = []
        while "".join(characters(first)) != FIRST:
            first.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
        await socket.send(json.dumps({"text": f" {SECOND}"}))
        await socket.send(json.dumps({"text": ""}))
        second = [json.loads(text) async for text in socket]
    assert second[-1]["isFinal"] is True
    assert "".join(characters(second)) == f" {SECOND}"
    assert word_error_rate(heard(name, audio_of(first)), FIRST) <= 0.15
    assert word_error_rate(heard(name, audio_of(second)), SECOND) <= 0.15


@pytest.mark.parametrize(("voice", "query"), [("espeak-de", ""), (GEORGE, "&language_code=de")])
async def test_a_voice_of_another_language_speaks_what_is_written(
    server: Server, voice: str, query: str
) -> None:
    text = "Guten Morgen, wo ist bitte der Bahnhof?"
    url = socket_url(server, f"?output_format=pcm_16000{query}", voice)
    async with connect(url, additional_headers={"xi-api-key": server.key}) as socket:
        for part in (OPENS, {"text": text}, {"text": ""}):
            await socket.send(json.dumps(part))
        told = [json.loads(message) async for message in socket]
    assert "".join(characters(told)) == text
    assert 1 < len(audio_of(told)) / 2 / 16_000 < 5


async def test_a_voice_that_is_not_here_opens_no_socket(server: Server) -> None:
    url = socket_url(server, voice="de_DE-thorsten-high")
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, additional_headers={"xi-api-key": server.key})
    assert refused.value.response.status_code == 400
    assert "its weights are not here" in refused.value.response.body.decode()


def characters(told: list[dict[str, Any]]) -> list[str]:
    return [char for one in told if one["alignment"] for char in one["alignment"]["chars"]]


def audio_of(told: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(one["audio"] or "") for one in told)


@pytest.mark.parametrize("where", ["xi_api_key", "xi-api-key", "authorization"])
async def test_a_key_may_come_in_the_first_message(server: Server, where: str) -> None:
    key = f"Bearer {server.key}" if where == "authorization" else server.key
    told, code = await conversation(
        server, "", {**OPENS, where: key}, {"text": "Hi. "}, {"text": ""}, key=False
    )
    assert (told[-1]["isFinal"], code) == (True, 1000)


async def test_nobody_is_served_without_a_key(server: Server) -> None:
    told, code = await conversation(server, "", {**OPENS, "xi_api_key": "vf_wrong"}, key=False)
    assert (told, code) == ([], 1008)
    told, code = await conversation(server, "", OPENS, key=False)
    assert (told, code) == ([], 1008)


@pytest.mark.parametrize(
    ("query", "texts", "error"),
    [
        ("?inactivity_timeout=1", [OPENS], "input_timeout_exceeded"),
        ("", [OPENS, {"text": 7}], "invalid_message"),
        ("", [OPENS, {"text": "x" * 100_001}], "invalid_message"),
        ("", [{"text": " ", "voice_settings": {"speed": 3}}], "invalid_message"),
    ],
)
async def test_what_a_socket_cannot_take_is_told(
    server: Server, query: str, texts: list[dict[str, Any]], error: str
) -> None:
    told, code = await conversation(server, query, *texts)
    assert (told[-1]["error"], told[-1]["code"], code) == (error, 1008, 1008)


async def test_a_revoked_key_ends_its_socket(server: Server) -> None:
    ident, secret = await made(server)
    url = socket_url(server, "?inactivity_timeout=60")
    async with connect(url, additional_headers={"xi-api-key": secret}) as socket:
        await socket.send(json.dumps(OPENS))
        await asked(server, "POST", f"/v1/admin/keys/{ident}/revoke")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 15)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "key_revoked")


async def test_voices_models_and_the_account_are_listed(client: AsyncElevenLabs) -> None:
    every = (await client.voices.get_all()).voices
    assert "joe" in [voice.voice_id for voice in every]
    page = await client.voices.search(page_size=40)
    names = [voice.voice_id for voice in page.voices]
    while page.has_more:
        page = await client.voices.search(page_size=40, next_page_token=page.next_page_token)
        names += [voice.voice_id for voice in page.voices]
    assert names == [voice.voice_id for voice in every]
    assert page.total_count == len(every)
    found = await client.voices.search(search="PIPER", sort="name", language=["en", "de"])
    assert [voice.name for voice in found.voices] == ["Joe"]
    assert (await client.voices.get(GEORGE)).name == "George"
    assert "eleven_multilingual_v2" in [model.model_id for model in await client.models.list()]
    user = await client.user.get()
    assert user.subscription.character_limit > user.subscription.character_count
    assert (await client.user.subscription.get()).status == "active"


@pytest.mark.parametrize("voice_id", [GEORGE, "espeak-en-gb"])
async def test_a_voice_can_be_heard_before_it_is_chosen(
    client: AsyncElevenLabs, voice_id: str
) -> None:
    """By a player in a web page, which has no key."""
    url = (await client.voices.get(voice_id)).preview_url
    assert url is not None
    async with httpx.AsyncClient() as player:
        first, second = [await player.get(url, timeout=30) for _ in range(2)]
    assert first.content == second.content
    said = catalogue().voice("joe").sample
    assert word_error_rate(heard("mp3_24000_96", first.content), said) <= 0.3


async def test_models_are_openais_for_who_sends_the_key_as_they_do(server: Server) -> None:
    status, body = server.get("/v1/models")
    assert (status, json.loads(body)["object"]) == (200, "list")


async def test_characters_are_counted(client: AsyncElevenLabs) -> None:
    before = (await client.user.subscription.get()).character_count
    await all_of(client.text_to_speech.convert("joe", text=FIRST))
    give_up = time.monotonic() + 15
    while (await client.user.subscription.get()).character_count < before + len(FIRST):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": "x" * 1_000_000}, 422, "text"),
        ({"text": "🎉🎉"}, 400, "letters or digits"),
        ({"text": "?!... \n\t"}, 400, "letters or digits"),
        ({"voice_id": "bob"}, 404, "voice_not_found"),
        ({"model_id": "eleven_v9"}, 400, "model_not_found"),
        ({"output_format": "aac_44100"}, 422, "output_format"),
        ({"voice_settings": VoiceSettings(speed=9)}, 422, "speed"),
        ({"seed": -1}, 422, "seed"),
    ],
)
async def test_what_cannot_be_spoken_is_told(
    client: AsyncElevenLabs, wanted: dict[str, Any], status: int, told: str
) -> None:
    usual = {"voice_id": GEORGE, "text": "Hello."}
    for method in (client.text_to_speech.convert, client.text_to_speech.stream):
        with pytest.raises(ApiError) as refused:
            await all_of(method(**{**usual, **wanted}))
        assert refused.value.status_code == status
        assert told in json.dumps(refused.value.body["detail"])


async def test_a_wrong_key_is_told_in_their_shape(server: Server) -> None:
    client = AsyncElevenLabs(base_url=server.url, api_key="vf_wrong")
    for question in (client.voices.get_all(), client.models.list(), client.user.get()):
        with pytest.raises(ApiError) as refused:
            await question
        assert refused.value.status_code == 401
        assert refused.value.body["detail"]["status"] == "invalid_api_key"
    await client._client_wrapper.httpx_client.httpx_client.aclose()


async def test_who_reads_slowly_or_leaves_disturbs_nobody(
    server: Server, client: AsyncElevenLabs
) -> None:
    body = json.dumps({"text": LONG}).encode()
    at = urlsplit(server.url)
    head = (
        f"POST /v1/text-to-speech/joe?output_format=pcm_48000 HTTP/1.1\r\nhost: {at.netloc}\r\n"
        f"xi-api-key: {server.key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1)
    writer.write(head.encode() + body)
    for _ in range(3):
        assert await reader.read(1)
        await asyncio.sleep(1)
        audio = await all_of(
            client.text_to_speech.convert("joe", text=FIRST, output_format="pcm_16000")
        )
        assert len(audio) > 16_000
    writer.close()
    headers = {"xi-api-key": server.key}
    async with connect(socket_url(server), additional_headers=headers) as socket:
        await socket.send(json.dumps(OPENS))
        await socket.send(json.dumps({"text": LONG}))
        await socket.recv()
    async for _ in client.text_to_speech.stream("joe", text=LONG):
        break
    began = time.monotonic()
    await all_of(client.text_to_speech.convert("joe", text="Hello there."))
    assert time.monotonic() - began < 10
    assert [line for line in server.logged() if line["level"] == "error"] == []


def test_npms_client_speaks_and_listens_too(server: Server, tmp_path: Path) -> None:
    passed(server, "elevenlabs", VOICEFORGE_TEXT=TEXT, VOICEFORGE_HEARD=str(tmp_path))
    for method in ("convert", "stream", "timed", "lines"):
        audio = (tmp_path / f"{method}.mp3").read_bytes()
        assert word_error_rate(heard("mp3_44100_128", audio), TEXT) <= 0.15, method
    for method in ("recording", "realtime"):
        written = (tmp_path / f"{method}.txt").read_text()
        assert word_error_rate(written, TEXT) <= 0.15, method
