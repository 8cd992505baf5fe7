"""Lexicons as files (W3C, Pronunciation Lexicon Specification 1.0).

A lexeme is a rule for each of its graphemes: as whole words and in this case, since the format
cannot say otherwise. Of several ways to say it the preferred one is taken, else the first.
"""

from collections.abc import Iterable
from enum import IntEnum, auto
from typing import Final, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

from actors.dictionary import Rule
from server.eleven.dictionaries import ALPHABETS, MOST_RULES, checked, pronounced

MEDIA_TYPE = "application/pls+xml"

NAMESPACE = "http://www.w3.org/2005/01/pronunciation-lexicon"

IPA, ARPABET = ALPHABETS

HEAD = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="{NAMESPACE}" alphabet="{IPA}" xml:lang="en">
"""

DEEPEST = 64
MOST_ELEMENTS = 10 * MOST_RULES
"""A rule needs three; each is a call of Python's."""


class PlsError(Exception):
    """What is wrong with a file, and in which line."""


def read(file: bytes) -> list[Rule]:
    """The rules in a lexicon, at least one. Raises `PlsError`."""
    return _Lexicon().read(file)


def written(rules: Iterable[Rule]) -> str:
    """A lexicon with these rules, each a lexeme. English is only what a lexicon needs to be for:
    nothing here asks for its language.
    """
    return "".join([HEAD, *map(_lexeme, rules), "</lexicon>\n"])


def _lexeme(rule: Rule) -> str:
    if rule.alias:
        said = f"<alias>{escape(rule.alias)}</alias>"
    elif rule.ipa:
        said = f"<phoneme>{escape(rule.ipa)}</phoneme>"
    else:
        said = f'<phoneme alphabet="{ARPABET}">{escape(rule.arpabet)}</phoneme>'
    return f"<lexeme><grapheme>{escape(rule.string_to_replace)}</grapheme>{said}</lexeme>\n"


class _Place(IntEnum):
    """Where in a file its elements are told from others. Integers: those hash fast."""

    TOP = auto()
    LEXICON = auto()
    LEXEME = auto()
    GRAPHEME = auto()
    PHONEME = auto()
    ALIAS = auto()
    ELSEWHERE = auto()


STEPS: Final = {
    (outer, space + name): inner
    for outer, name, inner in (
        (_Place.TOP, "lexicon", _Place.LEXICON),
        (_Place.LEXICON, "lexeme", _Place.LEXEME),
        (_Place.LEXEME, "grapheme", _Place.GRAPHEME),
        (_Place.LEXEME, "phoneme", _Place.PHONEME),
        (_Place.LEXEME, "alias", _Place.ALIAS),
    )
    for space in ("", f"{NAMESPACE} ")
}
"""Where an element leads, from where it stands."""


class _Lexicon:
    """Reads one file."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._open = [_Place.TOP]
        self._elements = 0
        self._alphabet = ""
        self._graphemes: list[str] = []
        self._ways: list[tuple[bool, str, str]] = []
        """To say a lexeme: whether it is preferred, its alphabet or none for an alias, its text."""
        self._way = (False, "")
        self._text: list[str] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        self._parser = parser

    def read(self, file: bytes) -> list[Rule]:
        try:
            self._parser.Parse(file, True)
        except expat.ExpatError as error:
            text = f"it is no XML: line {error.lineno}: {expat.ErrorString(error.code)}"
            raise PlsError(text) from error
        except (LookupError, ValueError) as error:  # of the encoding that it names
            raise PlsError(f"it is no XML that can be read: {error}") from error
        if not self._rules:
            self._fail("there is no <lexeme> in it")
        return self._rules

    def _fail(self, text: str) -> NoReturn:
        raise PlsError(f"line {self._parser.CurrentLineNumber}: {text}")

    def _doctype(self, *_: object) -> None:
        self._fail("it has a DOCTYPE, whose entities could be without end: leave it out")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        place = STEPS.get((self._open[-1], name), _Place.ELSEWHERE)
        self._open.append(place)
        self._text.clear()
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            self._fail(f"it has more than {MOST_ELEMENTS} elements: split it")
        if len(self._open) > DEEPEST + 1:
            self._fail(f"elements are nested deeper than {DEEPEST}")
        if place is _Place.LEXEME:
            self._graphemes, self._ways = [], []
        elif place is _Place.PHONEME:
            alphabet = attributes.get("alphabet", self._alphabet)
            self._way = attributes.get("prefer") == "true", alphabet
        elif place is _Place.ALIAS:
            self._way = attributes.get("prefer") == "true", ""
        elif place is _Place.LEXICON:
            self._alphabet = attributes.get("alphabet", IPA)
        elif len(self._open) == 2:
            root = name.removeprefix(f"{NAMESPACE} ")
            self._fail(f"it is <{root[:40]}>, no <lexicon> (of {NAMESPACE})")

    def _end(self, _: str) -> None:
        place = self._open.pop()
        if place is _Place.LEXEME:
            self._take()
        elif place is _Place.GRAPHEME:
            self._graphemes.append(self._said())
        elif place is _Place.PHONEME or place is _Place.ALIAS:
            self._ways.append((*self._way, self._said()))
        self._text.clear()

    def _said(self) -> str:
        """The text of the element that ends."""
        return " ".join("".join(self._text).split())

    def _take(self) -> None:
        """The lexeme that ends."""
        if not self._graphemes or not self._ways:
            self._fail("a <lexeme> needs a <grapheme>, and an <alias> or a <phoneme>")
        if len(self._rules) + len(self._graphemes) > MOST_RULES:
            self._fail(f"it has more than {MOST_RULES} rules, the most of a dictionary")
        _, alphabet, said = max(self._ways, key=lambda way: way[0])
        for string in self._graphemes:
            try:
                if not alphabet:
                    rule = Rule(string, alias=said)
                else:
                    rule = pronounced(string, said, alphabet)
                self._rules.append(checked(rule))
            except ValueError as error:
                self._fail(str(error))
