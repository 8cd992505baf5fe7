"""Several callers at once: `bench.callers` with more than one count, scripted LLM, or admission.

Each count is a round for each side, in an order drawn by the seed, on a server that was started for
it: its memory is that of these callers. All callers join before anybody speaks.
"""

import argparse
import contextlib
import os
import random
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import uvloop

from bench import servers
from bench.hall import Hall, Round
from bench.mixture import Said, p95_ms, scripts, waits_ms
from bench.report import (
    Repeats,
    Row,
    Side,
    compare,
    finish,
    median,
    percentile,
    ratio_interval,
    total,
)
from bench.servers import Llm, Server
from bench.sound import load_turns
from server.learning import GUESS_PER_CORE

COMFORTABLE = 1.5
"""How much longer than with four callers an answer may take at p95 before a machine is full."""

FEW = 4  # the number of callers that more are compared with
ROUND_S = 100.0  # of knocking at the door
LEARNING_ROUNDS = 3
SIDES: tuple[Side, ...] = ("ours", "peer")
OFF = {"VOICEFORGE_LIMITS__ADMISSION": "off"}


def turns_each(callers: int, turns: int | None) -> int:
    """How many turns each caller says, of `turns` in all; by default 4 to 10, about 64 in all."""
    return -(-turns // callers) if turns else min(10, max(4, 64 // callers))


class Crowd:
    """A run: what the rounds were, and the rows that come of them."""

    def __init__(self, args: argparse.Namespace, llm: Llm | None) -> None:
        self.args = args
        self.llm = llm
        self.turns = load_turns(args.turns_folder)
        self.draw = random.Random(args.seed)
        self.rounds: list[Round] = []

    def meet(self, callers: int) -> dict[Side, Round]:
        """A round of so many callers with each side."""
        sides: list[Side] = list(self.args.sides)
        self.draw.shuffle(sides)
        return {side: self._round(side, callers) for side in sides}

    def _round(self, side: Side, callers: int) -> Round:
        with self._server(side) as server:
            return self.hold(side, server, callers)

    def hold(self, side: Side, server: Server, callers: int) -> Round:
        """A round of so many callers, all of whom are let in."""
        plans = self._plans(callers)
        hall = Hall(side, server, self.turns, self.args.turns_folder)
        return self._over(uvloop.run(hall.hold(plans, self.args.seed + callers)))

    def besiege(self, server: Server, callers: int) -> Round:
        """A round of so many callers, as many of whom are let in as the door allows."""
        hall = Hall("ours", server, self.turns, self.args.turns_folder)
        return self._over(uvloop.run(hall.besiege(self._plans(callers), ROUND_S)))

    def _plans(self, callers: int) -> list[list[Said]]:
        each = turns_each(callers, self.args.turns)
        return scripts(self.turns, callers, each, self.args.seed + callers)

    def _over(self, done: Round) -> Round:
        print(done.summary(), file=sys.stderr, flush=True)
        self.rounds.append(done)
        return done

    @contextlib.contextmanager
    def _server(self, side: Side) -> Iterator[Server]:
        ours = side == "ours"
        start = servers.ours(self.llm, OFF) if ours else servers.peer(self.llm, models_each=True)
        with start as server:
            yield server

    def notes(self) -> list[str]:
        """What the callers themselves took, which they took from the servers."""
        own = max(done.own_cpu for done in self.rounds)
        late = max(done.own_late_ms for done in self.rounds)
        others = max(done.other_cpu for done in self.rounds)
        shares = [
            f"{done.side}, {done.admitted} callers: "
            + ", ".join(f"{name} {held:.0f}" for name, held in done.memory.items())
            for done in self.rounds
        ]
        return [
            "memory in MB: " + "; ".join(shares),
            f"the callers took at most {own:.2f} of {len(os.sched_getaffinity(0))} cores, and were "
            f"{late:.0f} ms late at most (p99); others took at most {others:.2f}",
        ]


def count_rows(callers: int, met: dict[Side, Round], *, scripted: bool) -> list[Row]:
    """The rows of one count."""
    waits: dict[Side, Repeats] = {side: waits_ms(done.told) for side, done in met.items()}
    lost: dict[Side, Repeats] = {s: [float(t.lost) for t in d.told] for s, d in met.items()}
    bad: dict[Side, Repeats] = {s: [float(t.bad) for t in d.told] for s, d in met.items()}
    p95 = compare(f"response_p95_{callers}_ms", waits, percentile(95), "ms")
    if scripted:
        return [p95, compare(f"turns_lost_{callers}", lost, total, "turns")]
    return [
        compare(f"response_p50_{callers}_ms", waits, median, "ms"),
        p95,
        compare(f"turns_bad_{callers}", bad, total, "turns"),
        memory_row(callers, met),
    ]


def memory_row(callers: int, met: dict[Side, Round]) -> Row:
    """Measured once, so without bounds."""
    a, b = (met[side].memory_mb if side in met else None for side in SIDES)
    ratio = a / b if a is not None and b else None
    return Row(f"memory_{callers}_mb", a, b, ratio, None, None, "MB")


def capacity_note(p95s: dict[int, float | None]) -> str:
    """The largest count that is comfortable, with all smaller ones, against `FEW` callers."""
    base = p95s.get(FEW)
    if base is None:
        return f"no round with {FEW} callers to compare with"
    held = FEW
    for callers, p95 in sorted(p95s.items()):
        if callers > FEW:
            if p95 is None or p95 > COMFORTABLE * base:
                break
            held = callers
    return f"{held} callers held: p95 within {COMFORTABLE} times that of {FEW} callers"


def meetings(crowd: Crowd) -> tuple[list[Row], list[str]]:
    """A round for each count and side."""
    scripted = crowd.llm is not None
    rows: list[Row] = []
    p95s: dict[int, float | None] = {}
    for callers in crowd.args.callers:
        met = crowd.meet(callers)
        rows += count_rows(callers, met, scripted=scripted)
        if "ours" in met:
            p95s[callers] = p95_ms(met["ours"].told)
    return rows, [capacity_note(p95s)] if FEW in p95s else []


def siege(crowd: Crowd) -> tuple[list[Row], list[str]]:
    """Twice as many callers as are let in, after rounds in which the server learns what it holds.

    Starts with twice its guess, and goes on with twice what it admitted, but at least eight.
    """
    where = "embedded" if crowd.llm is None else "elsewhere"
    with servers.ours(crowd.llm) as server:
        few = crowd.hold("ours", server, FEW)
        knock = 2 * GUESS_PER_CORE[where] * (os.cpu_count() or 1)
        for _ in range(LEARNING_ROUNDS):
            knock = 2 * max(FEW, crowd.besiege(server, knock).admitted)
        done = crowd.besiege(server, knock)
    admitted, all_p95, few_p95 = done.admitted, waits_ms(done.told), waits_ms(few.told)
    rows = [
        Row(f"admitted_{knock}", float(admitted), None, None, None, None, "callers"),
        Row("refused", float(knock - admitted), None, None, None, None, "callers"),
    ]
    if all_p95 and few_p95:
        p95 = percentile(95)
        ratio = p95(np.asarray(all_p95)) / p95(np.asarray(few_p95))
        low, high = ratio_interval(all_p95, few_p95, p95) or (None, None)
        rows.append(Row("admitted_p95_ratio", ratio, None, None, low, high, "x"))
    return rows, [refusals_note(crowd.rounds)]


def refusals_note(rounds: Sequence[Round]) -> str:
    """How often the door said no, and whether it said so as it should."""
    refusals = [one for done in rounds for one in done.refusals]
    wrong = [one for one in refusals if not one.clear]
    let_in = ", ".join(f"{done.admitted} of {done.knocked}" for done in rounds)
    how = "each with 503, Retry-After and no_capacity"
    if wrong:
        how = f"{len(wrong)} WRONG, such as {wrong[0]} {wrong[0].body[:200]!r}"
    return f"let in: {let_in}; {len(refusals)} refusals, {how}"


def run(args: argparse.Namespace) -> None:
    """The whole program."""
    with contextlib.ExitStack() as stack:
        llm = stack.enter_context(servers.answerer()) if args.llm == "scripted" else None
        crowd = Crowd(args, llm)
        rows, notes = siege(crowd) if args.admission else meetings(crowd)
    finish("bench.callers", rows, [*crowd.notes(), *notes])
