"""What a server and its children use, read from a /proc made for the test."""

from pathlib import Path

import pytest

from bench.processes import (
    TICKS_S,
    arguments,
    cpu_s,
    family,
    machine_cpu_s,
    pss_by_name,
    pss_mb,
    worker_socket,
)


def process(
    proc: Path, pid: int, parent: int, *words: str, name: str = "python", kb: int = 0
) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    numbers = " ".join(["0"] * 9)
    (folder / "stat").write_text(f"{pid} (a) name) S {parent} {numbers} 30 12 0 0\n")
    (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (folder / "comm").write_text(f"{name}\n")
    (folder / "smaps_rollup").write_text(f"0-1 rw 0 [rollup]\nRss: 9 kB\nPss: {kb} kB\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    process(tmp_path, 1, 0, "init")
    process(tmp_path, 10, 1, "voiceforge", "serve", kb=1024)
    process(tmp_path, 11, 10, "python", "-m", "actors.workers", "stt", "/s/stt-0", kb=2048)
    process(tmp_path, 12, 10, "python", "-m", "server.gateway", name="voiceforge-gw", kb=512)
    process(tmp_path, 13, 12, "helper", kb=512)
    process(tmp_path, 99, 1, "python", "-m", "actors.workers", "tts", "/s/tts-0", kb=4096)
    (tmp_path / "self").mkdir()
    return tmp_path


def test_a_family_is_everybody_below(proc: Path) -> None:
    assert sorted(family([10], proc)) == [10, 11, 12, 13]


def test_memory_is_that_of_all_together(proc: Path) -> None:
    everybody = family([10], proc)
    assert pss_mb(everybody, proc) == 4
    assert pss_by_name(everybody, proc) == {"python": 3.5, "voiceforge-gw": 0.5}


def test_time_is_that_of_the_program_and_the_system(proc: Path) -> None:
    assert cpu_s([10, 11], proc) == pytest.approx(84 * TICKS_S)


def test_a_workers_socket_is_found_below_its_server_only(proc: Path) -> None:
    assert worker_socket(10, "stt", proc) == "/s/stt-0"
    assert worker_socket(10, "tts", proc) is None


def test_the_machines_time_is_that_of_everybody_but_the_idle(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  10 1 5 900 50 2 3 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")

    assert machine_cpu_s(tmp_path) == pytest.approx(25 * TICKS_S)


def test_a_process_that_has_gone_uses_nothing(proc: Path) -> None:
    assert pss_mb([777], proc) == 0
    assert cpu_s([777], proc) == 0
    assert arguments(777, proc) == []
    assert pss_by_name([777], proc) == {}
