"""From the samples that a voice makes to `Speech`: silence trimmed, resampled, every word timed."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec
import numpy as np
import soxr
from numpy.typing import NDArray

from actors.onnx_parts import Floats
from actors.pronounce import Word
from engine.capabilities import Speech, SpokenWord, Utterance
from engine.inference import BadPayload

T = TypeVar("T")

SPEEDS: Final = (0.25, 4.0)
RATES_HZ: Final = (8000, 48000)

_SILENCE: Final = 10 ** (-50 / 20)
_LEAD_MS: Final = 10
"""What stays of the silence before the first sound, faded in."""

_PAUSE_MS: Final = {".": 200, "!": 200, "?": 200, ":": 120, ";": 120, ",": 80}
_NO_STOP_PAUSE_MS: Final = 20
"""The silence after the last sound, by the stop that the text ends with."""


class Window(msgspec.Struct, frozen=True):
    """The next samples of a run of the model, -1 to 1."""

    samples: Floats
    last: bool


class Timed(msgspec.Struct, frozen=True):
    """A word, and where its phonemes lie: in the model's samples from the run's first window."""

    word: Word
    start: int
    end: int


def check(utterance: Utterance) -> None:
    """Raises `BadPayload` for a speed out of `SPEEDS` or a rate out of `RATES_HZ`."""
    speed, rate_hz = utterance.speed, utterance.rate_hz
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise BadPayload(f"speed is {speed}: it must be {SPEEDS[0]} to {SPEEDS[1]}")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise BadPayload(f"rate_hz is {rate_hz}: it must be {RATES_HZ[0]} to {RATES_HZ[1]}")


def cuts(frames: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where windows of `sizes`, the last of them again and again, begin and end in `frames`.

    The last window is never a crumb: it is up to one and a half times its size.
    """
    start = 0
    for size in itertools.chain(sizes, itertools.repeat(sizes[-1])):
        end = frames if frames - start <= size * 3 // 2 else start + size
        yield start, end
        if end == frames:
            return
        start = end


class Rendition:
    """The speech of one utterance, run after run: `rate_hz` is wanted, `model_hz` is made."""

    def __init__(self, model_hz: int, rate_hz: int) -> None:
        self._model_hz = model_hz
        self._rate_hz = rate_hz
        self._said = 0

    def run(self, windows: Iterable[Window], words: list[Timed], *, last: bool) -> Iterator[Speech]:
        """The speech of one run of the model, a `Speech` a window, each as soon as it is made;
        `last`: it is the utterance's last run.

        The silence before it is cut, the one behind it is as long as the last word's stop asks. A
        word comes with the window that it begins in.
        """
        resampler = soxr.ResampleStream(self._model_hz, self._rate_hz, 1, dtype="float32")
        waiting, stop = words, words[-1].word.stop
        before, at, trimmed = self._said, 0, 0
        for window in windows:
            samples, ends = window.samples, window.last
            first = at == 0
            at += len(samples)
            begun = [word for word in waiting if ends or word.start < at]
            waiting = waiting[len(begun) :]
            if first:
                samples = _without_lead(samples, self._model_hz)
                trimmed = at - len(samples)
            if ends:
                least = max((word.end for word in begun), default=0) - (at - len(samples))
                samples = _with_pause(samples, self._model_hz, stop, max(0, least))
            pcm = _pcm(resampler.resample_chunk(samples, last=ends))
            self._said += len(pcm) // 2
            spoken = (self._spoken(word, trimmed, before) for word in begun)
            yield Speech(pcm, self._rate_hz, tuple(spoken), last and ends)

    def _spoken(self, timed: Timed, trimmed: int, before: int) -> SpokenWord:
        scale = self._rate_hz / self._model_hz
        return SpokenWord(
            start_char=timed.word.start_char,
            end_char=timed.word.end_char,
            start_samples=before + round(max(0, timed.start - trimmed) * scale),
            end_samples=before + round(max(0, timed.end - trimmed) * scale),
        )


def _without_lead(samples: Floats, rate_hz: int) -> Floats:
    """`samples` from `_LEAD_MS` before their first sound, faded in."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    lead = _LEAD_MS * rate_hz // 1000
    first = max(0, (int(loud[0]) if len(loud) else len(samples)) - lead)
    kept = samples[first:].copy()
    fade = min(lead, len(kept))
    kept[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    return kept


def _with_pause(samples: Floats, rate_hz: int, stop: str, least: int) -> Floats:
    """`samples` with the silence at their end as long as `stop` asks, but `least` in all."""
    pause_ms = _PAUSE_MS.get(stop, _NO_STOP_PAUSE_MS)
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    voiced = int(loud[-1]) + 1 if len(loud) else 0
    size = max(voiced + pause_ms * rate_hz // 1000, least)
    kept = samples[:size].copy()
    fade = min(len(kept) - voiced, rate_hz // 100)
    if fade > 0:
        kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.pad(kept, (0, size - len(kept)))


def _pcm(samples: Floats) -> bytes:
    sound: NDArray[np.int16] = np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2")
    return sound.tobytes()


def with_last(runs: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Each, and whether it is the last one."""
    left = iter(runs)
    held = next(left, None)
    while held is not None:
        following = next(left, None)
        yield held, following is None
        held = following
