"""American English in the letters of the CMU dictionary."""

import time

import pytest

from actors.arpabet import ipa


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("T AH0 M EY1 T OW2", "təmˈeɪtˌoʊ"),
        ("M AE1 D IH0 S AH0 N", "mˈædɪsən"),
        ("B AH1 T ER0", "bˈʌtɚ"),
        ("B ER1 D", "bˈɜːɹd"),
        ("HH AE1 P IY0", "hˈæpi"),
        ("JH OY CH UW1 ZH", "dʒɔɪtʃˈuːʒ"),
        ("  k ae1 t ", "kˈæt"),
    ],
)
def test_sounds_and_stress_become_the_ipa_s(written: str, told: str) -> None:
    assert ipa(written) == told


@pytest.mark.parametrize("written", ["", " ", "T3", "T1", "AH3", "XX", "TOMATO", "T-AH0", "ə"])
def test_what_is_no_sound_is_named(written: str) -> None:
    with pytest.raises(ValueError, match="sound"):
        ipa(written)


def test_all_that_a_dictionary_may_hold_is_read_at_once() -> None:
    began = time.process_time()
    for _ in range(10_000):
        ipa("T AH0 M EY1 T OW2 " * 11)
    assert time.process_time() - began < 0.3
