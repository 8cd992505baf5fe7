"""What to say for a text that an LLM wrote, word by word.

Markdown, emoji and other scripts are left out; numbers, money, dates, times, addresses and
abbreviations become words (American English). Every word knows which characters it stands for, so
that what was heard can be told in the LLM's own text.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from actors import numerals
from actors.abbreviations import BEFORE_MORE, abbreviation, initials, unit
from engine.capabilities import Pronounced


class Word(msgspec.Struct, frozen=True):
    """Text to say, and the characters `start_char` to `end_char` of the source that it stands for.

    `text` has one spoken word or, for a number or an address, several, separated by spaces; `stop`
    is one of . , ; : ! ? or empty. Where `ipa` says how it is said, `text` is only for what its
    neighbours make of it.
    """

    text: str
    start_char: int
    end_char: int
    stop: str = ""
    ipa: str = ""


class Prepared(msgspec.Struct, frozen=True):
    """What to say. If there are words, the first starts at 0 and the last ends with the text."""

    words: tuple[Word, ...]


_NUM: Final = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_MAGNITUDE: Final = r"(?:thousand|million|billion|trillion|[kKmMbBtT]n?)\b"
_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_LETTER: Final = (
    "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff"
)
_HIDDEN: Final = "\u00ad\u200b-\u200d\u2060\ufeff"
_TOP_LEVEL: Final = (
    r"(?:com|org|net|edu|gov|io|ai|dev|app|info|biz|co|me|tv|us|uk|de|fr|es|it|nl|eu|ca|au|in|jp)"
)
_URL: Final = r"[^\s<>()\[\]{}\"'`*|\\^]*[^\s<>()\[\]{}\"'`*|\\^.,;:!?]"

_RULES: Final[tuple[tuple[str, str], ...]] = (
    ("bullet", r"(?m:^)[ \t]*(?:[-*+•‣◦]|#{1,6}|>+)(?=\s)"),
    ("item", r"(?m:^)[ \t]*(?P<place>\d{1,3})[.)](?=\s+\D)"),
    ("fence", r"```[A-Za-z0-9+#-]*|~~~"),
    ("target", r"!\[|\](?:\([^)\s]{0,500}(?:\s\"[^\"]{0,200}\")?\)|\[[^\]\s]{0,200}\])"),
    ("tag", r"</?[a-zA-Z][^<>\n]{0,80}>"),
    ("email", r"(?:mailto:)?[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
    ("url", rf"(?:(?:https?|ftp|wss?)://|www\.){_URL}"),
    (
        "host",
        rf"\b(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}{_TOP_LEVEL}\b(?!\.?\w)(?:/(?:{_URL})?)?",
    ),
    ("iso", r"\b(?P<iso_y>\d{4})-(?P<iso_m>\d{2})-(?P<iso_d>\d{2})\b"),
    ("slashed", r"\b(?P<us_m>\d{1,2})/(?P<us_d>\d{1,2})/(?P<us_y>\d{4}|\d{2})\b"),
    (
        "clock",
        r"\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?"
        r"(?:\s?(?P<half>[AaPp])(?:\.[Mm]\.|[Mm]\b))?(?![\d:])",
    ),
    ("oclock", r"\b(?P<oc_hour>1[0-2]|0?[1-9])\s?(?P<oc_half>[AaPp])(?:\.[Mm]\.|[Mm]\b)"),
    (
        "phone",
        r"(?<![\w.,])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}\b"
        r"(?![-\d])|(?<![\w.,-])\d{3}-\d{4}\b(?![-\d])|(?<!\w)\+\d{7,15}\b",
    ),
    (
        "money",
        rf"(?P<debt>[-−])?(?P<sign>[$€£¥₹])\s?(?P<amount>{_NUM})(?:\s?(?P<many>{_MAGNITUDE}))?"
        rf"|\b(?P<amount_after>{_NUM})\s?(?P<sign_after>[€£])",
    ),
    ("degrees", rf"(?P<cold>(?<!\w)[-−])?(?P<warm>{_NUM})\s?°\s?(?P<scale>[CF]\b)?"),
    ("percent", rf"(?P<less>(?<!\w)[-−])?(?P<share>{_NUM})\s?%"),
    ("decade", r"(?<!\w)(?:['’]\d0|(?:1[1-9]|20)\d0)s\b"),
    (
        "measure",
        rf"\b(?P<quantity>{_NUM})\s?(?P<unit>km/h|kWh|km²|m²|m³|[kKMGT]B|[kMG]?Hz|kW|mph|km|cm|mm|"
        r"kg|mg|lbs?|oz|mi|ft|ml|mL|ms|min|hrs?|kbps|Mbps|Gbps|m|g|s|h|L)\b(?![/'’])",
    ),
    ("ordinal", r"\b(?P<rank>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b"),
    ("version", r"\b\d+(?:\.\d+){2,}\b"),
    ("mixed", r"\b(?P<wholes>\d{1,3})\s+(?P<mixed_top>\d)/(?P<mixed_bottom>\d{1,2})\b"),
    ("fraction", r"\b(?P<top>\d{1,3})/(?P<bottom>\d{1,3})\b(?!/)"),
    ("vulgar", r"(?P<before>\d{0,9})(?P<glyph>[½⅓⅔¼¾⅛])"),
    ("range", rf"(?<![\w.-])(?P<low>{_NUM})\s?[-–—]\s?(?P<high>{_NUM})(?![\w-])"),
    ("negative", rf"(?<![\w)\]])[-−](?P<size>{_NUM})(?![\w-])"),
    ("number", rf"{_NUM}|\.\d+"),
    ("hash", r"#(?=\d)"),
    ("dotted", r"\bPh\.D\.?|\b(?:[A-Za-z]\.){2,}(?:[A-Za-z]\b(?!\.))?"),
    (
        "word",
        rf"[{_LETTER}](?:[{_LETTER}{_HIDDEN}]|['’][{_LETTER}])*(?:\.(?![A-Za-z.]))?",
    ),
    ("stop", r"[.!?…。！？؟।]+|[,;:،；：、，]|\s[-–—]+(?=\s)|[–—]+|\(|\)|\n+"),
    ("symbol", r"->|→|=>|[&+=@#×÷€$£±≈≤≥<>²³]|(?<=\s)[*/](?=\s)"),
)
_TOKEN: Final = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES))

_SYMBOLS: Final = {
    "&": "and", "+": "plus", "=": "equals", "@": "at", "#": "hash", "×": "times", "*": "times",
    "÷": "divided by", "/": "slash", "€": "euros", "$": "dollars", "£": "pounds", "->": "to",
    "→": "to", "=>": "to", "±": "plus or minus", "≈": "about", "≤": "at most", "≥": "at least",
    "<": "less than", ">": "greater than", "²": "squared", "³": "cubed",
}  # fmt: skip
_ADDRESS: Final = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", ":": "colon", "~": "tilde", "+": "plus", "@": "at",
    ",": "comma",
}  # fmt: skip
_GLYPHS: Final = {
    "½": ("1", "2"), "⅓": ("1", "3"), "⅔": ("2", "3"), "¼": ("1", "4"), "¾": ("3", "4"),
    "⅛": ("1", "8"),
}  # fmt: skip
_AFTER_MONTH: Final = re.compile(rf"\b{_MONTH}\.?\s+\Z")
_BEFORE_MONTH: Final = re.compile(rf"\s+{_MONTH}\b")
_YEARS: Final = re.compile(r"1[1-9]\d\d|20\d\d")


_LETTERS: Final = 20
"""Of a word that is told in the IPA: more of them would only take time."""


def prepare(text: str, pronounced: Sequence[Pronounced] = ()) -> Prepared:
    """What to say for `text`. Never fails; no words if nothing can be said."""
    words: list[Word] = []
    at = 0
    for one in pronounced:
        _read(words, text, at, one.start_char)
        letters = re.sub(r"[^A-Za-z]", "", text[one.start_char : one.end_char])[:_LETTERS]
        words.append(Word(letters or "a", one.start_char, one.end_char, "", one.ipa))
        at = one.end_char
    _read(words, text, at, len(text))
    return Prepared(words=_covering(words, text))


def _read(words: list[Word], text: str, start: int, end: int) -> None:
    """Add what to say for a stretch."""
    for found in _TOKEN.finditer(text, start, end):
        if found.lastgroup is None:
            continue
        kind = _kind(found)
        if kind == "stop":
            _stop(words, found)
            continue
        spoken, stop = _SPOKEN[kind](found)
        if spoken:
            words.append(Word(spoken, found.start(), found.end(), stop))


def _covering(words: list[Word], text: str) -> tuple[Word, ...]:
    """`words` with what is not spoken given to the word before it, or to the first."""
    whole = []
    for at, word in enumerate(words):
        last = at + 1 == len(words)
        end = len(text) if last else word.end_char
        if not last:
            between = text[word.end_char : words[at + 1].start_char]
            end += len(between.rstrip().rstrip('([{"“‘«*_`~#<').rstrip())
        start = 0 if at == 0 else word.start_char
        whole.append(msgspec.structs.replace(word, start_char=start, end_char=end))
    return tuple(whole)


def _kind(found: re.Match[str]) -> str:
    """The rule that matched: its group is the outermost, hence the last to close."""
    return found.lastgroup or ""


_STRENGTH: Final = {"": 0, ",": 1, ";": 2, ":": 3, ".": 4, "?": 5, "!": 5}


def _stop(words: list[Word], found: re.Match[str]) -> None:
    """Give the stop to the word before it, unless that has a stronger one."""
    if not words:
        return
    mark = found.group().strip(" \t")
    if mark.startswith(("...", "…", "(", ")", "–", "—", "-", "،", "、", "，")):
        stop = ","
    elif "?" in mark or "？" in mark or "؟" in mark:
        stop = "?"
    elif "!" in mark or "！" in mark:
        stop = "!"
    elif mark.startswith("\n"):
        stop = "."
    else:
        stop = {"；": ";", "：": ":"}.get(mark[0], mark[0] if mark[0] in ".,;:" else ".")
    if mark == ")" and not re.match(r"\s", found.string[found.end() : found.end() + 1]):
        return
    if _STRENGTH[stop] > _STRENGTH[words[-1].stop]:
        words[-1] = msgspec.structs.replace(words[-1], stop=stop)


def _silent(found: re.Match[str]) -> tuple[str, str]:
    return "", ""


def _email(found: re.Match[str]) -> tuple[str, str]:
    return _address(found.group().removeprefix("mailto:")), ""


def _url(found: re.Match[str]) -> tuple[str, str]:
    return _address(re.sub(r"\A[a-z]+://", "", found.group()).rstrip("/")), ""


def _address(text: str) -> str:
    """An e-mail or web address, part by part."""
    parts = re.findall(r"[A-Za-z]+|\d+|\S", text)
    return " ".join(filter(None, map(_address_part, parts)))


def _address_part(part: str) -> str:
    if part.isdigit() and part.isascii():
        return numerals.cardinal(part) if len(part) < 3 else numerals.digits(part)
    if part.isascii() and part.isalpha():
        vowels = re.search(r"[aeiouyAEIOUY]", part)
        return part.lower() if vowels and len(part) > 1 else initials(part.upper(), "/")
    return _ADDRESS.get(part, "")


def _iso(found: re.Match[str]) -> tuple[str, str]:
    spoken = numerals.date(found["iso_y"], int(found["iso_m"]), int(found["iso_d"]))
    return spoken or numerals.digits(found.group()), ""


def _slashed(found: re.Match[str]) -> tuple[str, str]:
    spoken = numerals.date(found["us_y"], int(found["us_m"]), int(found["us_d"]))
    spoken = spoken or numerals.date(found["us_y"], int(found["us_d"]), int(found["us_m"]))
    return spoken or numerals.digits(found.group()), ""


def _clock(found: re.Match[str]) -> tuple[str, str]:
    half = (found["half"] or "").lower()
    return numerals.time(int(found["hour"]), int(found["minute"]), half), _ended(found)


def _oclock(found: re.Match[str]) -> tuple[str, str]:
    return numerals.time(int(found["oc_hour"]), 0, found["oc_half"].lower()), _ended(found)


def _ended(found: re.Match[str]) -> str:
    """The stop that is also the sentence's, for text that ends with "p.m." and the like."""
    if not found.group().endswith("."):
        return ""
    after = found.string[found.end() : found.end() + 40].lstrip(" \"'”’)*_")
    return "." if not after or after[0].isupper() or after[0] == "\n" else ""


