"""What is encoded under ElevenLabs' names is what the names say."""

import io
from typing import get_args

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from server.eleven.output_formats import FORMATS, Name, of

SECONDS = 3
NAMES = get_args(Name)
MPEG1_HZ = 32_000  # below it an MP3 is one of MPEG-2's lower sampling frequencies
MPEG1_KBIT_S = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
LSF_KBIT_S = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RAW = {"pcm": "PCM_16", "ulaw": "ULAW", "alaw": "ALAW"}


def parts(name: Name) -> tuple[str, int, int]:
    """Codec, Hz and kbit/s, 0 where there is none."""
    codec, hz, *kbit_s = name.split("_")
    return codec, int(hz), int(kbit_s[0]) if kbit_s else 0


async def encoded(name: Name) -> bytes:
    """A tone of 440 Hz that swells and fades, so that it is never silent and never the same."""
    rate_hz = FORMATS[name].rate_hz
    at = np.arange(SECONDS * rate_hz) / rate_hz
    noise = np.random.default_rng(1).normal(size=len(at)) * 200
    tone = (8000 * np.sin(at * 2 * np.pi * 440) + noise).astype("<i2")
    encoder = FORMATS[name].make()
    step = rate_hz // 5
    pieces = [await encoder.feed(tone[n : n + step].tobytes()) for n in range(0, len(tone), step)]
    return b"".join([*pieces, *[piece async for piece in encoder.end()]])


def frame_bytes(data: bytes, rate_hz: int) -> int:
    """How long the MP3 frame is that begins here: layer III (ISO/IEC 11172-3 and 13818-3)."""
    number, padding = data[2] >> 4, data[2] >> 1 & 1
    if rate_hz >= MPEG1_HZ:
        return 144 * MPEG1_KBIT_S[number] * 1000 // rate_hz + padding
    return 72 * LSF_KBIT_S[number] * 1000 // rate_hz + padding


def decoded(name: Name, data: bytes) -> tuple[NDArray[np.int16], int]:
    codec, hz, _ = parts(name)
    how = {"samplerate": hz, "channels": 1, "format": "RAW", "subtype": RAW.get(codec)}
    sound, rate_hz = soundfile.read(
        io.BytesIO(data), dtype="int16", **(how if codec in RAW else {})
    )
    return sound, rate_hz


@pytest.mark.parametrize("name", NAMES)
async def test_a_decoder_hears_it_at_the_rate_of_the_name(name: Name) -> None:
    sound, rate_hz = decoded(name, await encoded(name))
    assert rate_hz == parts(name)[1]
    assert len(sound) / rate_hz == pytest.approx(SECONDS, abs=0.2)
    middle = sound[len(sound) // 2 :][: rate_hz // 2].astype(float)
    peak = np.argmax(np.abs(np.fft.rfft(middle)))
    assert peak * rate_hz / len(middle) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("mp3")])
async def test_every_frame_of_an_mp3_has_the_bit_rate_of_the_name(name: Name) -> None:
    data = await encoded(name)
    _, hz, kbit_s = parts(name)
    rates = MPEG1_KBIT_S if hz >= MPEG1_HZ else LSF_KBIT_S
    at, found = 0, set[int]()
    while at < len(data):
        found.add(rates[data[at + 2] >> 4])
        at += frame_bytes(data[at : at + 4], hz)
    assert found == {kbit_s}
    assert at == len(data)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("opus")])
async def test_an_opus_file_is_about_as_large_as_the_name_says(name: Name) -> None:
    _, _, kbit_s = parts(name)
    assert len(await encoded(name)) * 8 / SECONDS / 1000 == pytest.approx(kbit_s, rel=0.25)


def test_no_other_name_is_known() -> None:
    with pytest.raises(ValueError, match="unknown format 'aiff_8000': choose one of mp3_22050_32"):
        of("aiff_8000")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("mp3")])
async def test_nothing_of_an_mp3_is_lost_and_nothing_is_of_no_sound(name: Name) -> None:
    """But for its lead: a frame too many, or one too few, would be 576 samples at least."""
    rate_hz = FORMATS[name].rate_hz
    click = np.zeros(rate_hz, "<i2")
    click[rate_hz // 2 : rate_hz // 2 + 400] = 9000
    encoder = FORMATS[name].make()
    data = await encoder.feed(click.tobytes())
    data += b"".join([piece async for piece in encoder.end()])
    sound, _ = decoded(name, data)
    loud = np.flatnonzero(np.abs(sound) > 3000)
    assert loud[0] - rate_hz // 2 == pytest.approx(FORMATS[name].lead_samples, abs=120)
