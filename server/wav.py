"""Recordings on disk: read as mono 16-bit PCM at one rate, written as WAV.

WAV is read by the standard library. Anything else goes through the `ffmpeg` program where the
machine has it: in its own process, so that its licence and its weight stay out of ours.
"""

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AUDIBLE = 184
"""A 16-bit sample from here on is audible: -45 dBFS, the threshold that labels our test clips."""


class RecordingError(Exception):
    """A recording cannot be read; the text names the file and the way out."""


def read(path: Path, rate_hz: int) -> bytes:
    """The recording as mono 16-bit PCM at `rate_hz`; several channels are averaged."""
    try:
        with path.open("rb") as file:
            is_wav = file.read(4) == b"RIFF"
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    return read_wav(path, rate_hz) if is_wav else read_by_ffmpeg(path, rate_hz)


def read_wav(path: Path, rate_hz: int) -> bytes:
    """A PCM WAV file of 8, 16, 24 or 32 bits."""
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, from_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise RecordingError(
            f"{path}: not a PCM WAV file ({error}); convert it to 16-bit PCM"
        ) from error
    whole = len(data) - len(data) % (width * channels)  # the file may be cut off
    samples = as_16_bit(data[:whole], width).reshape(-1, channels).mean(axis=1)
    if not len(samples):
        raise RecordingError(f"{path}: there is no sound in it")
    if from_hz != rate_hz:
        samples = resampled(samples, from_hz, rate_hz)
    pcm: bytes = np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
    return pcm


def as_16_bit(data: bytes, width: int) -> Floats:
    """Samples of `width` bytes as float64 on the scale of 16-bit ones. 8-bit WAV is unsigned."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.float64)
    raw = np.frombuffer(data, np.uint8).reshape(-1, width)[:, -2:]  # the two highest bytes
    return np.frombuffer(raw.tobytes(), "<i2").astype(np.float64)


def resampled(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """A whole recording at another rate, by its spectrum: exact for what both rates can hold."""
    length = round(len(samples) * to_hz / from_hz)
    return np.fft.irfft(np.fft.rfft(samples), length) * (length / max(1, len(samples)))


def read_by_ffmpeg(path: Path, rate_hz: int) -> bytes:
    """Any format that the machine's `ffmpeg` program reads."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise RecordingError(f"{path}: not a WAV file; convert it to WAV, or install ffmpeg")
    done = subprocess.run(
        [
            program,
            "-v",
            "error",
            "-i",
            str(path),
            "-ac",
            "1",
            "-ar",
            str(rate_hz),
            "-f",
            "s16le",
            "-",
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()
        raise RecordingError(f"{path}: ffmpeg cannot read it: {reason}")
    return done.stdout


def write(path: Path, rate_hz: int, *channels: bytes) -> None:
    """Write mono 16-bit PCM channels of one rate as a WAV file; shorter ones end in silence."""
    length = max(len(channel) for channel in channels) // 2
    frames = np.zeros((length, len(channels)), "<i2")
    for index, pcm in enumerate(channels):
        frames[: len(pcm) // 2, index] = np.frombuffer(pcm, "<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(frames.tobytes())


def audible(pcm: bytes) -> tuple[int, int] | None:
    """The first and the last audible sample, or None if all is silent."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) >= AUDIBLE)
    return (int(loud[0]), int(loud[-1])) if len(loud) else None
