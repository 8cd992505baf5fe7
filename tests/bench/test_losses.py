"""Word errors with losses and without."""

import numpy as np
import pytest

from bench.browser import Came, Recording
from bench.losses import (
    SAID,
    UNDERSTOOD,
    Call,
    Words,
    notes,
    points,
    rows,
    share,
    spelled,
    understood,
)
from bench.sound import load_turns
from bench.takes import Exchange

EMPTY = np.zeros(0, np.float32)


def test_points_are_the_difference_of_percentages_of_all_words() -> None:
    row = points("loss_wer_points", [Words(3, 10), Words(0, 20)], [Words(1, 50)])

    assert row.ours == pytest.approx(10 - 2)
    assert (row.low, row.high) == pytest.approx((0 - 2, 30 - 2))
    assert row.unit == "points"


def test_points_of_nothing_are_none() -> None:
    assert points("loss_wer_points", [], [Words(1, 50)]).ours is None


def test_a_share_of_no_words_is_nothing() -> None:
    assert share([]) == 0


def test_only_turns_over_the_bad_line_count_as_lost() -> None:
    lost, cut = Exchange("a", "lost"), Exchange("b", "cut")
    done = {True: [Call([lost, cut]), Call([lost])], False: [Call([lost])]}

    assert [row.ours for row in rows(done)] == [2, None, None]
    assert "3 turns, 2 lost" in notes(done)[0]


def test_what_is_understood_is_all_that_the_server_told_of_the_caller() -> None:
    turn = load_turns()[0]
    first, rest = turn.text.split(" ", 1)
    told = [
        Came(1, {"type": SAID, "transcript": "something else"}),
        Came(2, {"type": UNDERSTOOD, "transcript": first.upper()}),
        Came(3, {"type": UNDERSTOOD, "transcript": rest.replace("library", "bakery")}),
    ]

    (words,) = understood(Recording(24_000, EMPTY, EMPTY, told, []), [turn])

    assert words == Words(1, 8)


def test_numbers_are_compared_as_words() -> None:
    assert spelled("It closes at 5, and on the 12 of May.") == (
        "It closes at five, and on the twelve of May."
    )
