"""What a core can carry, and what a session weighs: `python -m bench.pipeline`.

`sessions_per_core`: 8 pass-through actors of which 3 wait, 50 frames a second each way.
`socket_sessions_per_core`: real sessions over real WebSockets, with scripted models.
`session_mb`: what such a session adds to its server's memory after 10 s of speech and more.

The measured process is pinned to one core, whoever feeds it to the others. A load is passed when
the 99th percentile of how late frames are stays within 20 ms, over sockets also if no answer is
lost. `--repeats 5` searches so often for each side, in turns; `--only sessions_per_core` runs one
row.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from bench.report import Repeats, Row, Side, compare, finish, interleaved, median
from bench.search import largest
from bench.servers import HOME, OURS_PYTHON, PEER_PYTHON, answers, free_port, running

LATE_MS = 20.0
RELAY_S = 6.0
SOCKET_S = 20.0
WEIGHED: dict[Side, tuple[int, int]] = {"ours": (20, 80), "peer": (2, 4)}
"""How many callers there are first, and how many join them: well within what each side holds."""

SPEECH_S = 10.0
CYCLE_SPEECH = 0.25  # of a caller's time, at least: the rest is faint noise and the answer
START = {"ours": 200, "peer": 20}
AGAIN_GROWTH = 1.2  # a later search begins where the last one ended
OWN_LATE_MS = 5.0
PYTHON: dict[Side, Path] = {"ours": OURS_PYTHON, "peer": PEER_PYTHON}
RELAY: dict[Side, str] = {"ours": "bench.relay", "peer": "bench.peers.relay"}
SERVER: dict[Side, str] = {"ours": "bench.scripted_server", "peer": "bench.peers.scripted"}


class Relayed(msgspec.Struct, frozen=True):
    """What a relay process tells; `p99_ms` is None if it fell hopelessly behind."""

    sessions: int
    p50_ms: float | None
    p99_ms: float | None
    cpu: float


class Loaded(msgspec.Struct, frozen=True):
    """What `bench.load` tells."""

    sessions: int
    late_p99_ms: float | None
    frames: int
    asked: int
    lost: int
    closed: int
    own_late_p99_ms: float | None


class Cores(msgspec.Struct, frozen=True):
    """Where things run: the measured process on one core, the callers on the others."""

    measured: int
    callers: frozenset[int]


def split() -> Cores:
    """The first usable core is measured. With a single core everything shares it."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores(first, frozenset(others or [first]))


