"""Turns that are played into a call one after the other, found again in its recording.

Where a turn is in the recording of the microphone is found by correlation, so no clock but the
recording's is needed; what the agent is heard to say, and when, is in the same recording.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from bench.sound import QUIET_DBFS, Sound, Turn, load, loud, noise

FIRST_S = 4.0
"""Before the first turn: the call is connected, and models are there."""

OPENS_S = (-1.0, 3.0)
"""The microphone opens so much later than the recording begins, at least and at most: audio is
slow to start where the machine is busy."""

ALIKE = 0.5
"""Correlation of a turn with itself behind a browser's echo canceller and gain control: 0.9 and
more; with another turn less than 0.1."""

BEFORE_S = 0.2
"""An agent that is heard so shortly before a turn begins is spoken over."""


class Take(msgspec.Struct, frozen=True):
    """A turn, and when it begins in the microphone's sound, in s."""

    turn: Turn
    at_s: float


class Exchange(msgspec.Struct, frozen=True):
    """What became of a turn. `latency_ms` is from its last voiced sample to the first audible one
    of the agent; None unless it was answered. Heard too early the agent has cut it; heard when it
    began it was spoken over, which tells nothing. `answer_s` is from when to when the answer can
    be heard in the recording, up to the next turn.
    """

    file: str
    outcome: Literal["answered", "lost", "cut", "over", "unsaid"]
    latency_ms: float | None = None
    answer_s: tuple[float, float] | None = None


def microphone(
    turns: Sequence[Turn], gap_s: float, rate_hz: int, seed: int, first_s: float = FIRST_S
) -> tuple[Sound, list[Take]]:
    """The turns with `gap_s` behind each, in a quiet room, and where they are."""
    takes = []
    at = round(first_s * rate_hz)
    clips = []
    for turn in turns:
        clip = load(turn, rate_hz)
        clips.append((at, clip))
        takes.append(Take(turn, at / rate_hz))
        at += len(clip) + round(gap_s * rate_hz)
    sound = noise(at, QUIET_DBFS, np.random.default_rng(seed))
    for start, clip in clips:
        sound[start : start + len(clip)] += clip
    return sound, takes


def exchanges(
    takes: Sequence[Take], gap_s: float, said: Sound, heard: Sound, rate_hz: int
) -> list[Exchange]:
    """What became of each turn of a call, by the recordings of both sides."""
    found = []
    for take in takes:
        clip = load(take.turn, rate_hz)
        first, last = (round((take.at_s + opens_s) * rate_hz) for opens_s in OPENS_S)
        at = place(said, clip, first, last)
        if at is None:
            found.append(Exchange(take.turn.file, "unsaid"))
        else:
            ends = at + len(clip) + round(gap_s * rate_hz)
            found.append(exchange(take.turn, at, ends, heard, rate_hz))
    return found


def place(said: Sound, clip: Sound, first: int, last: int) -> int | None:
    """The sample at which the clip begins in what was said, one of `first` to `last`; None if it is
    not there.
    """
    part = said[first : last + len(clip)].astype(np.float64)
    if len(part) < len(clip):
        return None
    wanted = clip.astype(np.float64)
    size = 1 << (len(part) + len(wanted)).bit_length()
    spectrum = np.fft.rfft(part, size) * np.conj(np.fft.rfft(wanted, size))
    alike = np.fft.irfft(spectrum, size)[: len(part) - len(wanted) + 1]
    at = int(np.argmax(alike))
    energy = float(np.sum(part[at : at + len(wanted)] ** 2) * np.sum(wanted**2))
    return first + at if energy and alike[at] / np.sqrt(energy) >= ALIKE else None


def exchange(turn: Turn, at: int, ends: int, heard: Sound, rate_hz: int) -> Exchange:
    """What became of a turn that begins at a sample, when the next one may begin at `ends`."""
    first, last = (
        at + round(ms * rate_hz / 1000) for ms in (turn.first_voiced_ms, turn.last_voiced_ms)
    )
    if len(loud(heard[max(0, first - round(BEFORE_S * rate_hz)) : first])):
        return Exchange(turn.file, "over")
    if len(loud(heard[first:last])):
        return Exchange(turn.file, "cut")
    audible = loud(heard[last:ends])
    if not len(audible):
        return Exchange(turn.file, "lost")
    begins, stops = last + int(audible[0]), last + int(audible[-1]) + 1
    latency_ms = float(audible[0]) * 1000 / rate_hz
    return Exchange(turn.file, "answered", latency_ms, (begins / rate_hz, stops / rate_hz))
