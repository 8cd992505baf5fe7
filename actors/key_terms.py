"""Key terms, the names and words that callers will say, written as they are spelled.

A recogniser that never met "Zadarma" hears "Sodarma", or "the drama". Where words of a transcript
sound almost like a key term, that is what was said. Almost is measured twice, in letters and in
sounds (Lawrence Philips' Metaphone, 1990, of English), and both must say so: by letters alone
"eleven" is "Elowen", by sounds alone "care" is "Kara".
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import jellyfish
import msgspec

ALIKE = 0.7
"""So much of the letters, and of the sounds, must be the same. Of forty names in English sentences
by three voices Moonshine has 32 % right, and with this 53; no ordinary word of 115 labelled turns
becomes a name. At 0.6 it is 58 %, and "eleven" becomes "Elowen". Of the other forty names of
`bench/key_terms.py` it is 30 and 41 %."""

SHORTEST = 5
"""Letters of a term that is looked for by its sound; too many words sound like a shorter one."""

MORE_WORDS = 2
"""A term is heard as so many more words than it has: "Kubernetes" as "Cooper net is"."""

REMEMBERED = 64
"""Lists of terms: sessions of one agent have the same."""

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


class _Term(msgspec.Struct, frozen=True):
    text: str
    letters: str
    sounds: str
    words: int


class _Found(msgspec.Struct, frozen=True):
    """From the word `first` to before `end`; `alike` of 2 is the term itself."""

    alike: float
    first: int
    end: int
    term: str


def respelled(text: str, terms: Sequence[str]) -> str:
    """An English transcript, with the terms that it holds, or almost holds, as they are written."""
    if not terms or not text:
        return text
    words = [(word.start(), word.end()) for word in WORD.finditer(text)]
    found = sorted(
        (one for term in _known(tuple(terms)) for one in _places(text, words, term)),
        key=lambda one: (-one.alike, one.first),
    )
    taken: list[_Found] = []
    for one in found:
        if all(one.end <= other.first or one.first >= other.end for other in taken):
            taken.append(one)
    for one in sorted(taken, key=lambda one: -one.first):
        text = text[: words[one.first][0]] + one.term + text[words[one.end - 1][1] :]
    return text


@lru_cache(REMEMBERED)
def _known(terms: tuple[str, ...]) -> tuple[_Term, ...]:
    return tuple(
        _Term(term, letters, _sounds(term), len(term.split()))
        for term in terms
        if (letters := _letters(term))
    )


def _places(text: str, words: Sequence[tuple[int, int]], term: _Term) -> Iterator[_Found]:
    """Where a term may stand, in words with nothing but spaces between them."""
    for first in range(len(words)):
        for end in range(first + 1, min(first + term.words + MORE_WORDS, len(words)) + 1):
            if end - first > 1 and not text[words[end - 2][1] : words[end - 1][0]].isspace():
                break
            alike = _alike(text[words[first][0] : words[end - 1][1]], term)
            if alike:
                yield _Found(alike, first, end, term.text)


def _alike(heard: str, term: _Term) -> float:
    """How alike both are, if it is enough; else 0."""
    letters = _letters(heard)
    if letters == term.letters:
        return 2.0
    if len(term.letters) < SHORTEST or abs(len(letters) - len(term.letters)) > len(letters) // 2:
        return 0.0
    same = _share(letters, term.letters)
    if same < ALIKE:
        return 0.0
    sounds = _share(_sounds(heard), term.sounds)
    return (same + sounds) / 2 if sounds >= ALIKE else 0.0


def _share(one: str, other: str) -> float:
    """How much of both is the same, 0-1 (Levenshtein)."""
    longest = max(len(one), len(other))
    return 1 - jellyfish.levenshtein_distance(one, other) / longest if longest else 1.0


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))


def _sounds(text: str) -> str:
    return jellyfish.metaphone(text).replace(" ", "")
