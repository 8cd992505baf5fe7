"""Texts in SSML (W3C, Speech Synthesis Markup Language 1.1): what is written between the tags, and
what they ask for.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

import msgspec
from msgspec.structs import replace

from actors.respelling import Said
from actors.voices.tags import well_formed

LONGEST_PAUSE_MS = 10_000
LONGEST_ALIAS = 300
LONGEST_IPA = 200
LONGEST_SAID = 300
"""Characters that are said as something else, which must be in one piece."""

DEEPEST = 64

PAUSES_MS = {"none": 0, "x-weak": 100, "weak": 200, "medium": 400, "strong": 700, "x-strong": 1000}
USUAL_STRENGTH = "medium"
SENTENCE_MS, PARAGRAPH_MS = 200, 400
"""Behind a sentence that is marked as one and has no stop; behind a paragraph."""

RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
RATE_RANGE = 0.2, 4.0

STOPS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", ":", ";")
UNHEARD = frozenset(("desc", "metadata"))
"""What stands in them is not for the ear."""

BEGINS = re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<(?:speak[\s/>]|!DOCTYPE\s+speak\b)")
INLINE = re.compile(r"<break(?:\s[^<>]*)?/>|<phoneme\s[^<>]*>|</phoneme>")
ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TIME = re.compile(r"\+?(\d{1,6}(?:\.\d{1,6})?)(ms|s)")
PERCENT = re.compile(r"([+-]?)(\d{1,4}(?:\.\d{1,4})?)%")
NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,4})?")
UNTOLD = re.compile(r"[^A-Za-z0-9:_ -]")
"""Of names that go into a header."""


class SsmlError(ValueError):
    """What is wrong, and where. It quotes no text that is to be spoken."""


class SayAs(msgspec.Struct, frozen=True):
    """A stretch of the text that is to be said as what it is: "date", in the order of `form`."""

    start_char: int
    end_char: int
    interpret_as: str
    form: str


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of the text: its language (BCP-47), if that is told, how fast it is said (1: as all
    the rest), and the pause behind it.
    """

    start_char: int
    end_char: int
    language: str | None = None
    rate: float = 1.0
    pause_ms: int = 0


class Marked(msgspec.Struct, frozen=True):
    """A `text`, and how it is said. The stretches leave nothing out. Nothing came of what was
    `ignored`.
    """

    text: str
    stretches: tuple[Stretch, ...]
    said: tuple[Said | SayAs, ...] = ()
    ignored: tuple[str, ...] = ()


def unmarked(text: str) -> Marked:
    """A text without marks."""
    return Marked(text, (Stretch(0, len(text)),))


def is_ssml(text: str) -> bool:
    """Whether a text says that it is."""
    return BEGINS.match(text) is not None


def has_inline(text: str) -> bool:
    """Whether there are some of these tags in it."""
    return INLINE.search(text) is not None


def inline(text: str) -> Marked:
    """A text with some tags in it, as ElevenLabs' clients send it; everything else in it is text.
    Raises `SsmlError`.
    """
    text = NO_XML.sub(" ", text)
    tags = INLINE.findall(text)
    between = (ENTITY.sub("&amp;", one) for one in INLINE.split(text))
    plain = [one.replace("<", "&lt;").replace(">", "&gt;") for one in between]
    whole = plain[0] + "".join(tag + after for tag, after in zip(tags, plain[1:], strict=True))
    return _Reading(placed=False).read(f"<speak>{whole}</speak>")


def parse(source: str) -> Marked:
    """A document whose root is `speak`. Tags and attributes that are not known here change nothing,
    and are told. Raises `SsmlError`.
    """
    return _Reading().read(source)


class _Open(msgspec.Struct):
    """An element that has begun, and what holds in it."""

    tag: str
    start_char: int
    language: str | None
    rate: float
    said: Callable[[int, int], Said | SayAs] | None = None


def alike(one: _Open, other: _Open) -> bool:
    """Whether the same holds in both."""
    return (one.language, one.rate) == (other.language, other.rate)


