"""ARPAbet, as the CMU Pronouncing Dictionary writes American English, in the IPA."""

import re
from typing import Final

_VOWELS: Final = {
    "AA": "ɑː", "AE": "æ", "AH": "ʌ", "AO": "ɔː", "AW": "aʊ", "AY": "aɪ", "EH": "ɛ", "ER": "ɜːɹ",
    "EY": "eɪ", "IH": "ɪ", "IY": "iː", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "uː",
}  # fmt: skip

_UNSTRESSED: Final = {"AH": "ə", "ER": "ɚ", "IY": "i"}
"""What is another sound there."""

_CONSONANTS: Final = {
    "B": "b", "CH": "tʃ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "dʒ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip

_STRESS: Final = {"0": "", "1": "ˈ", "2": "ˌ"}

_SOUND: Final = re.compile(r"([A-Z]{1,2})([012])?")


def ipa(arpabet: str) -> str:
    """Of sounds with spaces between, such as `T AH0 M EY1 T OW2`; a vowel without a digit has no
    stress. Raises `ValueError`.
    """
    sounds = [_sound(one) for one in arpabet.upper().split()]
    if not sounds:
        raise ValueError("there is no sound in it: write some, such as 'T AH0 M EY1 T OW2'")
    return "".join(sounds)


def _sound(written: str) -> str:
    found = _SOUND.fullmatch(written)
    name, digit = found.groups() if found else ("", None)
    if name in _CONSONANTS and digit is None:
        return _CONSONANTS[name]
    if name in _VOWELS:
        stress = _STRESS[digit or "0"]
        return stress + (_VOWELS[name] if stress else _UNSTRESSED.get(name, _VOWELS[name]))
    known = ", ".join(sorted({*_VOWELS, *_CONSONANTS}))
    raise ValueError(
        f"{written[:20]!r} is no sound of ARPAbet: write some of {known}, with spaces between, and "
        "vowels with their stress (0, 1, 2), such as 'T AH0 M EY1 T OW2'"
    )
