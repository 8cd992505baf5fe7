"""What every program here ends with: ours against the peer, as a table and one JSON line.

A ratio's interval is the percentile bootstrap (B. Efron, "Bootstrap methods: another look at the
jackknife", 1979; percentile form in Efron and Tibshirani 1993, chapter 13): resample each side's
repeats with replacement, 4,000 times, and take the 2.5th and 97.5th percentile of the ratio. The
sides are resampled apart, which makes the interval wider, never narrower, than pairing would.
"""

import json
import os
import platform
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4_000
Statistic = Callable[[NDArray[np.float64]], float]
Side = Literal["ours", "peer"]
Repeats = Sequence[float] | Sequence[tuple[float, float]]
"""One side's measurements, one a repeat; pairs where a rate is made of a count and its base."""


class Row(msgspec.Struct, frozen=True):
    """One measured thing. `ratio` is ours/peer; `low` and `high` bound it at 95 %.

    `peer` and what follows from it are None where only ours exists or the peer's value is 0.
    """

    name: str
    ours: float | None
    peer: float | None
    ratio: float | None
    low: float | None
    high: float | None
    unit: str


def median(values: NDArray[np.float64]) -> float:
    return float(np.median(values))


def mean(values: NDArray[np.float64]) -> float:
    return float(np.mean(values))


def total(values: NDArray[np.float64]) -> float:
    return float(np.sum(values))


def rate(values: NDArray[np.float64]) -> float:
    """The sum of the counts over the sum of their bases."""
    return float(values[:, 0].sum() / values[:, 1].sum())


def percentile(q: float) -> Statistic:
    """The statistic that is the `q`-th percentile, 0-100."""

    def of(values: NDArray[np.float64]) -> float:
        return float(np.percentile(values, q))

    return of


def ratio_interval(
    ours: Repeats, peer: Repeats, statistic: Statistic, *, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % bootstrap interval of `statistic(ours) / statistic(peer)`.

    None if a side is empty, or if the peer's statistic is 0 in so many resamples that there is no
    upper bound.
    """
    if not ours or not peer:
        return None
    rng = np.random.default_rng(seed)
    a, b = np.asarray(ours, np.float64), np.asarray(peer, np.float64)
    ratios = []
    for _ in range(RESAMPLES):
        above = statistic(a[rng.integers(len(a), size=len(a))])
        below = statistic(b[rng.integers(len(b), size=len(b))])
        ratios.append(above / below if below else np.inf)
    low, high = np.percentile(ratios, [2.5, 97.5], method="nearest")
    return (float(low), float(high)) if np.isfinite(high) else None


def compare(name: str, repeats: Mapping[Side, Repeats], statistic: Statistic, unit: str) -> Row:
    """The row of `statistic` over both sides' repeats; a side without repeats is None."""
    ours, peer = repeats.get("ours", ()), repeats.get("peer", ())
    a = statistic(np.asarray(ours, np.float64)) if ours else None
    b = statistic(np.asarray(peer, np.float64)) if peer else None
    if a is None or not b:
        return Row(name, a, b, None, None, None, unit)
    interval = ratio_interval(ours, peer, statistic)
    low, high = interval or (None, None)
    return Row(name, a, b, a / b, low, high, unit)


def added(
    name: str, q: float, ours: Iterable[Sequence[float]], peer: Iterable[Sequence[float]]
) -> Row:
    """By how many ms our `q`-th percentile is above the peer's, both measured in blocks, one of
    each at a time; printed with its 95 % interval, by resampling these pairs of blocks.
    """
    rng = np.random.default_rng(0)
    sides = [[np.asarray(block, np.float64) for block in some] for some in (ours, peer)]

    def of(side: Sequence[NDArray[np.float64]]) -> float:
        return float(np.percentile(np.concatenate(side), q))

    differences = []
    for _ in range(RESAMPLES // 4):
        drawn = rng.integers(len(sides[0]), size=len(sides[0]))
        a, b = ([side[i] for i in drawn] for side in sides)
        differences.append(of(a) - of(b))
    low, high = np.percentile(differences, [2.5, 97.5])
    print(f"{name}: 95 % of {low:.3f} to {high:.3f} ms")
    return Row(name, of(sides[0]) - of(sides[1]), None, None, None, None, "ms")


def paired(name: str, ours: Mapping[str, float], peer: Mapping[str, float]) -> Row:
    """By how many ms ours is above the peer's where both were measured of the same thing: the
    median of the differences, and its 95 % interval by resampling them.
    """
    both = [ours[key] - peer[key] for key in ours if key in peer]
    if not both:
        return Row(name, None, None, None, None, None, "ms")
    differences = np.asarray(both, np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(both), size=(RESAMPLES, len(both)))
    low, high = np.percentile(np.median(differences[drawn], axis=1), [2.5, 97.5])
    return Row(name, float(np.median(differences)), None, None, float(low), float(high), "ms")


def judged(rows: Sequence[Row], goals: Mapping[str, float]) -> list[str]:
    """Whether each row that has a goal reaches it, a line each: its ratio where it has a peer, its
    own value where it has none, must not be above the goal.
    """
    lines = []
    for row in rows:
        if row.name not in goals:
            continue
        value = row.ours if row.peer is None else row.ratio
        if value is None:
            verdict = "NOT MEASURED"
        else:
            verdict = "REACHED" if value <= goals[row.name] else "MISSED"
        unit = row.unit if row.peer is None else "x"
        goal = f"at most {figure(goals[row.name])} {unit}"
        lines.append(f"{row.name}: {figure(value)} {unit}, goal {goal}: GOAL {verdict}")
    return lines


def interleaved(repeats: int, seed: int) -> list[Side]:
    """`repeats` runs of each side, one of each after the other, which is first drawn each time.

    So that slow drifts of a shared machine meet both sides alike.
    """
    draw = random.Random(seed)
    order: list[Side] = []
    for _ in range(repeats):
        pair: list[Side] = ["ours", "peer"]
        draw.shuffle(pair)
        order += pair
    return order


def machine() -> str:
    """Where this ran: processor, cores that may be used, memory, kernel, Python."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in info.splitlines() if "model name" in line]
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = names[0] if names else platform.processor() or platform.machine()
    return (
        f"{name}, {cores} cores, {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def table(rows: Sequence[Row], peer: str = "pipecat") -> str:
    """The rows for a reader, one a line, columns aligned; `peer` names whom we are held against."""
    lines = [("", "ours", peer, "ratio", "95 %", "unit")]
    for row in rows:
        bounds = "" if row.low is None else f"{row.low:.3g} - {row.high:.3g}"
        lines.append(
            (row.name, figure(row.ours), figure(row.peer), figure(row.ratio), bounds, row.unit)
        )
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def figure(value: float | None) -> str:
    """A number with as many digits as mean something; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def finish(
    program: str, rows: Sequence[Row], notes: Sequence[str] = (), *, peer: str = "pipecat"
) -> None:
    """Print the machine, the notes, the table and, as the last line, the JSON object."""
    print(f"\n{program}: {machine()}")
    for note in notes:
        print(note)
    print(table(rows, peer))
    print(json.dumps({"program": program, "rows": msgspec.to_builtins(rows)}), flush=True)
