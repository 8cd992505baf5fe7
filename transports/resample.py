"""From a client's sample rate to the 16 kHz that sessions hear, 20 ms at a time.

A streaming resampler of libsoxr holds back and bursts: measured lumps of 20 ms and more (24 kHz)
and of 60-120 ms (8 kHz) at every quality but the crudest, which aliases. Both ratios here are
small, so a short polyphase filter does it, with 1-3 ms of delay and output for every input.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

TAPS = 48
"""Input samples behind each output sample: 2 ms at 24 kHz, 6 ms at 8 kHz; half is delay."""

KAISER_BETA = 6.0  # 63 dB of stop band (Kaiser 1974), with a transition of 1.9 kHz at 24 kHz
LONGEST_STEP = 4_800  # samples: 200 ms at 24 kHz; what is longer is done in steps, to bound memory

Floats = npt.NDArray[np.float32]


@cache
def _phases(down: int) -> Floats:
    """The filter as [TAPS, 2]: column p gives output p of every window of `down` inputs.

    A windowed sinc at twice the input rate, cut at the lower of the two Nyquist frequencies.
    """
    cutoff = 0.5 * min(1.0, 2 / down)  # of the input rate
    if down > 1:
        cutoff *= 0.93  # leaves half the transition band below 8 kHz, where speech has little
    span = np.arange(TAPS)
    columns = []
    for phase in range(2):
        t = span - (TAPS // 2 + phase * down / 2)
        x = np.clip(2 * t / TAPS, -1, 1)
        window = np.i0(KAISER_BETA * np.sqrt(1 - x * x)) / np.i0(KAISER_BETA)
        taps = np.sinc(2 * cutoff * t) * window
        columns.append(taps / taps.sum())
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)


@dataclass(slots=True)
class _Scratch:
    """Room for one chunk length; holds nothing between calls, so that all sessions share it."""

    line: Floats
    windows: Floats
    outputs: Floats


def _scratch(samples: int, down: int) -> _Scratch:
    line = np.zeros(TAPS + samples, np.float32)
    steps = samples // down
    windows = as_strided(line, (steps, TAPS), (4 * down, 4))
    return _Scratch(line, windows, np.empty((steps, 2), np.float32))


_cached_scratch = cache(_scratch)


def _room(samples: int, down: int) -> _Scratch:
    """Cached for the lengths that clients use: multiples of 5 ms or so, not every odd length."""
    if samples % 24 == 0:
        return _cached_scratch(samples, down)
    return _scratch(samples, down)


@dataclass(slots=True)
class Resampler:
    """Mono 16-bit PCM at `16 kHz * down / 2` in, at 16 kHz out; `down` is 3 (24 kHz) or 1 (8 kHz).

    Chunks may have any whole number of samples; their borders cannot be heard.
    """

    down: int
    _history: Floats = field(default_factory=lambda: np.zeros(TAPS, np.float32))
    _rest: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    def feed(self, pcm: bytes) -> bytes:
        """The output for `pcm` (whole samples); up to two input samples wait for the next call."""
        if len(pcm) <= 2 * LONGEST_STEP:
            return self._step(pcm)
        step = 2 * LONGEST_STEP
        return b"".join(self._step(pcm[i : i + step]) for i in range(0, len(pcm), step))

    def _step(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, np.int16)
        if self._rest.size:
            samples = np.concatenate((self._rest, samples))
        whole = samples.size - samples.size % self.down
        if whole != samples.size or self._rest.size:
            self._rest = samples[whole:].copy()
            samples = samples[:whole]
        if not whole:
            return b""
        room = _room(whole, self.down)
        room.line[:TAPS] = self._history
        room.line[TAPS:] = samples
        self._history = room.line[whole:].copy()
        outputs = np.dot(room.windows, _phases(self.down), out=room.outputs)
        np.rint(outputs, out=outputs)
        np.maximum(outputs, -32_768, out=outputs)
        np.minimum(outputs, 32_767, out=outputs)
        return outputs.astype(np.int16).tobytes()
