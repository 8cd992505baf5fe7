"""The International Phonetic Alphabet as people write it, and as voices were taught it."""

import re
import unicodedata
from typing import Final

_TIES: Final = re.compile("[\u0361\u035c^.|‖‿]")
"""Ties join two letters and dots part syllables: neither is a sound."""

_VOWELS: Final = "iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻAIOQWY"
_STRESS: Final = re.compile(rf"([ˈˌ])([^{_VOWELS}ˈˌ\s]*)(?=[{_VOWELS}])")

_ALIKE: Final = str.maketrans(
    {"g": "ɡ", "'": "ˈ", "’": "ˈ", ",": "ˌ", ":": "ː", "/": "", "[": "", "]": ""}
)

_MISAKI: Final = (
    ("aɪ", "I"), ("aʊ", "W"), ("dʒ", "ʤ"), ("eɪ", "A"), ("tʃ", "ʧ"), ("ɔɪ", "Y"), ("oʊ", "O"),
    ("əʊ", "Q"), ("ɚ", "əɹ"), ("ɾ", "T"), ("r", "ɹ"), ("ː", ""),
)  # fmt: skip
"""What misaki has a letter of its own for (hexgrad/misaki, EN_PHONES.md)."""


def plain(ipa: str) -> str:
    """Without what is no sound, and with a stress right before its vowel: dictionaries write it
    before the syllable, and espeak, whose IPA the voices were taught, and misaki do not.
    """
    sounds = _TIES.sub("", unicodedata.normalize("NFD", ipa)).translate(_ALIKE)
    sounds = sounds.replace("ɝ", "ɜːɹ")  # espeak's way to write it
    return _STRESS.sub(r"\2\1", sounds)


def misaki(ipa: str) -> str:
    """In the alphabet of misaki, American English, as Kokoro's voices were taught it."""
    sounds = unicodedata.normalize("NFC", plain(ipa))
    for theirs, ours in _MISAKI:
        sounds = sounds.replace(theirs, ours)
    return sounds
