"""Times of words, made to agree with the sound.

An alignment says well which word follows which, but gives a pause to the words beside it: Whisper's
ends a word 0.9 s late before one, begins the next 0.2 s late, and the first of a clip at its start.
"""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from actors.silences import levels_dbfs
from engine.capabilities import TimedWord

BLOCK_MS = 50

QUIET_DB = 30.0
"""So far below the loudest block nothing sounds: consonants are within 28 dB of the loudest vowel
(Fletcher 1953)."""

PAUSE_MS = 200
"""Less silence is within words: the closure of a plosive takes up to 150 ms."""


def stretches_ms(samples: NDArray[np.float32], rate_hz: int) -> list[tuple[int, int]]:
    """From when to when it sounds, in order, with pauses of at least 200 ms between."""
    levels = levels_dbfs(samples, rate_hz)
    found: list[tuple[int, int]] = []
    for at in np.flatnonzero(levels > levels.max() - QUIET_DB).tolist():
        start, end = at * BLOCK_MS, (at + 1) * BLOCK_MS
        if found and start - found[-1][1] < PAUSE_MS:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def fitted(words: list[TimedWord], stretches: list[tuple[int, int]]) -> list[TimedWord]:
    """Each word within the stretch that it is most in; the first begins and the last ends it.

    Words are in order and do not overlap, before and after. A word in silence stays where it is.
    """
    places = [_place(word, stretches) for word in words]
    placed: list[TimedWord] = []
    for at, (word, place) in enumerate(zip(words, places, strict=True)):
        if place is None:
            placed.append(word)
            continue
        start, end = stretches[place]
        placed.append(
            replace(
                word,
                start_ms=max(word.start_ms, start) if place in places[:at] else start,
                end_ms=min(word.end_ms, end) if place in places[at + 1 :] else end,
            )
        )
    return placed


def _place(word: TimedWord, stretches: list[tuple[int, int]]) -> int | None:
    overlaps = [min(word.end_ms, end) - max(word.start_ms, start) for start, end in stretches]
    best = int(np.argmax(overlaps)) if overlaps else 0
    return best if overlaps and overlaps[best] > 0 else None
