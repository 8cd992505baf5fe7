"""ARPAbet, as the CMU Pronouncing Dictionary writes American English, in the IPA."""

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

_SOUNDS: Final = {
    **_CONSONANTS,
    **{vowel: _UNSTRESSED.get(vowel, told) for vowel, told in _VOWELS.items()},
    **{f"{vowel}0": _UNSTRESSED.get(vowel, told) for vowel, told in _VOWELS.items()},
    **{f"{vowel}1": f"ˈ{told}" for vowel, told in _VOWELS.items()},
    **{f"{vowel}2": f"ˌ{told}" for vowel, told in _VOWELS.items()},
}
"""Each as it may be written: a dictionary may bring half a million."""


def ipa(arpabet: str) -> str:
    """Of sounds with spaces between, such as `T AH0 M EY1 T OW2`; a vowel without a digit has no
    stress. Raises `ValueError`.
    """
    written = arpabet.upper().split()
    if not written:
        raise ValueError("there is no sound in it: write some, such as 'T AH0 M EY1 T OW2'")
    try:
        return "".join([_SOUNDS[one] for one in written])
    except KeyError as unknown:
        known = ", ".join(sorted({*_VOWELS, *_CONSONANTS}))
        raise ValueError(
            f"{unknown.args[0][:20]!r} is no sound of ARPAbet: write some of {known}, with spaces "
            "between, and vowels with their stress (0, 1, 2), such as 'T AH0 M EY1 T OW2'"
        ) from None
