"""Whisper's log-mel, against values that transformers' WhisperFeatureExtractor gave."""

from pathlib import Path

import numpy as np
import pytest

from actors.log_mel import (
    FRAMES,
    MELS,
    SAMPLES,
    hz_of_mel,
    log_mel,
    mel_filters,
    mel_of_hz,
    padded_log_mel,
)

EXPECTED = Path(__file__).parent.parent / "data" / "log_mel" / "sweep_3_seconds.npz"


def sweep(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A tone that rises from 100 to 7,000 Hz and fades, with a little offset."""
    at = np.arange(int(seconds * 16000)) / 16000
    phase = 2 * np.pi * (100 * at + 6900 / (2 * seconds) * at**2)
    return (8000 * np.sin(phase) * np.exp(-at) + 50).astype(np.int16)


def test_features_are_those_of_the_reference() -> None:
    recorded = np.load(EXPECTED)
    features = log_mel(sweep(3))
    assert features.shape == (MELS, FRAMES)
    np.testing.assert_allclose(features[:, ::10], recorded["every_tenth_frame"], atol=2e-3)


@pytest.mark.parametrize("samples", [0, 1, 100, 399, 16000, SAMPLES - 150, SAMPLES, SAMPLES + 9])
def test_the_short_way_gives_what_all_frames_would(samples: int) -> None:
    clip = np.resize(sweep(9), samples).astype(np.int16)
    padded = np.zeros(SAMPLES)
    if samples:
        padded[-min(samples, SAMPLES) :] = clip[-SAMPLES:] / 32768
    normal = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    np.testing.assert_allclose(log_mel(clip), all_frames(normal, FRAMES, MELS), atol=1e-3)


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("samples", [0, 1, 100, 201, 399, 16000, 63_900, 64_000, 70_000])
def test_behind_a_shorter_clip_there_is_silence(samples: int, mels: int) -> None:
    clip = np.resize(sweep(3), samples) * np.float32(1 / 32768)
    longer = np.zeros(64_000 + 1600)
    longer[: min(samples, 64_000)] = clip[:64_000]
    features = padded_log_mel(clip, 400, mels)
    assert features.shape == (mels, 400)
    np.testing.assert_allclose(features, all_frames(longer, 400, mels), atol=1e-3)


def all_frames(
    signal: np.ndarray[tuple[int], np.dtype[np.float64]], frames: int, mels: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Features of a whole signal, one frame after the other."""
    mirrored = np.pad(signal, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    cut = np.stack([mirrored[at * 160 : at * 160 + 400] for at in range(frames)])
    power = np.abs(np.fft.rfft(cut * window, axis=1)) ** 2
    logs = np.log10(np.maximum(power @ mel_filters(mels).T, 1e-10))
    near: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    near = (np.maximum(logs, logs.max() - 8) + 4) / 4
    return near.T


def test_the_mel_scale_is_linear_below_a_kilohertz_and_can_be_inverted() -> None:
    hz = np.array([0.0, 200.0, 1000.0, 6400.0])
    mel = mel_of_hz(hz)
    np.testing.assert_allclose(mel, [0, 3, 15, 42])
    np.testing.assert_allclose(hz_of_mel(mel), hz)
