"""Where a clip is quiet: whether it holds speech at all, and where a long one may be cut."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
S = TypeVar("S", NDArray[np.float32], NDArray[np.int16])

LONGEST_S = 30.0
"""What speech models are trained on (Whisper's window; Moonshine's longest clips)."""

_BLOCK_S = 0.05

SILENCE_DBFS = -60.0
"""Speech peaks above it on the worst line: G.711's idle noise is near -70 dBm0 (ITU-T G.712)."""


def levels_dbfs(samples: Samples, rate_hz: int) -> NDArray[np.float32]:
    """The level of each 50 ms block, in dBFS of a full-scale square wave, at least -120."""
    if not len(samples):
        return np.array([-120], np.float32)
    size = int(_BLOCK_S * rate_hz)
    count = max(1, len(samples) // size)
    blocks = samples[: count * size].reshape(count, -1)
    power = np.mean(np.square(blocks), axis=1)
    return np.asarray(10 * np.log10(power + 1e-12), np.float32)


def holds_speech(samples: Samples, rate_hz: int) -> bool:
    """Whether anything is loud enough to be speech. Models invent words for silence."""
    return bool(levels_dbfs(samples, rate_hz).max() > SILENCE_DBFS)


def pieces(samples: S, rate_hz: int, longest_s: float = LONGEST_S) -> list[S]:
    """The clip in pieces of at most `longest_s`, cut at the quietest 50 ms of the last third."""
    longest = int(longest_s * rate_hz)
    parts: list[S] = []
    while len(samples) > longest:
        earliest = longest * 2 // 3
        levels = levels_dbfs(samples[earliest:longest].astype(np.float32), rate_hz)
        cut = earliest + int((int(levels.argmin()) + 0.5) * _BLOCK_S * rate_hz)
        parts.append(samples[:cut])
        samples = samples[cut:]
    parts.append(samples)
    return parts
