"""Speech encoded piece by piece is what a decoder makes of the whole."""

import asyncio
import gc
import io
import tempfile

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from server.access.denied import Denied
from server.speech.aac import MOST, Aac
from server.speech.formats import FORMATS, RATE_HZ, Name
from server.transcription import decoding
from server.transcription.decoding import Decoding

SPEECH = (8000 * np.sin(np.arange(3 * RATE_HZ) * 2 * np.pi * 440 / RATE_HZ)).astype("<i2")


async def encoded(name: Name, step: int = 4800) -> list[bytes]:
    encoder = FORMATS[name].make()
    pieces = [
        await encoder.feed(SPEECH[at : at + step].tobytes()) for at in range(0, len(SPEECH), step)
    ]
    return pieces + [piece async for piece in encoder.end()]


async def decoded(name: Name, file: bytes) -> tuple[NDArray[np.int16], int]:
    if name != "aac":
        sound, rate_hz = soundfile.read(io.BytesIO(file), dtype="int16")
        return sound, rate_hz
    with tempfile.TemporaryFile() as kept:
        kept.write(file)
        kept.seek(0)
        pcm = b"".join([piece async for piece in Decoding(kept).samples()])
    return np.frombuffer(pcm, "<i2"), decoding.RATE_HZ


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac"])
async def test_a_decoder_hears_the_speech(name: Name) -> None:
    pieces = await encoded(name)
    sound, rate_hz = await decoded(name, b"".join(pieces))
    heard = sound[len(sound) // 2 - RATE_HZ // 2 :][: rate_hz // 2].astype(float)
    assert len(sound) / rate_hz == pytest.approx(3, abs=0.2)
    peak = np.argmax(np.abs(np.fft.rfft(heard)))
    assert peak * rate_hz / len(heard) == pytest.approx(440, abs=3)
    assert np.abs(heard).max() == pytest.approx(8000, rel=0.1)


@pytest.mark.parametrize("name", ["mp3", "opus", "wav", "pcm"])
async def test_it_is_sent_while_it_is_made(name: Name) -> None:
    pieces = await encoded(name)
    sent_by_half = sum(map(len, pieces[: len(pieces) // 2]))
    assert 0.2 < sent_by_half / sum(map(len, pieces)) < 0.6


async def test_wav_and_pcm_hold_the_samples_themselves() -> None:
    pcm, wav = [b"".join(await encoded(name)) for name in ("pcm", "wav")]
    assert pcm == SPEECH.tobytes()
    assert wav[44:] == pcm
    sound, rate_hz = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate_hz == RATE_HZ
    assert np.array_equal(sound, SPEECH)


async def test_there_is_an_end_to_encoders_with_a_process_of_their_own() -> None:
    made = [Aac(RATE_HZ) for _ in range(MOST)]
    with pytest.raises(Denied, match="come again") as refused:
        Aac(RATE_HZ)
    assert refused.value.status == 503
    del made
    gc.collect()
    Aac(RATE_HZ)


async def test_who_stops_listening_ends_the_other_process() -> None:
    encoder = Aac(RATE_HZ)
    process = encoder._process
    await encoder.feed(SPEECH.tobytes())
    assert process.poll() is None
    del encoder
    async with asyncio.timeout(10):
        while process.poll() is None:
            gc.collect()
            await asyncio.sleep(0.05)


async def test_opus_begins_and_ends_with_the_speech_itself() -> None:
    click = np.zeros(RATE_HZ + 7, "<i2")
    click[[300, -300]] = 20_000
    encoder = FORMATS["opus"].make()
    data = await encoder.feed(click.tobytes())
    data += b"".join([piece async for piece in encoder.end()])
    sound, rate_hz = soundfile.read(io.BytesIO(data), dtype="int16")
    ticks = rate_hz // RATE_HZ
    assert len(sound) == len(click) * ticks
    loud = np.flatnonzero(np.abs(sound) > 3000)
    assert loud[0] == pytest.approx(300 * ticks, abs=60)
    assert loud[-1] == pytest.approx((len(click) - 300) * ticks, abs=60)


@pytest.mark.parametrize("name", ["mp3", "opus"])
async def test_a_file_of_a_single_sample_can_be_heard(name: Name) -> None:
    encoder = FORMATS[name].make()
    data = await encoder.feed(b"\1\0") + b"".join([piece async for piece in encoder.end()])
    sound, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    assert len(sound) < RATE_HZ / 5


@pytest.mark.parametrize("name", ["mp3", "opus"])
async def test_the_first_piece_is_heard_before_the_second_comes(name: Name) -> None:
    first = await FORMATS[name].make().feed(SPEECH[: RATE_HZ // 3].tobytes())
    sound, rate_hz = soundfile.read(io.BytesIO(first), dtype="int16")
    assert len(sound) / rate_hz > 0.25
