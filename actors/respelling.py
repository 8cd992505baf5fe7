"""A text as a voice is given it: with what is to be said in place of what is written."""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from engine.capabilities import Pronounced, SpokenWord

MOST_CHARS = 3000
"""Of a text with what is said in it: written are 300, and there are few dictionaries like that."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a text that is said otherwise than it is written: as the `alias` is, or as the
    `ipa` tells; with neither it is passed over.
    """

    start_char: int
    end_char: int
    alias: str = ""
    ipa: str = ""


class Respelt:
    """`text` is for the voice; `source` finds its words where they are written. From
    `MOST_CHARS` on it is as it is written.
    """

    def __init__(self, written: str, said: Iterable[Said]) -> None:
        """What is `said` is in the order of the text, and no two stretches overlap."""
        self.text = ""
        pronounced: list[Pronounced] = []
        self._stretches: list[_Stretch] = []
        at = 0
        for one in said:
            if len(self.text) > MOST_CHARS:
                break
            self._add(written[at : one.start_char], at, one.start_char)
            start = len(self.text)
            text = written[one.start_char : one.end_char] if one.ipa else one.alias
            self._add(text, one.start_char, one.end_char, whole=True)
            if one.ipa:
                pronounced.append(Pronounced(start, len(self.text), one.ipa))
            at = one.end_char
        self._add(written[at:], at, len(written))
        self.pronounced = tuple(pronounced)

    def source(self, word: SpokenWord) -> SpokenWord:
        """The word, by the characters that it was written with."""
        first, last = self._at(word.start_char), self._at(max(word.start_char, word.end_char - 1))
        start = first.start if first.whole else first.start + word.start_char - first.spoken
        end = last.end if last.whole else last.start + word.end_char - last.spoken
        return replace(word, start_char=start, end_char=end)

    def _add(self, text: str, start: int, end: int, *, whole: bool = False) -> None:
        if text:
            self._stretches.append(_Stretch(len(self.text), start, end, whole))
            self.text += text

    def _at(self, char: int) -> "_Stretch":
        found = bisect_right(self._stretches, char, key=lambda stretch: stretch.spoken)
        return self._stretches[max(0, found - 1)]


class _Stretch(msgspec.Struct, frozen=True, gc=False):
    """A stretch of what is spoken, from character `spoken` on, and where it is written. `whole`:
    all of it stands for all of that.
    """

    spoken: int
    start: int
    end: int
    whole: bool