def pinned(command: list[str], cores: set[int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=HOME,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )


def relays(side: Side, sessions: int, cores: Cores) -> bool:
    """Whether a process can relay for so many sessions; one that fails outright cannot."""
    command = [str(PYTHON[side]), "-m", RELAY[side], str(sessions), str(RELAY_S)]
    told, _ = pinned(command, {cores.measured}).communicate()
    lines = told.splitlines()
    relayed = msgspec.json.decode(lines[-1], type=Relayed) if lines else None
    say(f"{side} {sessions} sessions: {relayed}")
    return relayed is not None and relayed.p99_ms is not None and relayed.p99_ms <= LATE_MS


class Sockets:
    """A scripted server of one side and the callers that load it; a fresh server for each load."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self.own_late_ms = 0.0

    def holds(self, side: Side, sessions: int) -> bool:
        """Whether a server can hold so many sessions."""
        port = free_port()
        command = [str(PYTHON[side]), "-m", SERVER[side], str(port)]
        with running(command, ready(port), core=self.cores.measured):
            told, _ = self.callers(side, port, sessions, SOCKET_S).communicate()
        lines = told.splitlines()
        loaded = msgspec.json.decode(lines[-1], type=Loaded) if len(lines) == 2 else None
        say(f"{side} {sessions} callers: {loaded}")
        if loaded is None or loaded.late_p99_ms is None:
            return False
        passed = loaded.late_p99_ms <= LATE_MS and not loaded.lost and not loaded.closed
        if passed:
            self.own_late_ms = max(self.own_late_ms, loaded.own_late_p99_ms or 0.0)
        return passed

    def session_mb(self, side: Side) -> float:
        """What one session more adds to a server's memory, in MB, once it has been spoken to.

        The difference that more callers make while the first go on: what the first session of a
        process allocates for all, and what the allocator keeps of those that left, does not count.
        """
        port = free_port()
        talk_s = SPEECH_S / CYCLE_SPEECH
        few, more = WEIGHED[side]
        command = [str(PYTHON[side]), "-m", SERVER[side], str(port)]
        with running(command, ready(port), core=self.cores.measured) as pid:
            first = self.callers(side, port, few, 3 * talk_s)
            weights = [self.weighed(first, talk_s, pid)]
            second = self.callers(side, port, more, talk_s)
            weights.append(self.weighed(second, talk_s, pid))
            for callers in (second, first):
                told, _ = callers.communicate()
                loaded = msgspec.json.decode(told.splitlines()[-1], type=Loaded)
                if loaded.closed or not loaded.asked:
                    raise RuntimeError(f"{side}: callers were lost while memory was read: {loaded}")
        say(f"{side} memory: {few} sessions {weights[0]:.1f} MB, {few + more} {weights[1]:.1f} MB")
        return (weights[1] - weights[0]) / more

    def weighed(self, callers: "subprocess.Popen[bytes]", talk_s: float, pid: int) -> float:
        """What the server holds when these callers have talked for so long, in MB."""
        assert callers.stdout is not None
        if callers.stdout.readline() != b"connected\n":
            raise RuntimeError("the callers ended before they were connected")
        time.sleep(talk_s)
        return private_mb(pid)

    def callers(
        self, side: Side, port: int, sessions: int, seconds: float
    ) -> "subprocess.Popen[bytes]":
        command = [str(OURS_PYTHON), "-m", "bench.load", side]
        return pinned([*command, str(port), str(sessions), str(seconds)], set(self.cores.callers))


def ready(port: int) -> Callable[[], bool]:
    return partial(answers, f"http://127.0.0.1:{port}/healthz")


def private_mb(pid: int) -> float:
    """The memory that a process alone holds (not what it maps from files), in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return (sizes["Private_Dirty"] + sizes["Private_Clean"]) / 1024


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def searched(passes: Callable[[Side, int], bool], repeats: int, seed: int) -> dict[Side, Repeats]:
    """How much each side holds, searched for in turns; a later search starts at the last result."""
    found: dict[Side, list[float]] = {"ours": [], "peer": []}
    for side in interleaved(repeats, seed):
        earlier = found[side]
        start = int(earlier[-1]) if earlier else START[side]
        growth = AGAIN_GROWTH if earlier else 1.5
        most = largest(partial(passes, side), max(1, start), growth)
        earlier.append(float(most))
        say(f"{side} holds {most}")
    return {"ours": found["ours"], "peer": found["peer"]}


def main() -> None:
    names = ("sessions_per_core", "session_mb", "socket_sessions_per_core")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="searches for each side")
    parser.add_argument("--only", type=lambda rows: rows.split(","), default=list(names))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if unknown := set(args.only) - set(names):
        parser.error(f"--only takes {', '.join(names)}, not {', '.join(sorted(unknown))}")
    cores = split()
    sockets = Sockets(cores)
    rows: list[Row] = []
    notes = [f"measured on core {cores.measured}, callers on {sorted(cores.callers)}"]
    if "sessions_per_core" in args.only:
        held = searched(lambda side, load: relays(side, load, cores), args.repeats, args.seed)
        rows.append(compare("sessions_per_core", held, median, "sessions"))
    if "session_mb" in args.only:
        memory: dict[Side, list[float]] = {"ours": [], "peer": []}
        for side in interleaved(args.repeats, args.seed):
            memory[side].append(sockets.session_mb(side))
        rows.append(compare("session_mb", memory, median, "MB"))
    if "socket_sessions_per_core" in args.only:
        held = searched(sockets.holds, args.repeats, args.seed)
        rows.append(compare("socket_sessions_per_core", held, median, "sessions"))
        if sockets.own_late_ms > OWN_LATE_MS:
            notes.append(
                f"the callers themselves were up to {sockets.own_late_ms:.0f} ms late (p99): "
                "the socket row may be their limit, not the server's"
            )
    finish("bench.pipeline", rows, notes)


if __name__ == "__main__":
    main()
