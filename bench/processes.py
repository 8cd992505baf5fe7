"""What a server and all its children use of the machine, as Linux counts it."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS_S = 1 / os.sysconf("SC_CLK_TCK")


def family(roots: Iterable[int], proc: Path = PROC) -> list[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents(proc):
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def pss_mb(pids: Iterable[int], proc: Path = PROC) -> float:
    """The memory that they hold together, in MB; what several share is counted once."""
    return sum(_pss_kb(proc / str(pid)) for pid in pids) / 1024


def pss_by_name(pids: Iterable[int], proc: Path = PROC) -> dict[str, float]:
    """The same for each name that processes have, in MB, the largest first."""
    held: dict[str, float] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            name = (proc / str(pid) / "comm").read_text().strip()
            held[name] = held.get(name, 0.0) + pss_mb([pid], proc)
    return dict(sorted(held.items(), key=lambda item: -item[1]))


def cpu_s(pids: Iterable[int], proc: Path = PROC) -> float:
    """The processor time that they have taken since they began, in s."""
    return sum(_ticks(proc / str(pid)) for pid in pids) * TICKS_S


def machine_cpu_s(proc: Path = PROC) -> float:
    """The processor time that anybody has taken since the machine began, in s."""
    fields = [int(field) for field in (proc / "stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) * TICKS_S


def arguments(pid: int, proc: Path = PROC) -> list[str]:
    """The words that a process was started with; none if it is gone."""
    try:
        return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def worker_socket(root: int, worker: str, proc: Path = PROC) -> str | None:
    """Where the model worker of this name listens, below the server whose process is `root`.

    Its command line is `python -m actors.workers NAME SOCKET`.
    """
    for pid in family([root], proc):
        words = arguments(pid, proc)
        if words[1:4] == ["-m", "actors.workers", worker] and len(words) == 5:
            return words[4]
    return None


def _parents(proc: Path) -> Iterator[tuple[int, int]]:
    for folder in proc.iterdir():
        if folder.name.isdigit() and (fields := _stat(folder)):
            yield int(folder.name), int(fields[1])


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on (proc(5)); none if the process is gone."""
    try:
        text = (folder / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before may hold anything


def _ticks(folder: Path) -> int:
    fields = _stat(folder)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _pss_kb(folder: Path) -> int:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