class _Reading:
    """One document on its way through the parser."""

    def __init__(self, *, placed: bool = True) -> None:
        """`placed`: errors tell the place, which is one in the client's text."""
        self._placed = placed
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._pieces: list[str] = []
        self._length = 0
        self._begun = 0
        self._open: list[_Open] = []
        self._unheard = 0
        self._stretches: list[Stretch] = []
        self._said: list[Said | SayAs] = []
        self._ignored: dict[str, None] = {}

    def read(self, source: str) -> Marked:
        try:
            self._parser.Parse(source.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise self._error(f"{what}; every tag has to be closed, and & written &amp;") from error
        text = "".join(self._pieces)
        return Marked(text, tuple(self._stretches), tuple(self._said), tuple(self._ignored))

    def _doctype(self, *_declared: Any) -> None:
        raise self._error("a document type, and entities of its own, are not taken")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if len(self._open) >= DEEPEST:
            raise self._error(f"tags are {DEEPEST} deep: that is the most")
        if not self._open and tag != "speak":
            raise self._error("the outermost tag has to be <speak>")
        outer = self._open[-1] if self._open else _Open("", 0, None, 1.0)
        one = _Open(tag, self._length, outer.language, outer.rate)
        self._unheard += tag in UNHEARD
        match tag:
            case "speak" | "p" | "s":
                self._spoken_in(one, attributes)
            case "lang":
                if "xml:lang" not in attributes:
                    raise self._error("<lang> needs xml:lang")
                self._spoken_in(one, attributes)
            case "break":
                if pause_ms := self._pause(attributes):
                    self._break_off(pause_ms)
            case "prosody":
                self._prosody(one, attributes)
            case "sub":
                alias = self._told(tag, attributes, "alias", LONGEST_ALIAS)
                one.said = lambda start, end: Said(start, end, alias=alias)
            case "phoneme":
                self._phoneme(one, attributes)
            case "say-as":
                self._say_as(one, attributes)
            case _:
                self._ignore(tag)
        if tag in ("p", "s") or not alike(one, outer):
            self._break_off(0)
        self._open.append(one)

    def _end(self, _name: str) -> None:
        one = self._open.pop()
        self._unheard -= one.tag in UNHEARD
        if one.said is not None and self._length > one.start_char:
            if self._length - one.start_char > LONGEST_SAID:
                raise self._error(f"<{one.tag}> has more than {LONGEST_SAID} characters in it")
            while self._said and self._said[-1].start_char >= one.start_char:
                self._said.pop()  # what is in it is not read
            self._said.append(one.said(one.start_char, self._length))
        if one.tag in ("p", "s"):
            self._break_off(self._paragraph_ms(one), one)
        elif not self._open or not alike(one, self._open[-1]):
            self._break_off(0, one)

    def _characters(self, text: str) -> None:
        if self._unheard:
            return
        plain = re.sub(r"\s", " ", text)  # lines are how it was written, no ends of sentences
        self._pieces.append(plain)
        self._length += len(plain)

    def _spoken_in(self, one: _Open, attributes: dict[str, str]) -> None:
        language = attributes.get("xml:lang")
        if language is None:
            return
        if not well_formed(language):
            raise self._error("xml:lang has to be a tag such as en, pt-BR or zh-Hant")
        one.language = language

    def _pause(self, attributes: dict[str, str]) -> int:
        told = attributes.get("time")
        if told is None:
            strength = attributes.get("strength", USUAL_STRENGTH)
            if strength not in PAUSES_MS:
                raise self._error(f"strength of <break> has to be one of {', '.join(PAUSES_MS)}")
            return PAUSES_MS[strength]
        found = TIME.fullmatch(told.strip())
        pause_ms = float(found[1]) * (1000 if found[2] == "s" else 1) if found else -1.0
        if not 0 <= pause_ms <= LONGEST_PAUSE_MS:
            most_s = LONGEST_PAUSE_MS // 1000
            raise self._error(f"time of <break> has to be 0 to {most_s} s, such as 500ms or 1.5s")
        return round(pause_ms)

    def _prosody(self, one: _Open, attributes: dict[str, str]) -> None:
        for name in attributes:
            if name != "rate":
                self._ignore(f"prosody {name}")
        if "rate" in attributes:
            one.rate *= self._rate(attributes["rate"].strip())

    def _rate(self, told: str) -> float:
        """Of a percentage without a sign it is that share of the usual, as in SSML 1.1; with one so
        much more or less, as in 1.0.
        """
        rate = RATES.get(told, 0.0)
        if found := PERCENT.fullmatch(told):
            share = float(found[2]) / 100
            rate = {"": share, "+": 1 + share, "-": 1 - share}[found[1]]
        elif NUMBER.fullmatch(told):
            rate = float(told)
        least, most = RATE_RANGE
        if not least <= rate <= most:
            raise self._error(
                f"rate of <prosody> has to be {least:.0%} to {most:.0%}, or one of "
                f"{', '.join(RATES)}"
            )
        return rate

    def _phoneme(self, one: _Open, attributes: dict[str, str]) -> None:
        ipa = self._told("phoneme", attributes, "ph", LONGEST_IPA)
        if attributes.get("alphabet", "ipa") != "ipa":
            self._ignore("phoneme alphabet")
        elif ipa:
            one.said = lambda start, end: Said(start, end, ipa=ipa)

    def _say_as(self, one: _Open, attributes: dict[str, str]) -> None:
        kind = self._told("say-as", attributes, "interpret-as", LONGEST_IPA)
        form = attributes.get("format", "")[:LONGEST_IPA]
        one.said = lambda start, end: SayAs(start, end, kind, form)

    def _told(self, tag: str, attributes: dict[str, str], name: str, longest: int) -> str:
        if name not in attributes:
            raise self._error(f"<{tag}> needs {name}")
        if len(attributes[name]) > longest:
            raise self._error(f"{name} of <{tag}> has more than {longest} characters")
        return attributes[name]

    def _paragraph_ms(self, one: _Open) -> int:
        if one.tag == "p":
            return PARAGRAPH_MS
        said = "".join(self._pieces[-3:]).rstrip()
        return 0 if not said or said.endswith(STOPS) else SENTENCE_MS

    def _break_off(self, pause_ms: int, one: _Open | None = None) -> None:
        """What has come since the last time is a stretch, with a pause behind it."""
        if self._length == self._begun and (self._stretches or not pause_ms):
            self._pause_longer(pause_ms)
            return
        one = one or (self._open[-1] if self._open else _Open("", 0, None, 1.0))
        found = Stretch(self._begun, self._length, one.language, one.rate, pause_ms)
        self._stretches.append(found)
        self._begun = self._length

    def _pause_longer(self, pause_ms: int) -> None:
        if pause_ms:
            last = self._stretches[-1]
            longer = min(last.pause_ms + pause_ms, LONGEST_PAUSE_MS)
            self._stretches[-1] = replace(last, pause_ms=longer)

    def _ignore(self, what: str) -> None:
        self._ignored[UNTOLD.sub("", what)[:40]] = None

    def _error(self, what: str) -> SsmlError:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
        place = f" at line {line}, column {column + 1}" if self._placed else ""
        return SsmlError(f"the SSML cannot be read{place}: {what}")
