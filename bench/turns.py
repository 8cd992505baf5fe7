"""The labelled turns, as a caller's line brings them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from engine.frames import CALLER_HZ

Pcm = NDArray[np.int16]

FOLDER = Path(__file__).parent.parent / "tests" / "data" / "turns"

ROOM_DBFS = -72.0
"""A quiet room on a good microphone: what stands between and behind the turns."""


@dataclass(frozen=True)
class Turn:
    """One labelled clip; see `tests/data/turns/README.md`. Times in ms from the clip's start."""

    file: str
    text: str
    kind: str
    speaker: str
    first_voiced_ms: float
    last_voiced_ms: float
    duration_ms: float
    pause_start_ms: float | None = None
    pause_end_ms: float | None = None

    def pcm(self) -> Pcm:
        """The clip, mono at 16 kHz."""
        samples, _ = sf.read(FOLDER / self.file, dtype="int16")
        return np.asarray(samples, np.int16)


def turns(*kinds: str) -> list[Turn]:
    """All turns of these kinds (`question`, `hesitation`, `acknowledgement`); of all, if none."""
    entries = json.loads((FOLDER / "index.json").read_text())
    return [Turn(**entry) for entry in entries if not kinds or entry["kind"] in kinds]


def noise(samples: int, dbfs: float, seed: int = 1) -> NDArray[np.float64]:
    """White noise with this level, in units of 16-bit samples."""
    return np.random.default_rng(seed).standard_normal(samples) * 32768 * 10 ** (dbfs / 20)


def on_line(pcm: Pcm, behind_ms: int = 3000, dbfs: float = ROOM_DBFS) -> Pcm:
    """The clip with silence behind it and noise all over."""
    longer = np.concatenate([pcm, np.zeros(behind_ms * CALLER_HZ // 1000, np.int16)])
    return np.clip(longer + noise(len(longer), dbfs), -32768, 32767).astype(np.int16)


def by_phone(pcm: Pcm) -> Pcm:
    """What a telephone makes of it: 300-3400 Hz, 8 kHz, mu-law with 8 bits (ITU-T G.711)."""
    narrow: NDArray[np.float64] = soxr.resample(pcm.astype(np.float64), CALLER_HZ, 8000)
    spectrum = np.fft.rfft(narrow)
    hz = np.fft.rfftfreq(len(narrow), 1 / 8000)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    band = np.clip(np.fft.irfft(spectrum, len(narrow)) / 32768, -1, 1)
    curve = np.sign(band) * np.log1p(255 * np.abs(band)) / np.log(256)
    steps = np.round(curve * 127) / 127
    back = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * 32767
    wide: NDArray[np.float64] = soxr.resample(back, 8000, CALLER_HZ)
    return np.clip(wide, -32768, 32767).astype(np.int16)
