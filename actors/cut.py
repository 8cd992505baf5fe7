"""Cuts an LLM's text into pieces to speak, while the text still arrives.

A piece is a sentence; the first piece of a reply is a clause or a phrase, and whatever is cut from
a long sentence is a clause, so that speech starts early and never waits for the end. The pieces,
joined, are the text to the character: the history of what was heard is counted in them.
"""

import re
from typing import Final

LONGEST_CHARS: Final = 300
"""No piece is longer: about 20 s of speech, and the bound of what the cutter holds back."""

LONG_CHARS: Final = 120
"""A sentence that passes this is cut at its next clause."""

FIRST_WORDS: Final = 3
FIRST_CHARS: Final = 12
"""A reply's first clause is spoken alone if it has both: less sounds like a stutter."""

PHRASE_WORDS: Final = 4
"""A reply's first sentence may also be cut before a word that opens a phrase, behind so many
words: speakers breathe there too, and the rest is written while the beginning is spoken."""

_CLOSERS: Final = "\"'”’»›)\\]}」』）】*_`~"
_MARK: Final = re.compile(
    rf"(?P<stop>[.!?…。！？؟।॥۔｡]+[{_CLOSERS}]*)"
    rf"|(?P<clause>[,;:،؛、，；：][{_CLOSERS}]*|[—–]+|(?<=\s)-+(?=\s))"
    r"|(?P<line>\n)"
    r"|(?P<phrase>\s(?:about|after|and|at|because|before|but|by|during|for|from|if|in|on|or|since"
    r"|through|until|when|where|which|while|who|with)(?=\s))"
)
_WORD_BEFORE: Final = re.compile(r"[^\s\"'“‘«(\[{*_`]*\Z")
_LIST_NUMBER: Final = re.compile(r"(?:\A|\n)[ \t]*(?:[-*+>][ \t]+)?\(?(?:\d{1,3}|[A-Za-z])\Z")
_UNSPACED: Final = frozenset("。！？｡、，；：॥।—–")
"""Marks of scripts that put no space after them, and dashes, which need none."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER_LAST: Final = _words(
    """dr mr mrs ms mx prof rev gov sen cpt capt lt sgt cmdr supt messrs mme mlle e.g eg i.e ie cf
    vs viz approx dept mt"""
)
"""Abbreviations that stand before what they belong to: their stop ends no sentence."""

_BEFORE_NUMBER: Final = _words(
    """no nos fig figs eq vol ch sec pp ext tel apt jan feb mar apr jun jul aug sep sept oct nov
    dec"""
)
"""Abbreviations if a number follows, else words like any other."""

_MAYBE_LAST: Final = _words(
    """etc a.m p.m am pm jr sr inc ltd co corp bros llc plc esq ph.d phd m.d b.a m.a b.sc m.sc"""
)
"""Abbreviations that end a sentence if a capital follows."""


class Cutter:
    """Cuts one reply. Where the cuts fall does not depend on how the text was split on arrival."""

    def __init__(self, *, early: bool = True) -> None:
        """`early`: it begins with a reply's first piece, and not in its middle."""
        self._held = ""
        self._seen = 0
        self._first = early

    def feed(self, text: str) -> list[str]:
        """Take more of the text; return the pieces that are now complete."""
        self._held += text
        return self._cut(ended=False)

    def flush(self) -> list[str]:
        """The text has ended: return what is left. The cutter is then ready for another reply."""
        pieces = self._cut(ended=True)
        self._first = True
        return pieces

    def _cut(self, *, ended: bool) -> list[str]:
        pieces: list[str] = []
        start = 0
        while start < len(self._held):
            view = self._held[start : start + LONGEST_CHARS]
            whole = ended or len(view) == LONGEST_CHARS
            size = self._size(view, whole=whole)
            if size == 0 and not whole:
                break
            if size == 0:
                size = len(view) if len(view) < LONGEST_CHARS else _emergency(view)
            pieces.append(view[:size])
            start += size
            self._seen = 0
            self._first = self._first and not _speakable(view[:size])
        self._held = self._held[start:]
        return pieces

    def _size(self, view: str, *, whole: bool) -> int:
        """How much of `view` is the next piece; 0 if that is not known yet.

        `whole`: nothing follows, or nothing that follows may be waited for.
        """
        for mark in _MARK.finditer(view, self._seen):
            if mark.lastgroup == "phrase":
                if self._first and _enough(view[: mark.start()], PHRASE_WORDS):
                    return mark.start()
                self._seen = mark.end()
                continue
            if mark.end() == len(view) and mark.lastgroup != "line" and not whole:
                return 0
            verdict = self._ends(view, mark, whole=whole)
            if verdict is None:
                return 0
            if verdict:
                return mark.end()
            self._seen = mark.end()
        return 0

    def _ends(self, view: str, mark: re.Match[str], *, whole: bool) -> bool | None:
        """Whether a piece ends with `mark`; None: what comes next must be seen first."""
        text = mark.group()
        if not _speakable(view[: mark.start()]):
            return False
        if mark.lastgroup == "line":
            return True
        after = view[mark.end() : mark.end() + 1]
        if after and not after.isspace() and text[0] not in _UNSPACED:
            return False
        if mark.lastgroup == "clause":
            return self._clause_ends(view[: mark.end()])
        if text[0] not in ".…":
            return True
        return self._full_stop_ends(view, mark, whole=whole)

    def _clause_ends(self, clause: str) -> bool:
        if self._first:
            return _enough(clause, FIRST_WORDS)
        return len(clause) >= LONG_CHARS

    def _full_stop_ends(self, view: str, mark: re.Match[str], *, whole: bool) -> bool | None:
        before = view[: mark.start()]
        dots = mark.group().rstrip("\"'”’»›)]}」』）】*_`~")
        if dots == "." and _LIST_NUMBER.search(before):
            return False
        word = _word_before(before)
        ellipsis = dots.startswith(("..", "…"))
        if not ellipsis and word in _NEVER_LAST:
            return False
        initial = len(word) == 1 and word.isalpha() and word != "i"
        dotted = re.fullmatch(r"(?:[a-z]\.)+[a-z]", word) is not None
        numbered = word in _BEFORE_NUMBER
        if not (ellipsis or initial or dotted or numbered or word in _MAYBE_LAST or word == "st"):
            return True
        following = view[mark.end() :].lstrip()
        if not following:
            return True if whole else None
        if following[0].islower() or (following[0].isdigit() and not ellipsis):
            return False
        return word in _MAYBE_LAST or ellipsis or numbered or not following[0].isalpha()


def _word_before(text: str) -> str:
    """The word that ends `text`, in lower case: a bounded look back, so cutting stays linear."""
    found = _WORD_BEFORE.search(text, max(0, len(text) - 24))
    return found.group().lower() if found else ""


def _enough(beginning: str, least_words: int) -> bool:
    """Whether a beginning can be spoken alone."""
    words = beginning.split()
    return len(words) >= least_words and sum(map(len, words)) >= FIRST_CHARS


def _speakable(text: str) -> bool:
    """Whether there is anything to say in it; a bullet or an emoji alone is no piece."""
    return any(char.isalnum() for char in text)


def _emergency(view: str) -> int:
    """Where to cut a sentence that passed `LONGEST_CHARS`: a clause, else a space, else there."""
    for mark in reversed(list(_MARK.finditer(view, LONGEST_CHARS // 3))):
        if mark.lastgroup != "phrase" and view[mark.end() : mark.end() + 1].isspace():
            return mark.end()
    space = max(view.rfind(" "), view.rfind("\t"))
    return space if space > 0 else LONGEST_CHARS
