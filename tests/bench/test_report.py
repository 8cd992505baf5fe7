"""The arithmetic and the form that every measurement ends with."""

import json

import numpy as np
import pytest

from bench.report import (
    Row,
    compare,
    finish,
    interleaved,
    judged,
    mean,
    median,
    paired,
    percentile,
    rate,
    ratio_interval,
    table,
    total,
)


def test_a_ratio_is_ours_over_the_peers() -> None:
    row = compare("wait_ms", {"ours": [1, 2, 3], "peer": [4, 4, 4]}, median, "ms")

    assert (row.ours, row.peer, row.ratio) == (2, 4, 0.5)
    assert row.low is not None
    assert row.high is not None
    assert row.low <= 0.5 <= row.high


def test_the_interval_holds_the_true_ratio_about_95_times_of_100() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for trial in range(60):
        ours = list(rng.normal(50, 5, 40))
        peer = list(rng.normal(100, 10, 40))
        interval = ratio_interval(ours, peer, mean, seed=trial)
        assert interval is not None
        held += interval[0] <= 0.5 <= interval[1]

    assert held >= 52


def test_repeats_that_never_differ_leave_no_doubt() -> None:
    assert ratio_interval([3.0, 3.0], [6.0, 6.0], median) == (0.5, 0.5)


def test_what_only_ours_has_stands_alone() -> None:
    row = compare("words", {"ours": [0.0, 1.0]}, total, "words")

    assert row == Row("words", 1.0, None, None, None, None, "words")


def test_a_peer_of_zero_has_no_ratio() -> None:
    row = compare("turns_lost", {"ours": [0.0, 1.0], "peer": [0.0, 0.0]}, total, "turns")

    assert (row.peer, row.ratio, row.low, row.high) == (0.0, None, None, None)


def test_a_peer_that_is_often_zero_has_a_ratio_without_bounds() -> None:
    peer = [0.0] * 30 + [1.0]
    row = compare("turns_lost", {"ours": [1.0] * 31, "peer": peer}, total, "turns")

    assert row.ratio == 31
    assert (row.low, row.high) == (None, None)


def test_a_rate_is_the_sum_of_counts_over_the_sum_of_bases() -> None:
    row = compare("pauses", {"ours": [(1, 2), (0, 8)], "peer": [(4, 1), (1, 4)]}, rate, "1/min")

    assert (row.ours, row.peer) == (0.1, 1.0)


def test_percentiles_are_in_percent() -> None:
    assert percentile(95)(np.arange(101, dtype=np.float64)) == 95


def test_a_paired_difference_is_of_what_both_have() -> None:
    row = paired("later_ms", {"a": 10, "b": 30, "c": 7}, {"a": 8, "b": 24, "d": 1})

    assert (row.ours, row.peer, row.unit) == (4, None, "ms")
    assert (row.low, row.high) == (2, 6)
    assert paired("later_ms", {"a": 1}, {"b": 1}).ours is None


def test_a_goal_is_held_against_the_ratio_or_where_there_is_no_peer_the_value() -> None:
    rows = [
        Row("wait_ms", 900.0, 2000.0, 0.45, None, None, "ms"),
        Row("turns_lost", 1.0, None, None, None, None, "turns"),
        Row("later_ms", None, None, None, None, None, "ms"),
        Row("other", 1.0, None, None, None, None, "ms"),
    ]

    assert judged(rows, {"wait_ms": 0.45, "turns_lost": 0.0, "later_ms": 80.0}) == [
        "wait_ms: 0.45 x, goal at most 0.45 x: GOAL REACHED",
        "turns_lost: 1 turns, goal at most 0 turns: GOAL MISSED",
        "later_ms: - ms, goal at most 80 ms: GOAL NOT MEASURED",
    ]


def test_interleaving_gives_each_side_the_same_number_of_runs_in_pairs() -> None:
    order = interleaved(6, seed=1)

    assert all(set(order[at : at + 2]) == {"ours", "peer"} for at in range(0, 12, 2))
    assert order != interleaved(6, seed=2)


def test_the_last_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    finish("bench.any", [Row("wait_ms", 1.0, None, None, None, None, "ms")], ["a note"])

    lines = capsys.readouterr().out.splitlines()
    assert "a note" in lines
    assert json.loads(lines[-1]) == {
        "program": "bench.any",
        "rows": [
            {
                "name": "wait_ms",
                "ours": 1.0,
                "peer": None,
                "ratio": None,
                "low": None,
                "high": None,
                "unit": "ms",
            }
        ],
    }


def test_the_table_has_a_line_for_each_row_and_dashes_for_what_is_missing() -> None:
    lines = table([Row("wait_ms", 1234.5, None, None, None, None, "ms")]).splitlines()

    assert len(lines) == 2
    assert lines[1].split() == ["wait_ms", "1234", "-", "-", "ms"]
