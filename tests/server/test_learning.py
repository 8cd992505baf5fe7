import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.admission import Learnt
from engine.inference import Priority
from engine.load import Load, Served
from engine.status import State, WorkerStatus
from server.learning import FILE, Memory, Seconds, machine_key
from server.measured import Measured, MeasuredLevel
from server.settings import LlmSettings, Settings, WorkerSettings


def worker(begun: int, waited_ms: float, late: int = 0) -> WorkerStatus:
    served: dict[int, Served] = {
        Priority.FIRST: Served(begun, waited_ms, late),
        Priority.BATCH: Served(1000, 1_000_000.0),
    }
    return WorkerStatus("stt", State.READY, load=Load(served=served))


def test_a_second_shows_what_has_been_added_to_what_people_wait_for() -> None:
    seconds = Seconds()
    seconds.signs(1, [worker(10, 500.0, late=2)])
    seconds.waits_ms += (120.0, 90.0)
    seconds.lag_ms = 7.0
    signs = seconds.signs(3, [worker(14, 900.0, late=5)])
    assert (signs.sessions, signs.queued, signs.queued_ms, signs.late) == (3, 4, 400.0, 3)
    assert signs.waits_ms == (120.0, 90.0)
    assert signs.lag_ms == 7.0
    quiet = seconds.signs(3, [worker(14, 900.0, late=5)])
    assert (quiet.queued, quiet.queued_ms, quiet.waits_ms, quiet.lag_ms) == (0, 0.0, (), 0.0)


def test_a_worker_that_was_started_again_counts_from_nothing() -> None:
    seconds = Seconds()
    seconds.signs(1, [worker(10, 500.0)])
    assert seconds.signs(1, [worker(2, 10.0)]).queued == 0
    assert seconds.signs(1, [worker(5, 40.0)]).queued == 3


def test_what_was_learnt_is_there_at_the_next_start(tmp_path: Path) -> None:
    Memory(tmp_path / "new", Settings()).write(Learnt(7, 9))
    assert Memory(tmp_path / "new", Settings()).read() == Learnt(7, 9)


def test_another_machine_or_model_has_a_capacity_of_its_own(tmp_path: Path) -> None:
    here, other = Settings(), Settings(llm=LlmSettings("http://gpu/v1", "big"))
    Memory(tmp_path, here).write(Learnt(7, 9))
    Memory(tmp_path, other).write(Learnt(70))
    assert Memory(tmp_path, here).read() == Learnt(7, 9)
    assert Memory(tmp_path, other).read() == Learnt(70)
    unknown = Memory(tmp_path, Settings(workers=WorkerSettings(stt=4))).read()
    assert unknown.limit is None
    assert unknown.held > 0


def test_a_broken_file_is_as_good_as_none_and_is_mended(tmp_path: Path) -> None:
    for broken in ("{", "[]", '{"x": 1}', ""):
        (tmp_path / FILE).write_text(broken)
        memory = Memory(tmp_path, Settings())
        assert memory.read().limit is None
        memory.write(Learnt(3, 4))
        assert Memory(tmp_path, Settings()).read() == Learnt(3, 4)


def test_a_folder_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    memory = Memory(tmp_path / "file", Settings())
    memory.write(Learnt(3, 4))
    assert memory.read().limit is None


CURVE = Measured(
    at=datetime(2026, 11, 29, 18, 0, tzinfo=UTC),
    machine="Some CPU, 2 cores, 8 GB",
    held=2,
    limit=3,
    bound_ms=1350.0,
    levels=(MeasuredLevel(1, 4, 0, 800.0, 900.0), MeasuredLevel(4, 0, 16)),
)


def test_a_measured_curve_stays_while_the_server_learns_more(tmp_path: Path) -> None:
    serving = Memory(tmp_path, Settings())
    assert serving.measured() is None
    Memory(tmp_path, Settings()).write(Learnt(2, 3), CURVE)  # another process, while it serves
    assert serving.measured() == CURVE
    serving.write(Learnt(5, 6))
    assert serving.measured() == Memory(tmp_path, Settings()).measured() == CURVE
    assert Memory(tmp_path, Settings()).read() == Learnt(5, 6)


def test_a_curve_is_of_this_machine_with_these_settings(tmp_path: Path) -> None:
    Memory(tmp_path, Settings()).write(Learnt(2, 3), CURVE)
    other = Settings(llm=LlmSettings("http://gpu/v1", "big"))
    assert Memory(tmp_path, other).measured() is None


def test_a_file_from_before_there_were_curves_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({machine_key(Settings()): {"held": 7, "limit": 9}}))
    memory = Memory(tmp_path, Settings())
    assert memory.read() == Learnt(7, 9)
    assert memory.measured() is None


def test_a_broken_curve_costs_nothing_else_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Memory(tmp_path, Settings()).write(Learnt(7, 9), CURVE)
    whole = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(whole.replace("900.0", '"quick"'))
    memory = Memory(tmp_path, Settings())
    assert memory.read() == Learnt(7, 9)
    assert memory.measured() is None
    assert memory.measured() is None
    assert [record.message for record in caplog.records] == [
        "what was measured cannot be read: measure it again"
    ]
    memory.write(Learnt(7, 9), CURVE)
    assert memory.measured() == CURVE
