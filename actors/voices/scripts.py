"""Scripts: which one a character is of, and which languages are written in each."""

import unicodedata
from functools import lru_cache
from typing import Final

HAN: Final = "CJK"
KANA: Final = frozenset({"HIRAGANA", "KATAKANA"})
LATIN: Final = "LATIN"

LANGUAGES: Final = {
    LATIN: (
        "en af az bs ca cs cy da de eo es et eu fi fr ga gd hr hu id is it ku la lb lt lv ms mt nl "
        "no pl pt ro sk sl sq sv sw tr tk uz vi"
    ),
    "CYRILLIC": "ru be bg kk ky mk sr tt uk ba",
    "ARABIC": "ar fa ur ug",
    "DEVANAGARI": "hi mr ne",
    HAN: "zh ja yue",
    "BENGALI": "bn as",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "KANNADA": "kn",
    "KHMER": "km",
    "LAO": "lo",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "TIBETAN": "bo",
}
"""Those that are told apart, by primary tag; the first of a script is the one of most speakers."""

KNOWN: Final = {script: tuple(tags.split()) for script, tags in LANGUAGES.items()}
TOLD_APART: Final = frozenset(tag for tags in KNOWN.values() for tag in tags)


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """A character's script, empty for what is of none: digits, marks, spaces, rare scripts.

    Python does not know scripts, but in Unicode's names a letter's begins with it. Kana and
    Chinese characters are one script here: Japanese mixes them.
    """
    if unicodedata.category(char)[0] not in "LM":
        return ""
    words = unicodedata.name(char, "").replace("-", " ").split()
    if words[:1] in (["FULLWIDTH"], ["HALFWIDTH"]):
        words = words[1:]
    script = words[0] if words else ""
    if script in KANA:
        return HAN
    return script if script in KNOWN else ""


def has_kana(text: str) -> bool:
    """Whether any character is one that only Japanese has."""
    return any("\u3040" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9d" for char in text)
