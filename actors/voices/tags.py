"""Language tags (BCP 47): which are well formed, and how near one is to another."""

import re
from typing import Final

_TAG: Final = re.compile(
    r"[a-z]{2,4}"  # the language; four letters are reserved, and espeak-ng uses them for Klingon
    r"(-[A-Z][a-z]{3})?"  # script
    r"(-([A-Z]{2}|[0-9]{3}))?"  # region
    r"(-(?!x-)[a-z0-9]{3,8})*"  # variants
    r"(-x(-[a-z0-9]{1,8})+)?"  # private use
)

_SAME: Final = {"cmn": "zh", "nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi", "jw": "jv"}
"""Languages that have two tags: the individual one or the old one, and the one that most use."""

EXACT, PLAIN, SAME_LANGUAGE, OTHER = 3, 2, 1, 0


def well_formed(tag: str) -> bool:
    """Whether a tag has the form and the letter case that BCP 47 recommends: `pt-BR`, `zh-Hant`."""
    return _TAG.fullmatch(tag) is not None


def language(tag: str) -> str:
    """The language of a tag, however it is written: `pt` of `PT_br`, `zh` of `cmn-Hans`."""
    primary = tag.strip().lower().replace("_", "-").split("-")[0]
    return _SAME.get(primary, primary)


def nearness(tag: str, wanted: str) -> int:
    """How well a voice of language `tag` does for what is `wanted`: 3 the same tag, 2 the language
    without region, 1 the same language from elsewhere, 0 another language.
    """
    if language(tag) != language(wanted):
        return OTHER
    if tag.lower() == wanted.strip().lower().replace("_", "-"):
        return EXACT
    return PLAIN if "-" not in tag else SAME_LANGUAGE
