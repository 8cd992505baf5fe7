"""Whisper's log-mel spectrogram (arXiv 2212.04356, section 2.2).

Frames of 400 samples under a periodic Hann window, 160 apart and centred, the signal mirrored at
its start; power in 80 mel bands, 128 for large-v3 (Slaney's scale and area normalisation, Auditory
Toolbox, 1998); log10, nothing lower than 8 below the loudest, then (x + 4) / 4.

`log_mel` is what smart-turn looks at: the last 8 s, zeros in front, mean 0 and variance 1, mirrored
at the end too. `padded_log_mel` is Whisper's own: zeros behind.

Only frames that touch the clip are computed: those of the zeros are all alike.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
SAMPLES = 8 * RATE_HZ
WINDOW = 400
HOP = 160
MELS = 80
FRAMES = SAMPLES // HOP

_MARGIN = WINDOW // 2
_LEAST = 1e-10


def mel_of_hz(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: linear, 200/3 Hz a mel, up to 1 kHz; from there 27 mels a factor of 6.4."""
    linear = hz * 3 / 200
    return np.where(hz < 1000, linear, 15 + np.log(np.maximum(hz, 1e-9) / 1000) * 27 / np.log(6.4))


def hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `mel_of_hz`."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mel_filters(mels: int = MELS) -> NDArray[np.float32]:
    """Triangles [mels, 201] over the bins of a 400-point transform, each of area 1, 0-8 kHz."""
    top = mel_of_hz(np.array([RATE_HZ / 2]))[0]
    edges = hz_of_mel(np.linspace(0, top, mels + 2))
    bins = np.linspace(0, RATE_HZ / 2, WINDOW // 2 + 1)
    low, middle, high = (edges[at : at + mels, None] for at in range(3))
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    return (np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)).astype(np.float32)


_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def log_mel(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Features [80, 800] of the last 8 s of `pcm`, mono at 16 kHz, of any length."""
    clip = pcm[-SAMPLES:] * np.float32(1 / 32768)
    mean = float(clip.sum(dtype=np.float64)) / SAMPLES
    power = float(np.square(clip, dtype=np.float64).sum()) / SAMPLES
    scale = 1 / np.sqrt(max(power - mean * mean, 0) + 1e-7)

    # the first frame that reaches into the clip, and one before it to stand for the zeros
    silent = max(0, (SAMPLES - len(clip) - _MARGIN) // HOP - 1)
    start = silent * HOP - _MARGIN
    signal = np.full(SAMPLES + _MARGIN - start, -mean * scale, np.float32)
    end = SAMPLES - start
    signal[end - len(clip) : end] = (clip - np.float32(mean)) * np.float32(scale)
    signal[end:] = signal[end - 1 - _MARGIN : end - 1][::-1]
    if silent == 0:
        signal[:_MARGIN] = signal[_MARGIN + 1 : 2 * _MARGIN + 1][::-1]

    logs = _logs(signal, FRAMES - silent, MELS)
    features = np.empty((MELS, FRAMES), np.float32)
    features[:, silent:] = _brought_near_one(logs, logs.max()).T
    features[:, :silent] = features[:, silent : silent + 1]
    return features


def padded_log_mel(
    samples: NDArray[np.float32], frames: int, mels: int = MELS
) -> NDArray[np.float32]:
    """Features [mels, frames] of samples of -1 to 1 at 16 kHz; what is beyond `frames` is cut."""
    clip = samples[: frames * HOP]
    sounding = min(frames, (len(clip) + _MARGIN) // HOP + 1)
    signal = np.zeros(max(2 * _MARGIN, _MARGIN + len(clip)) + WINDOW, np.float32)
    signal[_MARGIN : _MARGIN + len(clip)] = clip
    signal[:_MARGIN] = signal[_MARGIN + 1 : 2 * _MARGIN + 1][::-1]
    logs = _logs(signal, sounding, mels)
    loudest = logs.max()
    silence = np.full((frames - sounding, mels), np.log10(_LEAST), np.float32)
    return _brought_near_one(np.concatenate([logs, silence]), loudest).T


def _logs(signal: NDArray[np.float32], frames: int, mels: int) -> NDArray[np.float32]:
    """The logarithms [frames, mels] of the power in each band of the first frames."""
    cut = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP][:frames]
    spectrum = np.fft.rfft(cut * _HANN, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    logs: NDArray[np.float32] = np.log10(np.maximum(power @ _filters(mels), _LEAST))
    return logs


def _brought_near_one(logs: NDArray[np.float32], loudest: float) -> NDArray[np.float32]:
    return np.asarray((np.maximum(logs, loudest - 8) + 4) / 4, np.float32)


@cache
def _filters(mels: int) -> NDArray[np.float32]:
    return mel_filters(mels).T
