"""Loops of a decoder."""

from actors.repetition import repeated


def test_a_loop_is_cut_to_its_first_round() -> None:
    assert repeated([9, 5, 5, 5, 5, 5]) == 0
    assert repeated([9, 5, 5, 5, 5, 5, 5]) == 5
    assert repeated([1, 2, 3, 1, 2, 3, 1, 2, 3]) == 0
    assert repeated([7, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]) == 9


def test_a_loop_that_went_on_for_long_is_cut_to_its_first_round_too() -> None:
    assert repeated([9] + [5] * 40) == 39
    assert repeated([7] + [1, 2, 3] * 20 + [1]) == 58
    assert repeated(list(range(30)) * 4) == 90
    assert repeated([]) == 0
