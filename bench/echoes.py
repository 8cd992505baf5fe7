"""What a connection costs a server that sends each caller's speech back: CPU time of its process.

Ours (`bench.echo`) and a bare aiortc (`bench.peers.echo`) take turns, each with fresh callers of
the same program (`bench.peers.rtc_callers`), who speak all the time. Where there are two cores or
more, servers have one for themselves, and callers another.
"""

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench.processes import arguments, cpu_s, family
from bench.report import Row, Side, compare, interleaved, mean, median
from bench.servers import HOME, OURS_PYTHON, PEER_PYTHON, Server, answers, free_port, running

SETTLE_S = 3.0
"""For what is made once for a caller."""

PACKETS_S = 50.0
"""That come back to each caller."""

CONNECT_S = 60.0
PAUSE_S = 8.0
"""Behind what callers say to a whole server: it answers."""

PROGRAMS: dict[Side, tuple[Path, str]] = {
    "ours": (OURS_PYTHON, "bench.echo"),
    "peer": (PEER_PYTHON, "bench.peers.echo"),
}


class CallersFailed(Exception):
    """They were not all connected, or not all heard back."""


@contextlib.contextmanager
def callers(url: str, number: int, pause_s: float = 0.0, key: str = "") -> Iterator[list[float]]:
    """So many are connected while the block lasts; then the list has how many packets of speech
    came to each in a second. Raises `CallersFailed`.
    """
    came: list[float] = []
    command = [PEER_PYTHON, "-m", "bench.peers.rtc_callers", url, str(number), str(pause_s), key]
    cores = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]}),
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "connected\n":
            raise CallersFailed(f"not all of {number} callers reached {url}")
        yield came
        told, _ = process.communicate(timeout=30)
        came.append(float(told))
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def echo(side: Side, *options: str) -> Iterator[Server]:
    """A server that sends speech back, on a core of its own."""
    python, module = PROGRAMS[side]
    port = free_port()
    core = min(os.sched_getaffinity(0))
    ready = partial(answers, f"http://127.0.0.1:{port}/healthz")
    with running([python, "-m", module, str(port), *options], ready, core=core) as pid:
        yield Server(port, (pid,))


def used(server: Server, number: int, seconds: float) -> tuple[float, float]:
    """CPU seconds per second and connection, and packets a second that came to each caller."""
    with callers(f"http://127.0.0.1:{server.port}/offer", number) as came:
        time.sleep(SETTLE_S)
        share = share_of(server.roots, seconds)
    return share / number, came[0]


def share_of(pids: Sequence[int], seconds: float) -> float:
    """CPU seconds that processes take in a second."""
    before, began = cpu_s(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pids) - before) / (time.monotonic() - began)


def rows(repeats: int, number: int, seconds: float) -> list[Row]:
    """The row that has a goal, and whether speech came back."""
    shares: dict[Side, list[float]] = {"ours": [], "peer": []}
    packets: dict[Side, list[float]] = {"ours": [], "peer": []}
    for side in interleaved(repeats, seed=1):
        with echo(side) as server:
            share, came = used(server, number, seconds)
        shares[side].append(share)
        packets[side].append(came)
        told = f"{100 * share:.2f} % of a core for each of {number}, {came:.1f} packets/s came back"
        print(f"{side}: {told}", file=sys.stderr, flush=True)
    return [
        compare("webrtc_cpu_per_connection", shares, median, "s/s"),
        compare("webrtc_packets_back", packets, mean, "1/s"),
    ]


def parts(number: int, seconds: float) -> list[str]:
    """What our parts take, in a run of its own: to count them costs some, too."""
    with echo("ours", "--parts") as server:
        url = f"http://127.0.0.1:{server.port}"
        with callers(f"{url}/offer", number):
            time.sleep(SETTLE_S)
            before = spent(url)
            time.sleep(seconds)
            after = spent(url)
    took: dict[str, float] = defaultdict(float)
    for part, total_s in after.items():
        took[part] = (total_s - before.get(part, 0.0)) / seconds / number
    all_s = took.pop("all")
    lines = [f"  {100 * s:.2f} %  {part}" for part, s in sorted(took.items(), key=lambda i: -i[1])]
    rest = all_s - sum(took.values())
    head = f"our {100 * all_s:.2f} % of a core by part, in a run in which they were counted:"
    return [head, *lines, f"  {100 * rest:.2f} %  the event loop, its sockets, and all others"]


def spent(url: str) -> dict[str, float]:
    """CPU seconds by part since the server began."""
    with urllib.request.urlopen(f"{url}/parts", timeout=10) as answer:
        return msgspec.json.decode(answer.read(), type=dict[str, float])


def gateway_row(server: Server, number: int, seconds: float) -> Row:
    """What the gateway of a whole server takes for each caller who asks now and then."""
    url = f"http://127.0.0.1:{server.port}/v1/realtime/calls?model=gpt-realtime"
    gateways = [p for p in family(server.roots) if "server.gateway" in arguments(p)]
    if not gateways:
        raise CallersFailed("the server has no process called server.gateway")
    idle = share_of(gateways, SETTLE_S)
    with callers(url, number, PAUSE_S, server.key):
        time.sleep(SETTLE_S)
        share = (share_of(gateways, seconds) - idle) / number
    return Row("webrtc_gateway_cpu_per_caller", share, None, None, None, None, "s/s")
