"""Whatever people send is heard as samples, or refused in words."""

import io
import tempfile
import zipfile
from contextlib import aclosing

import numpy as np
import psutil
import pytest

from server.transcription.decoding import RATE_HZ, Decoding, Undecodable, cut
from tests.media import KINDS, recording

SECONDS = 3
TONE = (8000 * np.sin(np.arange(SECONDS * RATE_HZ) * 2 * np.pi * 440 / RATE_HZ)).astype("<i2")


async def samples(data: bytes) -> np.ndarray:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        file.seek(0)
        return np.frombuffer(b"".join([piece async for piece in Decoding(file).samples()]), "<i2")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_file_sounds_as_what_was_recorded(kind: str) -> None:
    heard = await samples(recording(kind, TONE))
    assert len(heard) / RATE_HZ == pytest.approx(SECONDS, abs=0.15)
    middle = heard[RATE_HZ : 2 * RATE_HZ].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(8000, rel=0.15)


async def test_stereo_is_heard_as_one() -> None:
    both = np.stack([TONE, np.zeros_like(TONE)], axis=1).tobytes()
    form = b"\x01\x00\x02\x00" + (16_000).to_bytes(4, "little") + (64_000).to_bytes(4, "little")
    data = b"data" + len(both).to_bytes(4, "little") + both
    body = b"WAVEfmt \x10\x00\x00\x00" + form + b"\x04\x00\x10\x00" + data
    heard = await samples(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert len(heard) == len(TONE)
    assert np.abs(heard).max() == pytest.approx(4000, rel=0.5)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(1 << 20))
    return file.getvalue()


def picture() -> bytes:
    """A film without sound."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            image = np.zeros((64, 64, 3), np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no recording that can be read"),
        (b"\x00" * 5000, "no recording that can be read"),
        (b"This is no sound at all. " * 100, "no recording that can be read"),
        (zipped(), "no recording that can be read"),
        (picture(), "holds no audio"),
        (recording("m4a", TONE)[:4000], "no recording that can be read"),
        (recording("flac", TONE)[:9000], "the file is cut: of 3.0 s that it promises"),
        (recording("wav", np.tile(TONE, 2))[: 2 * RATE_HZ * 3], "the file is cut: of 6.0 s"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "no recording that can be read"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no recording that can be read"),
    ],
    ids=[
        "empty", "zeros", "text", "zip", "film", "cut m4a", "cut flac", "cut wav", "playlist",
        "list of files",
    ],
)  # fmt: skip
async def test_what_is_no_recording_is_told(data: bytes, told: str) -> None:
    with pytest.raises(Undecodable, match=told):
        await samples(data)


async def test_ten_hours_of_silence_are_too_long_before_they_are_unpacked() -> None:
    silence = np.zeros(RATE_HZ * 60, np.int16)
    minute = recording("flac", silence)
    hours = minute[:18] + set_total(minute[18:26], 10 * 3600 * RATE_HZ) + minute[26:]
    with pytest.raises(Undecodable, match=r"has 10\.0 hours or more: 6 are the most"):
        await samples(hours)


def set_total(field: bytes, total: int) -> bytes:
    """FLAC's STREAMINFO with another number of samples: the last 36 of these 64 bits (RFC 9639)."""
    return (int.from_bytes(field) >> 36 << 36 | total).to_bytes(8)


async def test_a_file_that_unpacks_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, with a smaller limit: Ogg does not tell its length before its end."""
    from server.transcription import decoding

    monkeypatch.setattr(decoding, "LONGEST_S", 2)
    monkeypatch.setattr(decoding, "confine", lambda: None)
    with pytest.raises(Undecodable, match="are the most"):
        list(decoding.samples(io.BytesIO(recording("ogg", TONE))))


async def test_who_has_heard_enough_ends_the_process() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(recording("wav", np.tile(TONE, 200)))
        file.seek(0)
        async with aclosing(Decoding(file).samples()) as pieces:
            assert await anext(pieces)
            running = [child.cmdline() for child in psutil.Process().children()]
            assert any("server.transcription.decoding" in one for one in running)
    assert not [
        child
        for child in psutil.Process().children()
        if "server.transcription.decoding" in child.cmdline()
    ]


async def test_a_wav_file_that_was_written_as_it_grew_is_heard_to_its_end() -> None:
    data = bytearray(recording("wav", TONE))
    at = data.index(b"data")
    for length in (0x7FFFF000, 0xFFFFFFFF, 0):  # SoX's, ours and FFmpeg's, and none yet
        data[4:8] = min(length + 36, 0xFFFFFFFF).to_bytes(4, "little")
        data[at + 4 : at + 8] = length.to_bytes(4, "little")
        if length:
            assert len(await samples(bytes(data))) == len(TONE)


def test_what_a_header_rounds_is_not_cut() -> None:
    assert not cut(9.1, 10.0)
    assert cut(8.9, 10.0)
    assert not cut(3550.0, 3600.0)
    assert cut(3500.0, 3600.0)
