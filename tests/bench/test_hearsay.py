"""Word counts by transcription."""

import pytest

from bench.hearsay import distances, word_error, words, words_heard

TEXT = "The library opens at nine on weekdays, and at ten on Sundays."


@pytest.mark.parametrize("count", range(13))
def test_each_prefix_is_found(count: int) -> None:
    assert words_heard(" ".join(TEXT.split()[:count]), TEXT) == count


def test_a_transcriber_that_errs_within_words_still_counts_right() -> None:
    assert words_heard("the libary open at nein on week days", TEXT) == 7


def test_distances_are_levenshteins() -> None:
    assert distances("kitten", "sitting") == [6, 6, 5, 4, 3, 3, 2, 3]


def test_words_lose_case_and_punctuation() -> None:
    assert words("It's 3 p.m., isn't it?") == ["it's", "3", "p", "m", "isn't", "it"]


def test_a_history_that_keeps_what_was_heard_has_no_error() -> None:
    assert word_error("The library opens", "the library opens", TEXT) == 0


def test_a_history_with_a_word_too_many_is_off_by_one() -> None:
    assert word_error("The library opens at", "the library opens", TEXT) == 1


def test_a_history_that_says_something_else_is_wrong_in_every_word() -> None:
    assert word_error("The museum opens", "the library opens", TEXT) == 3
