"""The machine that this runs on: what it has, and how busy it is."""

import contextlib
import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

GPUS = Path("/proc/driver/nvidia/gpus")
"""NVIDIA's driver tells here which it found, also in a container that may use them."""

CGROUP = Path("/sys/fs/cgroup")
"""Version 2, which tells of the container that we are in, if it is one."""

NOT_BUSY = (3, 4, 8, 9)
"""Of the columns of /proc/stat: idle, waiting for a disk, and guests' time, which users' has."""


class Machine(msgspec.Struct, frozen=True):
    """What a machine has. `busy_s` is the time that all cores have worked, together, since it was
    started; memory is that which this container may use, if it is one. What cannot be read is 0.
    """

    cpu: str
    cores: int
    busy_s: float
    memory_bytes: int
    available_bytes: int
    gpus: tuple[str, ...] = ()


def machine() -> Machine:
    """This one, now."""
    cpu, cores, found = _what_stays()
    return Machine(cpu, cores, busy_s(), machine_bytes(), available_bytes(), found)


@cache
def _what_stays() -> tuple[str, int, tuple[str, ...]]:
    return cpu_model(), os.cpu_count() or 1, tuple(gpus())


def machine_bytes(cgroup: Path = CGROUP) -> int:
    """The memory that this machine has, or that the container which we are in may use."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # no cgroup, or "max"
        return min(whole, int((cgroup / "memory.max").read_text(encoding="ascii")))
    return whole


def available_bytes(cgroup: Path = CGROUP) -> int:
    """What of it can be had without swapping; 0 where that cannot be read."""
    available = 0
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError):
        most = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        available = min(available, max(0, most - used + _spare(cgroup)))
    return available


def _spare(cgroup: Path) -> int:
    """Bytes of files that the container's memory holds and would give up."""
    for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines():
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0


def cpu_model() -> str:
    """What the processor is called."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def busy_s() -> float:
    """How long the cores have worked, together."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with Path("/proc/stat").open(encoding="ascii") as lines:
            told = lines.readline().split()[1:]
        ticks = sum(int(one) for place, one in enumerate(told) if place not in NOT_BUSY)
        return ticks / os.sysconf("SC_CLK_TCK")
    return 0.0


def gpus(found: Path = GPUS) -> Iterator[str]:
    """What the GPUs are called."""
    for told in sorted(found.glob("*/information")):
        with contextlib.suppress(OSError):
            for line in told.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition(":")
                if name == "Model":
                    yield value.strip()
