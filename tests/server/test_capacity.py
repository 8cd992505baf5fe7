"""What the measurement of a machine's capacity makes of what it saw, and the command itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.admission import Learnt
from server.capacity import Level, curve, learnt
from server.machine import Machine
from server.measured import MeasuredLevel
from tests.folder import folder
from tests.server.program import Server, voiceforge


def level(callers: int, latency_ms: float = 800.0, lost: int = 0) -> Level:
    return Level(callers, (latency_ms,) * callers, lost)


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert Level(1, (300.0, 100.0, 200.0), 0).percentile(50) == 200.0
    assert Level(1, tuple(map(float, range(1, 101))), 0).percentile(95) == 95.0
    assert Level(1, tuple(map(float, range(1, 21))), 0).percentile(95) == 19.0
    assert Level(1, (), 1).percentile(95) == float("inf")


def test_the_last_level_that_holds_is_what_the_machine_holds() -> None:
    assert learnt([level(1), level(2), level(4), level(8, 2000.0)]) == Learnt(4, 7)
    assert learnt([level(1), level(2, lost=1)]) == Learnt(1, 1)


def test_a_machine_that_was_not_brought_to_its_end_has_no_limit() -> None:
    assert learnt([level(1), level(2), level(4)]) == Learnt(4, None)


def test_a_machine_that_answers_nobody_holds_one() -> None:
    assert learnt([level(1, lost=1)]).held == 1


def test_what_is_remembered_is_the_curve_and_whose_it_is() -> None:
    machine = Machine("Some CPU", 2, 0.0, 8 << 30, 1 << 30)
    kept = curve([level(1), level(2, 1100.0), level(4, 2000.0), level(8, lost=3)], machine)
    assert kept.machine == "Some CPU, 2 cores, 8 GB"
    assert (kept.held, kept.limit, kept.bound_ms) == (2, 3, 1200.0)
    assert kept.levels[:2] == (
        MeasuredLevel(1, 1, 0, 800.0, 800.0),
        MeasuredLevel(2, 2, 0, 1100.0, 1100.0),
    )
    assert curve([level(1), Level(2, (), 8)], machine).levels[1] == MeasuredLevel(2, 0, 8)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--callers", "many"], "numbers with commas"),
        (["--callers", "4,2"], "growing numbers"),
        (["--turns", "9"], "1 to 8"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], told: str) -> None:
    ended = voiceforge("capacity", *arguments)
    assert ended.status == 1
    assert told in ended.err


@pytest.fixture
def state() -> Iterator[Path]:
    with folder() as path:
        yield path


@pytest.mark.models
def test_it_measures_this_machine_and_remembers(state: Path) -> None:
    ended = voiceforge(
        "capacity", "--callers", "1,2", "--turns", "1", "--json",
        timeout_s=240, VOICEFORGE_STATE=str(state),
    )  # fmt: skip
    assert ended.status == 0, ended.err
    told = json.loads(ended.out)
    assert told["levels"][0]["callers"] == 1
    assert len(told["levels"][0]["latencies_ms"]) + told["levels"][0]["lost"] == 1
    kept = json.loads((state / "capacity.json").read_text())
    [known] = kept.values()
    assert {name: known[name] for name in ("held", "limit")} == told["learnt"]
    assert [level["callers"] for level in known["measured"]["levels"]] == [
        level["callers"] for level in told["levels"]
    ]
    with Server(VOICEFORGE_STATE=str(state)) as server:
        status, text = server.until_ready().get("/v1/system")
    assert status == 200
    assert json.loads(text)["capacity"] == known["measured"]
