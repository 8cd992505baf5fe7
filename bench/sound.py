"""Sound as the measurements see it: labelled clips, levels, what can be heard, and gaps.

Sounds are float32 in -1..1; levels are in dBFS of a full-scale sample.
"""

import json
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Stretch = tuple[float, float]
"""Start and length in ms."""

TURNS = Path(__file__).parent.parent / "tests" / "data" / "turns"
AUDIBLE_DBFS = -45.0  # the level that the turns' labels were made with
QUIET_DBFS = -72.0  # the room between turns, as the turns' README says
STUFFING_MS = 400  # no voice here pauses longer with exact zeros: our own sends 200 ms of them


class Turn(msgspec.Struct, frozen=True):
    """One labelled clip of `tests/data/turns`; times in ms from the start of its file."""

    text: str
    file: str
    kind: Literal["question", "hesitation", "acknowledgement"]
    speaker: str
    first_voiced_ms: float
    last_voiced_ms: float
    duration_ms: float
    pause_start_ms: float | None = None
    pause_end_ms: float | None = None


def load_turns(folder: Path = TURNS) -> list[Turn]:
    """All labelled turns, in the order of their index."""
    return msgspec.convert(json.loads((folder / "index.json").read_text()), list[Turn])


def load(turn: Turn, rate_hz: int, folder: Path = TURNS) -> Sound:
    """The turn's sound at `rate_hz`."""
    sound, from_hz = soundfile.read(folder / turn.file, dtype="float32")
    return resample(sound, from_hz, rate_hz)


def resample(sound: Sound, from_hz: int, to_hz: int) -> Sound:
    if from_hz == to_hz or not len(sound):
        return sound
    return np.asarray(soxr.resample(sound, from_hz, to_hz), np.float32)


def to_pcm(sound: Sound) -> bytes:
    """16-bit little-endian PCM, clipped."""
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


def from_pcm(pcm: bytes) -> Sound:
    return np.asarray(np.frombuffer(pcm, "<i2") / np.float32(32768), np.float32)


def amplitude(dbfs: float) -> float:
    """The sample value that has this level."""
    return float(10 ** (dbfs / 20))


def noise(samples: int, dbfs: float, rng: np.random.Generator) -> Sound:
    """White noise whose root mean square has this level."""
    return np.asarray(rng.standard_normal(samples) * amplitude(dbfs), np.float32)


def babble(sounds: list[Sound], samples: int, dbfs: float, rng: np.random.Generator) -> Sound:
    """A room of other people: `sounds` end to end, eight deep, shifted, at this RMS level."""
    line = np.concatenate(sounds)
    line = np.tile(line, samples // len(line) + 1)
    mixed = np.zeros(samples, np.float32)
    for _ in range(8):
        mixed += np.roll(line, int(rng.integers(len(line))))[:samples]
    rms = float(np.sqrt(np.mean(mixed**2)))
    return np.asarray(mixed * np.float32(amplitude(dbfs) / rms), np.float32)


def loud(sound: Sound) -> NDArray[np.intp]:
    """The positions of all audible samples."""
    return np.flatnonzero(np.abs(sound) > amplitude(AUDIBLE_DBFS))


def silences(sound: Sound, rate_hz: int) -> list[Stretch]:
    """The stretches without an audible sample between audible ones."""
    at = loud(sound)
    steps = np.diff(at)
    return [
        (float(at[i] + 1) * 1000 / rate_hz, float(steps[i] - 1) * 1000 / rate_hz)
        for i in np.flatnonzero(steps > 1)
    ]


def zeros(sound: Sound, rate_hz: int) -> list[Stretch]:
    """The stretches of exact zeros that are longer than any voice pauses: silence sent as audio."""
    zero = np.concatenate(([0], (sound == 0).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(zero))
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [
        (float(start) * 1000 / rate_hz, float(end - start) * 1000 / rate_hz)
        for start, end in spans
        if (end - start) * 1000 / rate_hz > STUFFING_MS
    ]


def heard_gaps(sound: Sound, rate_hz: int, holes: list[Stretch]) -> list[Stretch]:
    """The silences that one of the `holes` made or lengthened.

    A pause between two sentences, which the voice makes, is none; one that the server lengthened by
    sending nothing counts in full, as it is heard.
    """
    return [
        (start, length)
        for start, length in silences(sound, rate_hz)
        if any(hole < start + length and start < hole + size for hole, size in holes)
    ]
