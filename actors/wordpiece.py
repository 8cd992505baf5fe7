"""BERT's tokens: what a text is cut into before an encoder reads it.

Lower case without accents, cut at spaces and punctuation, then each word into the longest pieces
that the vocabulary has (Devlin et al. 2018; Schuster and Nakajima 2012). As the `tokenizers`
package does it, which would bring the client of a model hub along.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

import msgspec

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"

LONGEST_WORD = 100
"""Letters; a longer one is unknown as a whole, as in the published vocabularies."""

REMEMBERED_WORDS = 50_000
"""Some 10 MB: of what is written most words are among them."""

_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
"""Each of these is a word of its own (the ranges of BERT's own code)."""


class _Model(msgspec.Struct):
    vocab: dict[str, int]


class _File(msgspec.Struct):
    model: _Model


class WordPieces:
    """One vocabulary. Threads may share it."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._ids = vocabulary
        self._start, self._end = vocabulary[START], vocabulary[END]
        self._unknown = vocabulary[UNKNOWN]
        self._longest = max(map(len, vocabulary))
        self._pieces = lru_cache(REMEMBERED_WORDS)(self._cut)

    @classmethod
    def read(cls, path: Path) -> "WordPieces":
        """From a `tokenizer.json`."""
        return cls(msgspec.json.decode(path.read_bytes(), type=_File).model.vocab)

    def ids(self, text: str, most: int) -> list[int]:
        """The numbers of the first tokens, `most` of them, the two at the ends included."""
        pieces = (piece for word in words(text) for piece in self._pieces(word))
        return [self._start, *islice(pieces, most - 2), self._end]

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD:
            return (self._unknown,)
        found: list[int] = []
        at, mark = 0, ""
        while at < len(word):
            for end in range(min(len(word), at + self._longest), at, -1):
                ident = self._ids.get(mark + word[at:end])
                if ident is not None:
                    break
            else:
                return (self._unknown,)
            found.append(ident)
            at, mark = end, "##"
        return tuple(found)


def words(text: str) -> Iterator[str]:
    """Its words and marks, in lower case and without accents."""
    word: list[str] = []
    for char in _plain(text):
        kind = _kind(char)
        if kind == _LETTER:
            word.append(char)
        if kind in (_LETTER, _NOTHING):
            continue
        if word:
            yield "".join(word)
            word.clear()
        if kind == _MARK:
            yield char
    if word:
        yield "".join(word)


def _plain(text: str) -> Iterator[str]:
    if text.isascii():
        yield from text.lower()
        return
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) != "Mn":
            yield from char.lower()


_LETTER, _SPACE, _MARK, _NOTHING = range(4)


@lru_cache(1 << 16)
def _kind(char: str) -> int:
    category = unicodedata.category(char)
    if char in "\t\n\r":
        return _SPACE
    if category in ("Cc", "Cf", "Co") or char == "\ufffd":
        return _NOTHING
    if char.isspace():
        return _SPACE
    code = ord(char)
    ascii_mark = 33 <= code <= 126 and not char.isalnum()
    if ascii_mark or category.startswith("P") or any(a <= code <= b for a, b in _IDEOGRAPHS):
        return _MARK
    return _LETTER
