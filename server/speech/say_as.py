"""What to say for a date, a telephone number and the like, where a text says that it is one
(W3C, SSML 1.0 say-as attribute values).
"""

import re
import unicodedata
from collections.abc import Callable

from actors import numerals

LONGEST_PART = 8
"""Digits of a part of a date: of a whole one, without anything between."""

LETTER_A = "ay"
"""Alone, an A would be read as the article."""

SPELLED = ("characters", "spell-out", "verbatim")


def alias(text: str, interpret_as: str, form: str, *, english: bool) -> str | None:
    """What to say; None: the voice reads it as it is written. `form` is the order of a date."""
    if interpret_as in SPELLED:
        return (_english_letters(text) if english else ", ".join(_letters(text))) or None
    if interpret_as == "digits":
        found = numerals.digits(text) if english else ", ".join(filter(str.isdigit, text))
        return found or None
    reads = _READS.get(interpret_as)
    return reads(text, form) if english and reads else None


def is_known(interpret_as: str) -> bool:
    """Whether it makes a difference, or is read as it is written in any case."""
    return interpret_as in (*SPELLED, "digits", *_READS, *_AS_WRITTEN)


def _letters(text: str) -> list[str]:
    """Each with the marks that belong to it."""
    found: list[str] = []
    for char in text:
        if found and unicodedata.category(char)[0] == "M":
            found[-1] += char
        elif char.isalnum():
            found.append(char)
    return found


def _english_letters(text: str) -> str:
    said = []
    for char in text:
        if char in "0123456789":
            said.append(numerals.digits(char))
        elif char.isalpha():
            said.append(LETTER_A if char in "aA" else char.upper())
        elif char in _SIGNS:
            said.append(_SIGNS[char])
    return " ".join(said)


def _number(text: str, _form: str) -> str | None:
    found = re.fullmatch(r"\s*([-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?)\s*", text)
    return numerals.decimal(found[1]) if found and found[1].strip("-−+") else None


def _ordinal(text: str, _form: str) -> str | None:
    found = re.fullmatch(r"\s*(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)?\s*", text)
    return numerals.ordinal(found[1]) if found else None


def _telephone(text: str, _form: str) -> str | None:
    return numerals.phone(text.strip()) or None


def _date(text: str, form: str) -> str | None:
    """By the order of the parts that `form` tells."""
    parts = re.findall(r"\d+", text)
    if any(len(part) > LONGEST_PART for part in parts):
        return None
    if re.fullmatch(r"\s*\d{8}\s*", text) and form in ("", "ymd"):
        whole = parts[0]
        parts = [whole[:4], whole[4:6], whole[6:]]
    order = form or ("ymd" if parts and len(parts[0]) == 4 else "mdy")
    if len(parts) != len(order) or set(order) - set("dmy") or len(set(order)) != len(order):
        return None
    told = dict(zip(order, parts, strict=True))
    if "m" not in told or "d" not in told or len(told.get("y", "")) not in (0, 2, 4):
        return None
    return numerals.date(told.get("y", ""), int(told["m"]), int(told["d"]))


_READS: dict[str, Callable[[str, str], str | None]] = {
    "cardinal": _number,
    "number": _number,
    "ordinal": _ordinal,
    "telephone": _telephone,
    "date": _date,
}
_AS_WRITTEN = ("time", "fraction", "unit", "currency", "address", "name")

_SIGNS = {
    "-": "dash", "_": "underscore", ".": "dot", "/": "slash", "@": "at", "#": "hash", "+": "plus",
    "*": "star", "&": "and", "%": "percent",
}  # fmt: skip