def _phone(found: re.Match[str]) -> tuple[str, str]:
    return numerals.phone(found.group()), ""


def _money(found: re.Match[str]) -> tuple[str, str]:
    if found["amount_after"]:
        return numerals.money(found["sign_after"], found["amount_after"], ""), ""
    debt = "minus " if found["debt"] else ""
    return debt + numerals.money(found["sign"], found["amount"], found["many"] or ""), ""


def _degrees(found: re.Match[str]) -> tuple[str, str]:
    scale = {"C": " Celsius", "F": " Fahrenheit", None: ""}[found["scale"]]
    one = found["warm"] == "1"
    spoken = f"{numerals.decimal((found['cold'] or '') + found['warm'])} degree"
    return spoken + ("" if one else "s") + scale, ""


def _percent(found: re.Match[str]) -> tuple[str, str]:
    return numerals.decimal((found["less"] or "") + found["share"]) + " percent", ""


def _measure(found: re.Match[str]) -> tuple[str, str]:
    return f"{numerals.decimal(found['quantity'])} {unit(found['unit'], found['quantity'])}", ""


def _decade(found: re.Match[str]) -> tuple[str, str]:
    return numerals.decade(found.group().strip("'’s")), ""


def _ordinal(found: re.Match[str]) -> tuple[str, str]:
    return numerals.ordinal(found["rank"]), ""


