"""Abbreviations, acronyms and units as English words."""

import re
from typing import Final

from actors import numerals


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_NAME: Final = {
    "mr": "Mister", "mrs": "Missus", "ms": "Miz", "mx": "Mix", "prof": "Professor",
    "rev": "Reverend", "hon": "Honorable", "gen": "General", "gov": "Governor", "sen": "Senator",
    "rep": "Representative", "capt": "Captain", "cpt": "Captain", "lt": "Lieutenant",
    "col": "Colonel", "sgt": "Sergeant", "cmdr": "Commander", "pres": "President", "mt": "Mount",
    "ft": "Fort",
}  # fmt: skip
"""Abbreviations if a capital follows; without their stop only the first four."""

_UNDOTTED: Final = frozenset(["mr", "mrs", "ms", "mx"])

_BEFORE_NUMBER: Final = {
    "no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "vol": "volume",
    "ch": "chapter", "sec": "section", "p": "page", "pp": "pages", "ext": "extension",
    "tel": "telephone", "apt": "apartment", "jan": "January", "feb": "February", "mar": "March",
    "apr": "April", "jun": "June", "jul": "July", "aug": "August", "sep": "September",
    "sept": "September", "oct": "October", "nov": "November", "dec": "December",
}  # fmt: skip
_MONTHS_CUT: Final = frozenset(month[:3].lower() for month in numerals.MONTHS) | {"sept"}

_ANYWHERE: Final = {
    "etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department",
    "jr": "junior", "sr": "senior", "inc": "incorporated", "ltd": "limited", "corp": "corporation",
    "co": "company", "bros": "brothers", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "hwy": "highway", "esq": "esquire", "viz": "namely", "cf": "compare", "min": "minutes",
    "max": "maximum", "govt": "government",
}  # fmt: skip
"""Abbreviations wherever they stand, with their stop."""

BEFORE_MORE: Final = frozenset(["versus", "approximately", "namely", "compare"])
"""Words whose abbreviations never end a sentence."""

_BARE: Final = {"vs": "versus", "etc": "et cetera", "blvd": "boulevard", "ok": "okay"}
_DOTTED: Final = {
    "e.g": "for example", "i.e": "that is", "a.k.a": "also known as", "ph.d": "P.H.D",
    "w.r.t": "with respect to",
}  # fmt: skip

_SAID_AS_WORDS: Final = _words(
    """nasa nato unesco unicef covid aids opec fifa nafta pin sim ram rom gif jpeg raid lan wan
    the and not you can all yes now but for are was one two our out any how who why new see get
    got has had his her him she its let may off old own put say too use way did top end big red
    set run try ask day man no so do go to of or on in is at as be by he me my we up if an am
    zip"""
)
"""Short words in capitals that are no initials."""

_SPELLED: Final = _words(
    """html http https json yaml sql api url faq ceo cfo cto usa gpu cpu usb ibm fbi cia nba nfl
    nhl eta atm diy vip rsvp asap aarp ieee iot ui ux ai ml ip id tv pc it us uk eu un"""
)
_REIGNING: Final = _words(
    """henry louis george elizabeth charles edward william richard james john paul pius benedict
    philip francis frederick napoleon catherine alexander nicholas leo gregory"""
)

_UNITS: Final = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "km²": ("square kilometer", "square kilometers"),
    "m²": ("square meter", "square meters"),
    "m³": ("cubic meter", "cubic meters"),
    "kB": ("kilobyte", "kilobytes"), "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz",) * 2,
    "GHz": ("gigahertz", "gigahertz"), "kW": ("kilowatt", "kilowatts"),
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"), "mm": ("millimeter", "millimeters"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"), "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"), "mi": ("mile", "miles"), "ft": ("foot", "feet"),
    "ml": ("milliliter", "milliliters"), "mL": ("milliliter", "milliliters"),
    "L": ("liter", "liters"), "ms": ("millisecond", "milliseconds"), "s": ("second", "seconds"),
    "min": ("minute", "minutes"), "h": ("hour", "hours"), "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"), "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
}  # fmt: skip

_CAPITAL: Final = re.compile(r"[\s\"“'‘(]*[A-Z]")
_NUMBER: Final = re.compile(r"\s*\d")
_INSIDE: Final = re.compile(r"[a-z,;/]\s*\Z")
_NAMED: Final = re.compile(r"(?:\d|\b[A-Z][a-z]+)\s+\Z")


def abbreviation(written: str, after: str, before: str) -> str:
    """What `written` is short for, seen between `before` and `after`; empty if it is not short."""
    short = written.lower().removesuffix(".")
    dotted = written.endswith(".")
    if short in _DOTTED:
        return _DOTTED[short]
    if short == "dr":
        drive = dotted and _NAMED.search(before) and not _CAPITAL.match(after)
        return "Drive" if drive else "Doctor"
    if short == "st" and dotted:
        return "Saint" if _CAPITAL.match(after) and not _NAMED.search(before) else "Street"
    if short in _BEFORE_NAME and (dotted or short in _UNDOTTED) and _CAPITAL.match(after):
        return _BEFORE_NAME[short]
    cut = dotted or (short in _MONTHS_CUT and written[0].isupper())
    if short in _BEFORE_NUMBER and cut and _NUMBER.match(after):
        return _BEFORE_NUMBER[short]
    if dotted and short in _ANYWHERE:
        return _ANYWHERE[short]
    return _BARE.get(short, "")


def initials(word: str, before: str = "") -> str:
    """`word`, spelled out as "A.P.I" if it reads as an acronym; a roman numeral as a number."""
    if word == "A" and _INSIDE.search(before):
        return "ay"  # the letter; as "A" it would be read as the article
    if len(word) == 1:
        return word if word in "aAIi" or not word.isascii() else word.upper()
    if not (word.isascii() and word.isalpha()):
        return word
    if not word.isupper():
        return word if re.search(r"[aeiouyAEIOUY]", word) or len(word) > 3 else _consonants(word)
    value = numerals.roman(word) if word not in ("LL", "XL") else None
    if value:
        king = before.rstrip().rpartition(" ")[2].lower() in _REIGNING
        return f"the {numerals.ordinal(str(value))}" if king else numerals.cardinal(str(value))
    lower = word.lower()
    if lower in _SAID_AS_WORDS:
        return lower
    vowels = re.search(r"[AEIOUY]", word)
    spelled = lower in _SPELLED or len(word) <= 3 or (not vowels and len(word) <= 6)
    return ".".join(word) if spelled else lower


def _consonants(word: str) -> str:
    """A short word without vowels: a sound such as "hmm", or letters such as "tv"."""
    sounds = re.fullmatch(r"(?i)(?:m+h*m+|h+m+|s+h+|p+s+t+|n?th|b?r+|[A-Z]{2,5}s|Mc)", word)
    return word if sounds or word[:1].isupper() else ".".join(word.upper())


def unit(short: str, quantity: str) -> str:
    """The unit's name, for `quantity` of it."""
    return _UNITS[short][0 if quantity == "1" else 1]
