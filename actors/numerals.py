"""Numbers, money, dates and times as English words (American usage).

Every function takes the digits as written and gives lower-case words without punctuation.
"""

import re
from functools import lru_cache
from typing import Final

import inflect

_ENGINE: Final = inflect.engine()

LONGEST_DIGITS: Final = 15
"""Longer numbers are read digit by digit: nobody follows quadrillions."""

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

_MONEY: Final = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_MAGNITUDES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion"}
_MAGNITUDES.update({"bn": "billion", "t": "trillion", "tn": "trillion"})
_DENOMINATORS: Final = {2: ("half", "halves"), 4: ("quarter", "quarters")}


@lru_cache(maxsize=4096)
def _cardinal(number: int) -> str:
    words = _ENGINE.number_to_words(str(number), andword="", comma="")
    return str(words).replace("-", " ")


def digits(text: str) -> str:
    """Each digit by itself; anything else is left out: "0-15" is "zero one five"."""
    return " ".join(_cardinal(int(char)) for char in text if char in "0123456789")


def cardinal(text: str) -> str:
    """A whole number, thousands separated by commas or not: "1,000" is "one thousand"."""
    plain = text.replace(",", "")
    if len(plain) > LONGEST_DIGITS or (len(plain) > 1 and plain.startswith("0")):
        return digits(plain)
    return _cardinal(int(plain))


def decimal(text: str) -> str:
    """A number with or without decimals and sign: "-3.50" is "minus three point five zero"."""
    sign = "minus " if text[:1] in "-−" else ""
    whole, _, fraction = text.lstrip("-−+").partition(".")
    spoken = cardinal(whole) if whole else "zero"
    if fraction:
        spoken += " point " + digits(fraction)
    return sign + spoken


def ordinal(text: str) -> str:
    """ "21" is "twenty first"."""
    plain = text.replace(",", "")
    if len(plain) > LONGEST_DIGITS:
        return digits(plain)
    return str(_ENGINE.ordinal(_cardinal(int(plain))))


def year(text: str) -> str:
    """A year of four digits: "1999" is "nineteen ninety nine", "2005" "two thousand five"."""
    century, rest = int(text[:2]), int(text[2:])
    if century % 10 == 0 and rest < 10:
        return _cardinal(int(text))
    if rest == 0:
        return f"{_cardinal(century)} hundred"
    return f"{_cardinal(century)} {'oh ' if rest < 10 else ''}{_cardinal(rest)}"


def decade(text: str) -> str:
    """ "1990" (of "1990s") is "nineteen nineties"."""
    plural = _plural(_cardinal(int(text[-2:]))) if text[-2:] != "00" else "hundreds"
    if len(text) == 2:
        return plural
    if text[1:3] == "00":
        return _plural(_cardinal(int(text)))
    return f"{_cardinal(int(text[:2]))} {plural}"


def fraction(above: str, below: str) -> str | None:
    """ "3", "4" is "three quarters"; None if nobody would say it as a fraction."""
    top, bottom = int(above), int(below)
    if not 0 < top < bottom or (bottom > 10 and bottom not in (12, 16, 20, 32, 64, 100)):
        return None
    singular = ordinal(below)
    one, many = _DENOMINATORS.get(bottom, (singular, singular + "s"))
    return f"{_cardinal(top)} {one if top == 1 else many}"


def money(sign: str, amount: str, magnitude: str) -> str:
    """ "$", "3.50", "" is "three dollars and fifty cents"; `magnitude` may be "million" or "k"."""
    one, many, coin, coins = _MONEY[sign]
    if magnitude:
        scale = _MAGNITUDES.get(magnitude.lower(), magnitude.lower())
        return f"{decimal(amount)} {scale} {many}"
    whole, _, cents = amount.replace(",", "").partition(".")
    if not coin or len(cents) not in (0, 2) or len(whole) > LONGEST_DIGITS:
        return f"{decimal(amount)} {many}"
    small = int(cents or "0")
    parts = []
    if int(whole) or not small:
        parts.append(f"{cardinal(whole)} {one if int(whole) == 1 else many}")
    if small:
        parts.append(f"{_cardinal(small)} {coin if small == 1 else coins}")
    return " and ".join(parts)


def date(year_text: str, month: int, day: int) -> str | None:
    """A date, or None if the calendar has no such month or day; `year_text` may be empty."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    spoken = f"{MONTHS[month - 1]} {ordinal(str(day))}"
    if len(year_text) == 2:
        return f"{spoken} {'oh ' if year_text < '10' else ''}{_cardinal(int(year_text))}"
    return f"{spoken} {year(year_text)}" if year_text else spoken


def time(hour: int, minute: int, half: str) -> str:
    """A time of day; `half` is "a", "p" or "": "six fifteen", "six o'clock", "ten A.M"."""
    spoken = _cardinal(hour)
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{_cardinal(minute)}"
    elif not half:
        spoken += " o'clock" if 1 <= hour <= 12 else " hundred"
    return f"{spoken} {half.upper()}.M" if half else spoken


def phone(text: str) -> str:
    """A phone number, digit by digit, with a comma between its groups."""
    groups = re.findall(r"\d+", text)
    plus = "plus " if text.startswith("+") else ""
    return plus + ", ".join(digits(group) for group in groups)


_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50}


def roman(text: str) -> int | None:
    """The value of a well-formed roman numeral below 90 of I, V, X and L; else None."""
    if not re.fullmatch(r"(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})", text):
        return None
    values = [_ROMAN[char] for char in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)


def _plural(words: str) -> str:
    return words[:-1] + "ies" if words.endswith("y") else words + "s"
