"""Recordings: read at another rate and width, written, searched for what is audible."""

import wave
from pathlib import Path

import numpy as np
import pytest

from server import wav


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0, level: float = 8000) -> bytes:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (np.sin(2 * np.pi * hz * t) * level).astype("<i2").tobytes()


@pytest.mark.parametrize("from_hz", [8000, 16000, 24000, 44100])
def test_any_rate_is_read_at_the_rate_asked_for(tmp_path: Path, from_hz: int) -> None:
    wav.write(tmp_path / "a.wav", from_hz, tone(from_hz))
    read = np.frombuffer(wav.read(tmp_path / "a.wav", 24000), "<i2").astype(int)
    expected = np.frombuffer(tone(24000), "<i2").astype(int)
    assert len(read) == pytest.approx(len(expected), abs=2)
    middle = slice(2000, 10000)  # the ends of a cut tone ring
    assert np.abs(read[middle] - expected[middle]).max() < 200


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_sample_width_is_read(tmp_path: Path, width: int) -> None:
    values = np.array([0, 1 << 12, -(1 << 12)])
    raw = b"".join(
        bytes([(int(value) >> 8) + 128])
        if width == 1
        else (int(value) << 8 * (width - 2)).to_bytes(width, "little", signed=True)
        for value in values
    )
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(24000)
        file.writeframes(raw)
    assert np.frombuffer(wav.read(tmp_path / "a.wav", 24000), "<i2").tolist() == values.tolist()


def test_channels_are_averaged_and_shorter_ones_end_in_silence(tmp_path: Path) -> None:
    left, right = np.array([100, 200], "<i2").tobytes(), np.array([300], "<i2").tobytes()
    wav.write(tmp_path / "a.wav", 24000, left, right)
    read = np.frombuffer(wav.read(tmp_path / "a.wav", 24000), "<i2")
    assert read.tolist() == [200, 100]


def test_what_cannot_be_read_is_named_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(wav.RecordingError, match=r"none\.wav: cannot be read: No such file"):
        wav.read(tmp_path / "none.wav", 24000)
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    with pytest.raises(wav.RecordingError, match="convert it to WAV, or install ffmpeg"):
        wav.read(tmp_path / "a.flac", 24000)
    (tmp_path / "b.wav").write_bytes(b"RIFF....WAVEjunk")
    with pytest.raises(wav.RecordingError, match=r"b\.wav: not a PCM WAV file"):
        wav.read(tmp_path / "b.wav", 24000)


def test_another_format_is_read_through_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\n[ "$8" = 24000 ] && printf abcd || { echo bad >&2; exit 1; }\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    with pytest.raises(wav.RecordingError, match="ffmpeg cannot read it: bad"):
        wav.read(tmp_path / "a.mp3", 8000)
    assert wav.read(tmp_path / "a.mp3", 24000) == b"abcd"


def test_audible_begins_at_minus_45_dbfs() -> None:
    pcm = np.array([0, 183, -184, 50, 184, 0], "<i2").tobytes()
    assert wav.audible(pcm) == (2, 4)
    assert wav.audible(bytes(100)) is None
