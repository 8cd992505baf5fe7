import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transports.audio import AudioError, CallerAudio, Format, encode
from transports.resample import Resampler


def tone(hz: float, rate_hz: int, seconds: float = 1.0) -> bytes:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (10_000 * np.sin(2 * np.pi * hz * t)).astype(np.int16).tobytes()


def level_db(pcm: bytes) -> float:
    """Relative to `tone`, without the start of the filter."""
    samples = np.frombuffer(pcm, np.int16)[1_000:].astype(float)
    return float(20 * np.log10(max(np.std(samples), 1e-3) / (10_000 / 2**0.5)))


@pytest.mark.parametrize("hz", [100, 1_000, 3_000, 6_000])
def test_speech_passes_from_24_to_16_khz_unchanged(hz: int) -> None:
    assert abs(level_db(CallerAudio(Format.PCM).feed(tone(hz, 24_000)))) < 0.1


@pytest.mark.parametrize("hz", [8_500, 9_500, 11_500])
def test_what_16_khz_cannot_hold_is_removed(hz: int) -> None:
    assert level_db(CallerAudio(Format.PCM).feed(tone(hz, 24_000))) < -55


def test_a_phone_line_gets_no_mirror_image_of_its_speech() -> None:
    out = np.frombuffer(Resampler(down=1).feed(tone(3_000, 8_000)), np.int16).astype(float)
    spectrum = np.abs(np.fft.rfft(out[1_000:9_000] * np.hanning(8_000)))
    assert spectrum.argmax() * 2 == 3_000
    assert spectrum[5_000 // 2 - 5 : 5_000 // 2 + 5].max() < spectrum.max() / 1_000


@pytest.mark.parametrize("form", list(Format))
def test_twenty_ms_in_are_twenty_ms_out(form: Format) -> None:
    stream = CallerAudio(form)
    data = encode(bytes(form.rate_hz // 50 * 2), form)
    assert [len(stream.feed(data)) for _ in range(5)] == [640] * 5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=20), st.sampled_from([1, 3]))
def test_chunk_borders_cannot_be_heard(sizes: list[int], down: int) -> None:
    rng = np.random.default_rng(1)
    pcm = rng.integers(-20_000, 20_000, sum(sizes), dtype=np.int16).tobytes()
    whole = Resampler(down).feed(pcm)
    stream, at, pieces = Resampler(down), 0, []
    for size in sizes:
        pieces.append(stream.feed(pcm[at : at + 2 * size]))
        at += 2 * size
    together = np.frombuffer(b"".join(pieces), np.int16).astype(int)
    expected = np.frombuffer(whole, np.int16).astype(int)
    assert together.size == expected.size
    assert np.all(np.abs(together - expected) <= 1)  # sums in another order may round otherwise


def test_a_long_recording_is_taken_in_steps_that_join() -> None:
    pcm = tone(440, 24_000, 3.0)
    whole = CallerAudio(Format.PCM).feed(pcm)
    stream = CallerAudio(Format.PCM)
    pieces = b"".join(stream.feed(pcm[i : i + 960]) for i in range(0, len(pcm), 960))
    difference = np.frombuffer(whole, np.int16).astype(int) - np.frombuffer(pieces, np.int16)
    assert np.abs(difference).max() <= 1


def test_clipping_stays_clipping() -> None:
    square = np.where(np.arange(24_000) % 48 < 24, 32_767, -32_768).astype(np.int16)
    out = np.frombuffer(CallerAudio(Format.PCM).feed(square.tobytes()), np.int16)
    assert out.max() == 32_767
    assert out.min() == -32_768


def test_half_a_sample_is_refused_with_its_size() -> None:
    with pytest.raises(AudioError, match="audio has 3 bytes: 16-bit samples need an even number"):
        CallerAudio(Format.PCM).check(b"abc")


def test_g711_may_have_any_number_of_bytes() -> None:
    assert len(CallerAudio(Format.MU_LAW).feed(b"\xff" * 3)) == 12
