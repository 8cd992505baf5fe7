"""A live caller beside files that are transcribed: `python -m bench.fairness`.

One caller talks to our server; every other block of turns goes on while eight recordings of ten
minutes are transcribed by the same model, with the lowest priority (`bench.recordings`). The row is
the ratio of the 95th percentiles of the response, under load and without; idle and loaded blocks
take turns. Everything is ours: the column "idle" is the same server without load.
"""

import argparse
import contextlib
import random
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import numpy as np
import uvloop

from bench import servers
from bench.crowd import OFF
from bench.hall import Hall, Round
from bench.mixture import Said, scripts, waits_ms
from bench.processes import worker_socket
from bench.report import Repeats, Row, Side, compare, finish, median, percentile, total
from bench.servers import HOME, OURS_PYTHON, Server
from bench.sound import TURNS, load_turns

BLOCK_TURNS = 8
COLUMNS: dict[Side, bool] = {"ours": True, "peer": False}
"""Of the table: whether there is load."""


class Load(msgspec.Struct, frozen=True):
    """What `bench.recordings` tells: how many times as fast as they play they were transcribed."""

    speed: float
    words: int
    pieces: int
    piece_s: float
    cost_p95_ms: float
    cost_max_ms: float


class Loads:
    """The recordings, while a block lasts."""

    def __init__(self, server: Server) -> None:
        found = worker_socket(server.roots[0], "stt")
        if found is None:
            raise RuntimeError("the server has no worker called stt")
        self.socket = found
        self.told: list[Load] = []

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Transcribe as long as the block lasts."""
        command = [str(OURS_PYTHON), "-m", "bench.recordings", self.socket]
        process = subprocess.Popen(
            command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "begun\n":
                raise RuntimeError("the recordings cannot be transcribed")
            yield
            out, _ = process.communicate("stop\n", timeout=30)
            self.told.append(msgspec.json.decode(out, type=Load))
        finally:
            process.kill()
            process.wait()


def blocks(number: int, turns: int, seed: int) -> list[tuple[bool, list[Said]]]:
    """Pairs of blocks with the same turns, one of each under load, which first is drawn."""
    draw = random.Random(seed)
    made: list[tuple[bool, list[Said]]] = []
    for pair in range(number):
        (script,) = scripts(load_turns(), 1, turns, seed + pair)
        script = [msgspec.structs.replace(said, into=False, mhm=None) for said in script]
        made += [(loaded, script) for loaded in draw.sample((False, True), 2)]
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4, help="blocks with load, and without")
    parser.add_argument("--turns", type=int, default=BLOCK_TURNS, help="turns of a block")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rounds: dict[bool, list[Round]] = {False: [], True: []}
    with servers.ours(None, OFF) as server:
        loads = Loads(server)
        plan = blocks(args.pairs, args.turns, args.seed)
        for number, (loaded, script) in enumerate(plan, 1):
            hall = Hall("ours", server, load_turns(), TURNS)
            with loads.on() if loaded else contextlib.nullcontext():
                done = uvloop.run(hall.hold([script], args.seed))
            rounds[loaded].append(done)
            name = "loaded" if loaded else "idle"
            print(f"[{number}/{len(plan)}] {name}: {done.summary()}", file=sys.stderr, flush=True)
    finish("bench.fairness", rows(rounds), notes(loads.told), peer="idle")


def rows(rounds: dict[bool, list[Round]]) -> list[Row]:
    """The row that has a goal, and what it is made of."""
    told = {loaded: [one for done in some for one in done.told] for loaded, some in rounds.items()}
    waits: dict[Side, Repeats] = {side: waits_ms(told[on]) for side, on in COLUMNS.items()}
    bad: dict[Side, Repeats] = {
        side: [float(one.bad) for one in told[on]] for side, on in COLUMNS.items()
    }
    p95 = compare("response_p95_ms", waits, percentile(95), "ms")
    p50 = compare("response_p50_ms", waits, median, "ms")
    under = Row("live_p95_under_load", p95.ratio, None, None, p95.low, p95.high, "x")
    return [under, p95, p50, compare("turns_bad", bad, total, "turns")]


def notes(told: list[Load]) -> list[str]:
    """What the load was."""
    speed = np.mean([one.speed for one in told])
    piece_s = np.mean([one.piece_s for one in told])
    return [
        f"the recordings were transcribed {speed:.1f} times as fast as they play, in "
        f"{sum(one.pieces for one in told)} pieces, at last of {piece_s:.1f} s; one cost "
        f"{max(one.cost_p95_ms for one in told):.0f} ms of compute at p95, "
        f"{max(one.cost_max_ms for one in told):.0f} at most"
    ]


if __name__ == "__main__":
    main()
