"""How the cost of a session grows with gateways: `python -m bench.scale`.

The row `scaling_efficiency` is (sessions held by n gateways on n cores) / (n times those held by
one gateway on one core). It is not found by filling n cores: on a machine with two, none would be
left for the callers. It follows from what sessions cost, since a core holds what its time pays for,
and all is held until the busiest gateway is full: the processor time of one gateway with so many
sessions, over that of the busiest of n gateways with n times as many. So both what gateways cost
each other and how unevenly callers come to them count. Callers come while the gateways may run on
all cores. Then each is pinned to one that the callers leave; where those are too few (of two: one)
gateways share them, at a load that is held there, and what is missed is only what separate cores
share, such as memory bandwidth. A load is held as in `bench.pipeline`: frames at most 20 ms late
(p99), no answer lost.

Gateways are what `voiceforge serve` runs, with scripted models (`bench.scripted_server`);
connections are handed to them in turn. The supervisor is not among them: it only hands connections
over and counts sessions.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench.load import SETTLE_S
from bench.pipeline import LATE_MS, Loaded, pinned
from bench.processes import cpu_s, family
from bench.report import Row, finish, median, ratio_interval
from bench.servers import OURS_PYTHON, free_port, running

GATEWAYS = (1, 2, 3)
WINDOW_S = 15.0
MARGIN_S = 2.0


class Trial(msgspec.Struct, frozen=True):
    """One run of so many gateways with `each` times as many sessions.

    `took_ms` is each gateway's processor time in a second, the busiest one's first.
    """

    gateways: int
    each: int
    took_ms: tuple[float, ...]
    held: bool
    late_p99_ms: float

    @property
    def busiest_ms(self) -> float:
        """Of a second, for each session that it should have."""
        return self.took_ms[0] / self.each

    @property
    def cost_ms(self) -> float:
        """Of a second, for a session."""
        return sum(self.took_ms) / self.gateways / self.each


def cores() -> tuple[list[int], int]:
    """Those of the gateways, and that of the callers; one alone is for both."""
    *others, last = sorted(os.sched_getaffinity(0))
    return others or [last], last


def trial(gateways: int, each: int) -> Trial:
    """What `each` times so many sessions cost."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(OURS_PYTHON), "-m", "bench.scripted_server", str(port), folder]
        command.append(str(gateways))
        with running(command, lambda: len(list(Path(folder).iterdir())) == gateways) as pid:
            return _loaded(family([pid])[1:], port, gateways, each)


def _loaded(pids: Sequence[int], port: int, gateways: int, each: int) -> Trial:
    command = [str(OURS_PYTHON), "-m", "bench.load", "ours", str(port), str(gateways * each)]
    callers = pinned([*command, str(WINDOW_S + MARGIN_S)], {cores()[1]})
    took = _taken(pids, callers)
    told, _ = callers.communicate()
    loaded = msgspec.json.decode(told.splitlines()[-1], type=Loaded)
    late = loaded.late_p99_ms if loaded.late_p99_ms is not None else float("inf")
    held = late <= LATE_MS and not loaded.lost and not loaded.closed
    took_ms = tuple(sorted((part / WINDOW_S * 1000 for part in took), reverse=True))
    return Trial(gateways, each, took_ms, held, late)


def _taken(pids: Sequence[int], callers: "subprocess.Popen[bytes]") -> list[float]:
    """The processor time of each gateway in the window, in s."""
    assert callers.stdout is not None
    if callers.stdout.readline() != b"connected\n":
        raise RuntimeError("the callers ended before they were connected")
    for_gateways, _ = cores()
    for number, pid in enumerate(pids):
        pin(pid, for_gateways[number % len(for_gateways)])
    time.sleep(SETTLE_S)
    before = [cpu_s([pid]) for pid in pids]
    time.sleep(WINDOW_S)
    return [cpu_s([pid]) - was for pid, was in zip(pids, before, strict=True)]


def pin(pid: int, core: int) -> None:
    """Keep all threads of a process on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def select(trials: Sequence[Trial], gateways: int, each: int) -> list[Trial]:
    return [one for one in trials if (one.gateways, one.each) == (gateways, each)]


def efficiency(name: str, trials: Sequence[Trial], gateways: int, each: int) -> Row:
    """The row of so many gateways against one, at this load of each."""
    one = [trial.busiest_ms for trial in select(trials, 1, each)]
    several = [trial.busiest_ms for trial in select(trials, gateways, each)]
    if not one or not several:
        return Row(name, None, None, None, None, None, "x")
    low, high = ratio_interval(one, several, median) or (None, None)
    value = median(np.asarray(one)) / median(np.asarray(several))
    return Row(name, value, None, None, low, high, "x")


def rows(trials: Sequence[Trial], loads: Sequence[int]) -> list[Row]:
    """The efficiency of the most gateways at the largest load, then everything."""
    most, heaviest = max(GATEWAYS), max(loads)
    made = [efficiency("scaling_efficiency", trials, most, heaviest)]
    for each in loads:
        for gateways in GATEWAYS:
            if gateways > 1:
                name = f"scaling_efficiency_{gateways}x{each}"
                made.append(efficiency(name, trials, gateways, each))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", default="20,45", help="sessions of each gateway")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    loads = [int(load) for load in args.loads.split(",")]
    draw = random.Random(args.seed)
    trials: list[Trial] = []
    for _ in range(args.repeats):
        plan = [(gateways, each) for gateways in GATEWAYS for each in loads]
        for gateways, each in draw.sample(plan, len(plan)):
            trials.append(trial(gateways, each))
            print(trials[-1], file=sys.stderr, flush=True)
    finish("bench.scale", rows(trials, loads), notes(trials))


def notes(trials: Sequence[Trial]) -> list[str]:
    """Where it ran, and what was not held."""
    for_gateways, for_callers = cores()
    said = [f"gateways on cores {for_gateways}, callers on core {for_callers}"]
    for each, gateways in sorted({(one.each, one.gateways) for one in trials}):
        some = select(trials, gateways, each)
        cost = median(np.asarray([one.cost_ms for one in some]))
        spread = " / ".join(f"{part:.0f}" for part in some[-1].took_ms)
        said.append(
            f"{gateways} x {each} sessions: {cost:.2f} ms of CPU for a session and second; "
            f"{spread} ms a gateway in the last run"
        )
    said += [f"NOT HELD: {one}" for one in trials if not one.held]
    return said


if __name__ == "__main__":
    main()