def _version(found: re.Match[str]) -> tuple[str, str]:
    parts = found.group().split(".")
    joint = " dot " if len(parts) == 4 else " point "
    return joint.join(numerals.cardinal(part) for part in parts), ""


def _mixed(found: re.Match[str]) -> tuple[str, str]:
    part = numerals.fraction(found["mixed_top"], found["mixed_bottom"])
    whole = numerals.cardinal(found["wholes"])
    rest = f"{found['mixed_top']} slash {found['mixed_bottom']}"
    return (f"{whole} and {_a(part)}" if part else f"{whole} {rest}"), ""


def _a(part: str) -> str:
    """ "one half" after a whole number is "a half"."""
    return re.sub(r"\Aone ", "a ", part)


def _fraction(found: re.Match[str]) -> tuple[str, str]:
    top, bottom = found["top"], found["bottom"]
    part = numerals.fraction(top, bottom)
    return part or f"{numerals.cardinal(top)} {numerals.cardinal(bottom)}", ""


def _vulgar(found: re.Match[str]) -> tuple[str, str]:
    part = numerals.fraction(*_GLYPHS[found["glyph"]]) or ""
    whole = found["before"]
    return (f"{numerals.cardinal(whole)} and {_a(part)}" if whole else part), ""


def _range(found: re.Match[str]) -> tuple[str, str]:
    return f"{_plain(found['low'])} to {_plain(found['high'])}", ""


