"""Words in sentences that fit below a film."""

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from engine.capabilities import TimedWord

MOST_CHARACTERS = 84
MOST_MS = 7000
"""Of what is read at once: two lines of 42 characters, for seven seconds (Netflix' "Timed Text
Style Guide", 2021)."""

PAUSE_MS = 1000
"""Whoever says nothing for so long has ended what they said."""


class Cut(msgspec.Struct, frozen=True):
    """How long a segment may be, and after which silence there is another."""

    most_characters: int = MOST_CHARACTERS
    most_ms: int = MOST_MS
    pause_ms: int = PAUSE_MS


USUAL = Cut()

ENDS = tuple(".?!…。？！")
CLOSING = "\"'”’»)]"


class Segment(msgspec.Struct, frozen=True):
    """Words that belong together, with their spaces; times from the beginning of the recording."""

    text: str
    start_ms: int
    end_ms: int
    probability: float
    """Geometric mean of its words'."""
    words: tuple[TimedWord, ...] = ()


def segments(
    words: Iterable[TimedWord], *, spaced: bool = True, cut: Cut = USUAL
) -> Iterator[Segment]:
    """The words in segments, as soon as each is whole; `spaced` where spaces are written."""
    held: list[TimedWord] = []
    for word in words:
        if held and (ended(held[-1]) or apart(held, word, spaced, cut)):
            yield joined(held, spaced=spaced)
            held = []
        held.append(word)
    if held:
        yield joined(held, spaced=spaced)


def ended(word: TimedWord) -> bool:
    """Whether a sentence ends with it."""
    return word.text.rstrip(CLOSING).endswith(ENDS)


def apart(held: list[TimedWord], word: TimedWord, spaced: bool, cut: Cut) -> bool:
    """Whether a word is for the next segment, though the sentence goes on."""
    characters = sum(len(one.text) + spaced for one in held) + len(word.text)
    return (
        word.start_ms - held[-1].end_ms >= cut.pause_ms
        or word.end_ms - held[0].start_ms > cut.most_ms
        or characters > cut.most_characters
    )


def joined(words: list[TimedWord], *, spaced: bool) -> Segment:
    """One segment of them."""
    text = (" " if spaced else "").join(word.text for word in words)
    logs = [np.log(max(word.probability, 1e-6)) for word in words]
    mean = float(np.exp(np.mean(logs)))
    return Segment(text, words[0].start_ms, words[-1].end_ms, mean, tuple(words))
