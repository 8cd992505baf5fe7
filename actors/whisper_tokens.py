"""Whisper's vocabulary: what its tokens spell, which words they make, and the marks of a prompt.

The text tokens are GPT-2's: byte strings in which each byte that is no printable Latin-1 character
is written as one from U+0100 on (Radford et al. 2019). So one language's letter may need several.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from actors.languages import UNSPACED, primary

BEFORE = "<|startofprev|>"
"""Then comes what was said before, which the decoder goes on from."""

START, TRANSLATE, TRANSCRIBE = "<|startoftranscript|>", "<|translate|>", "<|transcribe|>"
NO_TIMES = "<|notimestamps|>"

_MARK = re.compile(r"<\|[^|]*\|>")
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")

_OTHER_NAMES = {"cmn": "zh", "fil": "tl", "jv": "jw", "nb": "no"}
"""BCP-47 tags of languages for which Whisper has another."""


def _bytes_of_chars() -> dict[str, int]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(256)) - set(printable))
    table = {chr(byte): byte for byte in printable}
    return table | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_BYTES = _bytes_of_chars()
_CHARS = {byte: char for char, byte in _BYTES.items()}


class Spelled(msgspec.Struct, frozen=True):
    """A word, and which tokens spell it: from `start` to before `end`."""

    text: str
    start: int
    end: int


class Vocabulary:
    """The tokens of one model, as its files list them. Its `words` are those that are one token."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._ids = {token: at for at, token in enumerate(tokens)}
        self._spelling = {token for token in tokens if not is_mark(token)}
        self._longest = max(map(len, self._spelling))
        starts = (token[1:] for token in tokens if token.startswith(_CHARS[ord(" ")]))
        self.words = frozenset(word for word in starts if word.isalpha() and word.islower())
        between = tokens[self._ids[START] : self._ids[TRANSLATE]]
        self.languages = tuple(
            found[1] for token in between if (found := _LANGUAGE.fullmatch(token))
        )

    @classmethod
    def read(cls, folder: Path) -> "Vocabulary":
        """From `vocabulary.json`, or `vocabulary.txt` of older conversions."""
        listed = folder / "vocabulary.json"
        if listed.exists():
            return cls(msgspec.json.decode(listed.read_bytes(), type=list[str]))
        return cls((folder / "vocabulary.txt").read_text("utf-8").rstrip("\n").split("\n"))

    def language(self, tag: str) -> str | None:
        """Whisper's name of the language of a BCP-47 tag; None if it has none."""
        name = _OTHER_NAMES.get(primary(tag), primary(tag))
        return name if name in self.languages else None

    def spelled(self, text: str) -> list[str]:
        """Tokens that spell a text: at each place the longest there is. Where GPT-2's own merges
        would have chosen others, these spell the same. What looks like a mark is text, too.
        """
        chars = "".join(_CHARS[byte] for byte in text.encode())
        tokens: list[str] = []
        while chars:
            longest = min(len(chars), self._longest)
            length = next(n for n in range(longest, 0, -1) if chars[:n] in self._spelling)
            tokens.append(chars[:length])
            chars = chars[length:]
        return tokens

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """The number of each token."""
        return [self._ids[token] for token in tokens]


def tag(language: str) -> str:
    """The BCP-47 tag of Whisper's name of a language, of which one is out of date."""
    return "jv" if language == "jw" else language


def is_mark(token: str) -> bool:
    """Whether a token is no text: a time, a language, a task."""
    return _MARK.fullmatch(token) is not None


def spell(tokens: Sequence[str]) -> str:
    """The text of tokens, without the marks among them and without letters cut in two."""
    spelled = b"".join(map(_bytes, tokens)).decode("utf-8", "replace")
    return spelled.strip(" \ufffd")


def words(tokens: Sequence[str], language: str) -> list[Spelled]:
    """The words with their punctuation. Where no spaces are written, what one token completes."""
    grouped: list[Spelled] = []
    for text, start, end in _letters(tokens):
        starts = text.startswith(" ") or (language in UNSPACED and _sounds(text))
        if grouped and not (starts and _sounds(grouped[-1].text)):  # a dash waits for its word
            last = grouped[-1]
            grouped[-1] = Spelled(last.text + text, last.start, end)
        else:
            grouped.append(Spelled(text, start, end))
    if len(grouped) > 1 and not _sounds(grouped[-1].text):
        last = grouped.pop()
        grouped[-1] = Spelled(grouped[-1].text + last.text, grouped[-1].start, last.end)
    return [Spelled(word.text.strip(), word.start, word.end) for word in grouped]


def _letters(tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Whole letters, and which tokens spell them; a letter that is never completed is left out."""
    start, spelled = 0, b""
    for at, token in enumerate(tokens):
        spelled += _bytes(token)
        try:
            text = spelled.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if text:
            yield text, start, at + 1
        start, spelled = at + 1, b""


def _bytes(token: str) -> bytes:
    return b"" if is_mark(token) else bytes(_BYTES[char] for char in token)


def _sounds(text: str) -> bool:
    """Whether something in it is spoken, and not only punctuation."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)