def _negative(found: re.Match[str]) -> tuple[str, str]:
    return "minus " + numerals.decimal(found["size"]), ""


def _number(found: re.Match[str]) -> tuple[str, str]:
    number, text = found.group(), found.string
    day = number.isdigit() and 1 <= len(number) <= 2 and 1 <= int(number) <= 31
    if day and _AFTER_MONTH.search(text, max(0, found.start() - 14), found.start()):
        return numerals.ordinal(number), ""
    if day and _BEFORE_MONTH.match(text, found.end()):
        return f"the {numerals.ordinal(number)} of", ""
    return _plain(number), ""


def _plain(number: str) -> str:
    return numerals.year(number) if _YEARS.fullmatch(number) else numerals.decimal(number)


def _hash(found: re.Match[str]) -> tuple[str, str]:
    return "number", ""


def _dotted(found: re.Match[str]) -> tuple[str, str]:
    known = abbreviation(found.group(), "", "")
    if known:
        return known, ""
    time_or_end = found.group().lower() in ("a.m.", "p.m.") or found.end() == len(found.string)
    letters = found.group().rstrip(".")
    return letters.upper(), _ended(found) if time_or_end else ""


def _word(found: re.Match[str]) -> tuple[str, str]:
    """An abbreviation, an acronym, a roman numeral, or just a word; with the stop it carries."""
    written = _plain_letters(found.group())
    after = found.string[found.end() : found.end() + 40]
    before = found.string[max(0, found.start() - 40) : found.start()]
    known = abbreviation(written, after, before)
    if known:
        inside = known[0].isupper() or known in BEFORE_MORE
        return known, "" if inside and after.strip() else _ended(found)
    bare = written.removesuffix(".")
    initial = len(bare) == 1 and bare.isupper() and re.match(r"\s+[A-Z]", after)
    stop = "." if written.endswith(".") and not initial else ""
    return initials(bare, before), stop


def _plain_letters(text: str) -> str:
    """`text` without accents, which English dictionaries lack, and without hidden characters."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return re.sub(rf"[{_HIDDEN}\u0300-\u036f]", "", parts)


def _item(found: re.Match[str]) -> tuple[str, str]:
    return numerals.cardinal(found["place"]), ","


def _symbol(found: re.Match[str]) -> tuple[str, str]:
    return _SYMBOLS[found.group()], ""


_SPOKEN: Final[dict[str, Callable[[re.Match[str]], tuple[str, str]]]] = {
    "bullet": _silent, "item": _item, "fence": _silent, "target": _silent, "tag": _silent,
    "email": _email, "url": _url, "host": _url, "iso": _iso, "slashed": _slashed, "clock": _clock,
    "oclock": _oclock, "phone": _phone, "money": _money, "degrees": _degrees, "percent": _percent,
    "decade": _decade, "measure": _measure, "ordinal": _ordinal, "version": _version,
    "mixed": _mixed, "fraction": _fraction, "vulgar": _vulgar, "range": _range,
    "negative": _negative, "number": _number, "hash": _hash, "dotted": _dotted, "word": _word,
    "symbol": _symbol,
}  # fmt: skip
