"""The words of a transcript, and what stands between them, as ElevenLabs' clients read them."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from engine.capabilities import TimedWord

LEAST = 1e-6
"""Of a probability that has a logarithm."""

PARTS = re.compile(r"\S+|\s+")


class Character(msgspec.Struct, frozen=True):
    """A character of a word, in seconds. Within a word they follow evenly."""

    text: str
    start: float
    end: float


class Word(msgspec.Struct, frozen=True):
    """A word, or what stands between two; together they are the text. Times in seconds, if they
    were asked for. Nobody is told apart, so that there is no `speaker_id`.
    """

    text: str
    type: Literal["word", "spacing"]
    logprob: float
    start: float | None = None
    end: float | None = None
    speaker_id: str | None = None
    characters: list[Character] | None = None


def untimed(text: str, probability: float) -> list[Word]:
    """Without times, and all of the same probability."""
    logprob = logarithm(probability)
    return [
        Word(part, "spacing", 0.0) if part.isspace() else Word(part, "word", logprob)
        for part in PARTS.findall(text)
    ]


def timed(text: str, words: Iterable[TimedWord], *, by_character: bool = False) -> Iterator[Word]:
    """With times, of words that stand in the text in this order: what stands between two of them
    has the time between them.
    """
    at, until = 0, 0.0
    for word in words:
        if not word.text:
            continue
        start, end = max(until, word.start_ms / 1000), max(until, word.end_ms / 1000)
        found = text.find(word.text, at)
        if found > at:
            characters = spread(text[at:found], until, start) if by_character else None
            yield Word(text[at:found], "spacing", 0.0, until, start, None, characters)
        if found >= 0:  # else it is spelled otherwise in the text, which goes on where it did
            at = found + len(word.text)
        until = end
        characters = spread(word.text, start, end) if by_character else None
        yield Word(word.text, "word", logarithm(word.probability), start, end, None, characters)


def spread(text: str, start: float, end: float) -> list[Character]:
    """Characters with the same time each."""
    edges = [round(start + (end - start) * n / len(text), 3) for n in range(len(text) + 1)]
    return [Character(*one) for one in zip(text, edges, edges[1:], strict=False)]


def logarithm(probability: float) -> float:
    """Of a probability, 0 to 1."""
    return round(math.log(max(LEAST, min(1.0, probability))), 4)
