"""The tables of many callers."""

import pytest

from bench.callers import counts
from bench.crowd import capacity_note, count_rows, memory_row, refusals_note, turns_each
from bench.hall import Round
from bench.line import Refusal
from bench.mixture import Turned
from bench.report import Side

NO = b'{"error": {"code": "no_capacity"}}'


def test_counts_are_a_list() -> None:
    assert counts("1,2,4") == [1, 2, 4]
    with pytest.raises(ValueError, match="at least one"):
        counts("4,0")


@pytest.mark.parametrize(("callers", "each"), [(1, 10), (4, 10), (8, 8), (16, 4), (40, 4)])
def test_few_callers_say_more_each(callers: int, each: int) -> None:
    assert turns_each(callers, None) == each


def test_turns_are_shared_among_callers() -> None:
    assert turns_each(8, 20) == 3


def test_a_machine_holds_all_counts_up_to_the_first_that_is_slow() -> None:
    p95s: dict[int, float | None] = {4: 1000.0, 8: 1400.0, 16: 1600.0, 24: 1200.0}

    assert capacity_note(p95s).startswith("8 callers held")
    assert capacity_note({4: 1000.0, 8: None}).startswith("4 callers held")
    assert "to compare with" in capacity_note({8: 1000.0})


def test_rows_of_a_count_are_named_for_it() -> None:
    told = [Turned("a", 500.0), Turned("b", None, cut=True), Turned("c", None, lost=True)]
    met: dict[Side, Round] = {"ours": Round("ours", 8, told=told, memory={"gw": 90.0, "stt": 10.0})}

    rows = {row.name: row.ours for row in count_rows(8, met, scripted=False)}
    assert list(rows) == ["response_p50_8_ms", "response_p95_8_ms", "turns_bad_8", "memory_8_mb"]
    assert rows["turns_bad_8"] == 2
    assert rows["memory_8_mb"] == 100
    names = [row.name for row in count_rows(8, met, scripted=True)]
    assert names == ["response_p95_8_ms", "turns_lost_8"]


def test_memory_is_held_against_the_peers() -> None:
    met: dict[Side, Round] = {
        "ours": Round("ours", 8, memory={"a": 100.0}),
        "peer": Round("peer", 8, memory={"b": 400.0}),
    }

    assert memory_row(8, met).ratio == 0.25


def test_a_wrong_refusal_is_named() -> None:
    right = Round("ours", 8, admitted=4, refusals=[Refusal(503, 3, NO)])
    wrong = Round("ours", 8, admitted=4, refusals=[Refusal(500, None, b"oops")])

    assert "each with 503" in refusals_note([right])
    assert "1 WRONG, such as HTTP 500 b'oops'" in refusals_note([right, wrong])
