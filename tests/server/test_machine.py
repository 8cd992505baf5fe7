import os
import time
from pathlib import Path

from server.machine import available_bytes, gpus, machine, machine_bytes


def test_the_machine_tells_what_it_has() -> None:
    found = machine()
    assert found.cores == os.cpu_count()
    assert 0 < found.available_bytes < found.memory_bytes
    assert found.cpu


def test_a_container_has_what_it_may_use(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("4000000\n")
    (tmp_path / "memory.current").write_text("3000000\n")
    (tmp_path / "memory.stat").write_text("anon 1000000\ninactive_file 500000\nactive_file 2\n")
    assert machine_bytes(tmp_path) == 4_000_000
    assert available_bytes(tmp_path) == 1_500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(tmp_path) == available_bytes(tmp_path / "none") > 4_000_000


def test_work_shows() -> None:
    before = machine().busy_s
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert machine().busy_s >= before + 0.2  # it counts in hundredths


def test_gpus_are_told_by_their_names(tmp_path: Path) -> None:
    for place, name in (("0000:41:00.0", "NVIDIA L4"), ("0000:01:00.0", "NVIDIA H200")):
        (tmp_path / place).mkdir()
        text = f"Model: \t\t {name}\nIRQ:   \t\t 120\nBus Location: \t {place}\n"
        (tmp_path / place / "information").write_text(text)
    assert list(gpus(tmp_path)) == ["NVIDIA H200", "NVIDIA L4"]
    assert list(gpus(tmp_path / "none")) == []
