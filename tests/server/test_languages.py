"""Callers of other languages, and another voice, through the whole server: models on demand."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from actors.manifest import load_manifest
from actors.store import Store
from actors.workers import MODELS
from server.fleet import VAD_MODEL
from tests.actors.test_whisper import CLIPS
from tests.server.program import Server
from tests.server.sound import at_24_khz, clip, stream
from tests.server.wire import connected, failure, typed

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    for model in ("whisper-base", "kokoro-82m"):
        Store().pull(model)
    with Server() as server:
        yield server.until_ready()


def recording(path: Path) -> bytes:
    """PCM at 24 kHz."""
    samples, rate_hz = sf.read(path, dtype="float32")
    heard = soxr.resample(samples, rate_hz, 24_000)
    return bytes((np.clip(heard, -1, 1) * 32767).astype("<i2").tobytes())


def asleep(server: Server) -> set[str]:
    shown = json.loads(server.get("/v1/system")[1])
    return {worker["name"] for worker in shown["workers"] if worker["state"] == "asleep"}


async def test_a_caller_whose_language_nobody_said_is_understood(server: Server) -> None:
    folder = Store(manifest=load_manifest(CLIPS)).pull("speech-in-eight-languages")
    assert "whisper" in await asyncio.to_thread(asleep, server)
    hears = {"input": {"transcription": {"model": "whisper-1", "language": "auto"}}}
    brief = {"output_modalities": ["text"], "max_output_tokens": 8}
    async with connected(server, audio=hears, **brief) as wire:
        pcm = await asyncio.to_thread(recording, folder / "fr.wav")
        speaking = asyncio.create_task(stream(wire, pcm + bytes(2 * 24_000 * 3)))
        kind = "conversation.item.input_audio_transcription.completed"
        heard = (await wire.until(kind))["transcript"].lower()
        assert "whisky" in heard
        assert "fume" in heard
        await speaking
    assert "whisper" not in await asyncio.to_thread(asleep, server)


async def test_the_whisper_may_be_of_any_size_and_lie_anywhere(tmp_path: Path) -> None:
    folder = Store(manifest=load_manifest(CLIPS)).pull("speech-in-eight-languages")
    own = tmp_path / "my-whisper"
    own.symlink_to(Store().pull("whisper-base"))
    hears = {"input": {"transcription": {"model": "whisper-1", "language": "fr"}}}
    with Server(VOICEFORGE_WORKERS__WHISPER=str(own)) as server:
        await asyncio.to_thread(server.until_ready)
        async with connected(server, audio=hears, output_modalities=["text"]) as wire:
            pcm = await asyncio.to_thread(recording, folder / "fr.wav")
            speaking = asyncio.create_task(stream(wire, pcm + bytes(2 * 24_000 * 3)))
            kind = "conversation.item.input_audio_transcription.completed"
            assert "whisky" in (await wire.until(kind))["transcript"].lower()
            await speaking


async def test_another_voice_is_loaded_when_it_is_asked_for(server: Server) -> None:
    assert "kokoro" in await asyncio.to_thread(asleep, server)
    async with connected(server, audio={"output": {"voice": "jm_kumo"}}) as wire:
        await wire.send(typed("Say hello."))
        await wire.send({"type": "response.create", "response": {"max_output_tokens": 12}})
        await wire.until("response.output_audio.delta")
        await wire.until("response.done")
    assert "kokoro" not in await asyncio.to_thread(asleep, server)


@pytest.fixture
def without_others(tmp_path: Path) -> Path:
    """A store that holds only what every server needs."""
    store = Store()
    for model in (*MODELS.values(), VAD_MODEL):
        (tmp_path / model).symlink_to(store.pull(model))
    return tmp_path


async def test_a_model_that_is_missing_is_named_to_who_needs_it(without_others: Path) -> None:
    hears = {"input": {"transcription": {"model": "whisper-1", "language": "fr"}}}
    say = {"type": "response.create", "response": {"max_output_tokens": 8}}
    with Server(VOICEFORGE_MODELS=str(without_others), VOICEFORGE_OFFLINE="true") as server:
        await asyncio.to_thread(server.until_ready)
        async with connected(server, audio={"output": {"voice": "jm_kumo"}}) as wire:
            await wire.send(say)
            done = (await wire.until("response.done"))["response"]
            assert failure(done) == "model_missing"
            assert "models pull kokoro-82m" in done["status_details"]["error"]["message"]
            await wire.configure(output_modalities=["text"])
            assert (await wire.ask("Say hello."))["output"]
        kumo = {"output": {"voice": "jm_kumo"}}
        async with connected(server, audio=kumo, voiceforge={"fallback_voices": ["joe"]}) as wire:
            await wire.send(say)
            assert (await wire.until("response.output_audio.delta"))["delta"], "joe speaks"
        async with connected(server, audio=hears, output_modalities=["text"]) as wire:
            pcm = at_24_khz(clip("What is the largest ocean on earth?"))
            speaking = asyncio.create_task(stream(wire, pcm + bytes(2 * 24_000 * 2)))
            kind = "conversation.item.input_audio_transcription.failed"
            error = (await wire.until(kind))["error"]
            assert error["code"] == "model_missing"
            assert "models pull whisper-base" in error["message"]
            await speaking
