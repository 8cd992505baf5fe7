"""Key terms, the names and words that callers will say, written as they are spelled.

A recogniser that never met "Zadarma" hears "Sodarma". Where words of a transcript sound almost like
a key term, that is what was said. Almost is measured twice, in letters and in sounds (Lawrence
Philips' Metaphone, 1990, of English), and both must say so: by letters alone "eleven" is "Elowen",
by sounds alone "care" is "Kara". A word that the recogniser knows well was said: "walked" is not
"Walker", whoever has that name.
"""

import re
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache

import jellyfish
import msgspec

ALIKE = 0.65
"""So much of the letters, and of the sounds, must be the same. Of forty names in English sentences
by three voices Moonshine has 23 % right, and with this 35. Of 75 names that are hard to tell from
words, such as Isa, Walker, Intuit and Verizon, seven are put into 16,245 words of prose in which
none stands. At 0.6 more are right, and "tailored" is "Taylor"; without what else is asked for here
110 are put in at 0.7. Of the other forty names of `bench/key_terms.py` 30 and 43 % are right."""

KNOWN_ALIKE = 0.75
"""The same, of words that the recogniser knows, but not together: "life kit", "voice forge"."""

SHORTEST = 5
"""Letters of a term that is looked for by its sound; too many words sound like a shorter one."""

MORE_WORDS = 2
"""A term is heard as so many more words than it has: "Kubernetes" as "Cooper net is"."""

REMEMBERED = 64
"""Lists of terms: sessions of one agent have the same."""

WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")

_LITTLE = """
a about after all along am an and any are as at be been before both but by can could did
do does for from get go had has have he her here him his how i if in into is it its just
like long may me more most much my no not now of off on one or our out over own s she
should so some such than that the their them then there these they this those to too
under up us very was way we well were what when where which who will with would you your
"""
LITTLE = frozenset(_LITTLE.split())
"""English words that stand beside any other: "is a" is not "Isa", "goes into it" not "Intuit"."""


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


def respelled(text: str, terms: Sequence[str], known: Container[str]) -> str:
    """An English transcript, with the terms that it holds, or almost holds, as they are written.

    `known` are the words, in small letters, that the recogniser writes when it hears them.
    """
    if not terms or not text:
        return text
    words = [(word.start(), word.end()) for word in WORD.finditer(text)]
    found = sorted(
        (one for term in _prepared(tuple(terms)) for one in _places(text, words, term, known)),
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
def _prepared(terms: tuple[str, ...]) -> tuple[_Term, ...]:
    return tuple(
        _Term(term, letters, _sounds(term), len(term.split()))
        for term in terms
        if (letters := _letters(term))
    )


def _places(
    text: str, words: Sequence[tuple[int, int]], term: _Term, known: Container[str]
) -> Iterator[_Found]:
    """Where a term may stand, in words with nothing but spaces between them."""
    for first in range(len(words)):
        for end in range(first + 1, min(first + term.words + MORE_WORDS, len(words)) + 1):
            if end - first > 1 and not text[words[end - 2][1] : words[end - 1][0]].isspace():
                break
            alike = _alike([text[slice(*word)].lower() for word in words[first:end]], term, known)
            if alike:
                yield _Found(alike, first, end, term.text)


def _alike(heard: Sequence[str], term: _Term, known: Container[str]) -> float:
    """How alike both are, if it is enough; else 0."""
    letters = _letters("".join(heard))
    little = [word in LITTLE for word in heard]
    if letters == term.letters:
        return 0.0 if all(little) and len(heard) > term.words else 2.0
    if len(term.letters) < SHORTEST or abs(len(letters) - len(term.letters)) > len(letters) // 2:
        return 0.0
    enough = ALIKE
    if all(word in known or word in LITTLE for word in heard):
        if len(heard) == 1 or any(little):
            return 0.0
        enough = KNOWN_ALIKE
    same = _share(letters, term.letters)
    if same < enough:
        return 0.0
    sounds = _sounds(" ".join(heard))
    if _begins(sounds) != _begins(term.sounds):
        return 0.0
    similar = _share(sounds, term.sounds)
    return (same + similar) / 2 if similar >= enough else 0.0


def _begins(sounds: str) -> str:
    """With which sound; all vowels are one, as Metaphone keeps but this one."""
    return "A" if sounds[:1] in tuple("AEIOU") else sounds[:1]


def _share(one: str, other: str) -> float:
    """How much of both is the same, 0-1 (Levenshtein)."""
    longest = max(len(one), len(other))
    return 1 - jellyfish.levenshtein_distance(one, other) / longest if longest else 1.0


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))


def _sounds(text: str) -> str:
    return jellyfish.metaphone(text).replace(" ", "")
