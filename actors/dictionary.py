"""Pronunciation dictionaries: what is said in place of what is written.

The longest rule that fits at a place is taken, and of two for the same the earlier one. Letters
that Unicode writes in several ways (é, as one character or as two) are the same.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final

import msgspec

from actors import arpabet
from actors.respelling import Said

_UNSPACED: Final = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Hiragana, Han: a word may begin and end anywhere."""

_MOST_MARKS: Final = 30
"""On one letter (Unicode's Stream-Safe Text Format): time to order them grows with their square."""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where `string_to_replace` is written, its `alias` is said, or what `ipa` or `arpabet` (as the
    CMU dictionary writes English) tell. With `word_boundaries` no part of a word is replaced.
    """

    string_to_replace: str
    alias: str = ""
    ipa: str = ""
    arpabet: str = ""
    case_sensitive: bool = True
    word_boundaries: bool = True

    def __post_init__(self) -> None:
        if not self.string_to_replace:
            raise ValueError("string_to_replace is empty: a rule needs something to replace")


class Dictionary:
    """Rules, and where they fit in a text."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        """An earlier rule goes before a later one for the same string."""
        self.rules = tuple(rules)
        ways: defaultdict[tuple[bool, bool], dict[str, int]] = defaultdict(dict)
        for place, rule in enumerate(self.rules):
            exact = rule.case_sensitive
            string = _plain(rule.string_to_replace, exact)
            ways[exact, rule.word_boundaries].setdefault(string, place)
        self._tables = [_Table(*way, places) for way, places in ways.items()]

    def said(self, text: str) -> tuple[Said, ...]:
        """What is said otherwise than it is written, in the order of the text."""
        readings = {
            exact: _Reading(text, exact) for exact in {table.exact for table in self._tables}
        }
        hits = [hit for table in self._tables for hit in table.hits(readings[table.exact])]
        hits.sort(key=lambda hit: (hit.start, -hit.end, hit.place))
        said, until = list[Said](), 0
        for hit in hits:
            if hit.start >= until:
                said.append(_said(self.rules[hit.place], hit))
                until = hit.end
        return tuple(said)


class _Hit(msgspec.Struct, frozen=True, gc=False):
    """The rule at this `place` fits a stretch of a text."""

    start: int
    end: int
    place: int


def _said(rule: Rule, hit: _Hit) -> Said:
    told = rule.ipa or (arpabet.ipa(rule.arpabet) if rule.arpabet else "")
    return Said(hit.start, hit.end, rule.alias, told)


class _Table:
    """The rules that are compared in one way: `exact`, or in any case; `whole` words, or parts.

    Their strings are sorted. The last one that does not sort behind the rest of a text begins with
    all those that this rest begins with, so one search finds them all: the longest is the string
    itself, or its `_shorter` one, or that one's, and so on.
    """

    def __init__(self, exact: bool, whole: bool, places: dict[str, int]) -> None:
        self.exact = exact
        self._whole = whole
        self._places = places
        self._strings = sorted(places)
        self._firsts = {string[0] for string in self._strings}
        self._longest = max(map(len, self._strings))
        self._shorter: list[int] = []
        beginnings: list[int] = []
        for at, string in enumerate(self._strings):
            while beginnings and not string.startswith(self._strings[beginnings[-1]]):
                beginnings.pop()
            self._shorter.append(beginnings[-1] if beginnings else -1)
            beginnings.append(at)

    def hits(self, reading: "_Reading") -> Iterator[_Hit]:
        """The longest at each place of a text."""
        edges = reading.words if self._whole else reading.letters
        for start, char in enumerate(reading.text):
            if edges[start] and char in self._firsts:
                found = self._longest_at(reading.text, start, edges)
                if found is not None:
                    end = start + len(found)
                    yield _Hit(reading.at(start), reading.at(end), self._places[found])

    def _longest_at(self, text: str, start: int, edges: bytes) -> str | None:
        rest = text[start : start + self._longest]
        found = bisect_right(self._strings, rest) - 1
        while found >= 0:
            string = self._strings[found]
            end = start + len(string)
            if end < len(edges) and edges[end] and rest.startswith(string):
                return string
            found = self._shorter[found]
        return None


class _Reading:
    """A text as the strings of rules are compared with it, and where its characters come from."""

    def __init__(self, written: str, exact: bool) -> None:
        self.text = written if exact else written.casefold()
        self._sources: Sequence[int] = range(len(written) + 1)
        if len(self.text) != len(written) or not unicodedata.is_normalized("NFC", self.text):
            self._read(written, exact)

    def at(self, char: int) -> int:
        """Where that character stands in what was written."""
        return self._sources[char]

    @cached_property
    def letters(self) -> bytes:
        """1 at each place where a letter that was written begins, or the text ends."""
        if isinstance(self._sources, range):
            return b"\1" * len(self._sources)
        return bytes([1, *(before != at for before, at in pairwise(self._sources))])

    @cached_property
    def words(self) -> bytes:
        """The same without those inside a word."""
        inside = (_inside_word(*two) for two in pairwise(self.text))
        goes_on = bytes([0, *inside, 0])[: len(self.text) + 1]
        return bytes(a > b for a, b in zip(self.letters, goes_on, strict=True))

    def _read(self, written: str, exact: bool) -> None:
        parts, sources = list[str](), list[int]()
        for start, end in pairwise(_letters(written)):
            parts.append(_plain(written[start:end], exact))
            sources += [start] * len(parts[-1])
        self.text = "".join(parts)
        self._sources = [*sources, len(written)]


def _plain(text: str, exact: bool) -> str:
    """As it is compared: in Unicode's composed form, and without case unless it has to be exact."""
    composed = unicodedata.normalize("NFC", text)
    return composed if exact else unicodedata.normalize("NFC", composed.casefold())


def _letters(text: str) -> Iterator[int]:
    """Where each begins, with the marks on it; and the end."""
    begun = 0
    for at, char in enumerate(text):
        if at == 0 or not _goes_on(char) or at - begun > _MOST_MARKS:
            begun = at
            yield at
    if text:
        yield len(text)


@lru_cache(4096)
def _goes_on(char: str) -> bool:
    """Whether it is a part of the letter before it: a mark, or the rest of a Korean syllable."""
    return unicodedata.category(char)[0] == "M" or "\u1160" <= char <= "\u11ff"


@lru_cache(4096)
def _in_words(char: str) -> bool:
    """Whether it stands in words, of which others are the neighbours."""
    written = char.isalnum() or char == "_" or _goes_on(char)
    return written and _UNSPACED.match(char) is None


def _inside_word(before: str, char: str) -> bool:
    """Whether a word goes on between them."""
    return _goes_on(char) or (_in_words(before) and _in_words(char))
