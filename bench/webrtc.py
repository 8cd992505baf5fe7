"""Calls from browsers: `python -m bench.webrtc`.

`--only response,cpu,fec,loss` what is named; `--quick` a little of each; `--keep DIR` recordings.

response: a real Chromium, whose microphone plays labelled turns, talks to our server over WebRTC
and over a WebSocket, and to the same models behind pipecat's SmallWebRTC transport. Latency is from
the last voiced sample of the turn to the first audible one of the answer, both found in a recording
that the page makes of its microphone and of what it plays. Of one turn it differs by hundreds of ms
from time to time, whatever the way: webrtc_over_websocket_ms leaves out, turn by turn, what the
engine says that it took itself, and webrtc_over_websocket_heard_ms does not.

cpu: processor time per second and connection of a process that sends each caller's speech back:
our transport against a bare aiortc, with the same callers (`bench.echoes`).

fec: how much of our speech is sent twice, by bit rate (`bench.fec`).

loss: Chromium in a network namespace of its own behind a line that loses 5 % of the packets and
delays the others by 0 to 60 ms, both ways, out of order (`bench.bad_line`), against the same line
without that. The language model is `bench.answerer`, so that the same words are said; how many of
them are wrong is what Whisper makes of the sound that the browser played. It takes root.
"""

import argparse
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench import browser_calls, echoes, fec, losses, servers
from bench.browser import Way
from bench.browser_calls import Block
from bench.crowd import OFF
from bench.report import Row, Side, compare, finish, judged, median, paired, total

GOALS = {
    "webrtc_over_websocket_ms": 80.0,
    "webrtc_response_p50_ms": 0.6,
    "webrtc_cpu_per_connection": 0.9,
    "loss_turns": 0.0,
    "loss_wer_points": 3.0,
}
PARTS = ("response", "cpu", "fec", "loss")
WAYS: tuple[Way, ...] = ("webrtc", "websocket", "smallwebrtc")


def responses(turns: int, block: int, seed: int, keep: Path | None) -> tuple[list[Row], list[str]]:
    """How soon answers are heard, over each way."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(servers.ours())
        peer = stack.enter_context(servers.peer(agent="browser_agent"))
        call = browser_calls.caller(dict(zip(WAYS, (ours, ours, peer), strict=True)), keep)
        for way in WAYS:  # the first of all would pay for what is loaded then
            call(way, browser_calls.spoken(1, 1, seed)[0], seed)
        done = browser_calls.alternated(call, WAYS, browser_calls.spoken(turns, block, seed))
    return response_rows(done), response_notes(done)


def response_rows(done: Sequence[Block]) -> list[Row]:
    """Rows of the blocks of all ways."""
    heard = {way: merged(b.latencies_ms() for b in done if b.way == way) for way in WAYS}
    engine = {way: merged(b.engine_ms for b in done if b.way == way) for way in WAYS}
    line = {
        way: {
            file: ms - engine[way][file] for file, ms in heard[way].items() if file in engine[way]
        }
        for way in WAYS
    }
    sides: dict[Side, Way] = {"ours": "webrtc", "peer": "smallwebrtc"}
    times = {side: list(heard[way].values()) for side, way in sides.items()}
    lost = {side: outcomes(done, way, "lost") for side, way in sides.items()}
    cut = {side: outcomes(done, way, "cut") for side, way in sides.items()}
    return [
        paired("webrtc_over_websocket_ms", line["webrtc"], line["websocket"]),
        paired("webrtc_over_websocket_heard_ms", heard["webrtc"], heard["websocket"]),
        compare("webrtc_response_p50_ms", times, median, "ms"),
        compare("webrtc_turns_lost", lost, total, "turns"),
        compare("webrtc_turns_cut", cut, total, "turns"),
    ]


def merged(some: Iterable[Mapping[str, float]]) -> dict[str, float]:
    return {file: ms for one in some for file, ms in one.items()}


def outcomes(done: Sequence[Block], way: Way, outcome: str) -> list[float]:
    """1 for each turn over a way that ended so, 0 for the others."""
    return [float(e.outcome == outcome) for b in done if b.way == way for e in b.exchanges]


def response_notes(done: Sequence[Block]) -> list[str]:
    """What the rows do not tell."""
    notes = []
    for way in WAYS:
        blocks = [block for block in done if block.way == way]
        heard = [ms for block in blocks for ms in block.latencies_ms().values()]
        said = sum(len(block.exchanges) for block in blocks)
        untold = sum(e.outcome in ("over", "unsaid") for b in blocks for e in b.exchanges)
        middle = f"{np.median(heard):.0f} ms" if heard else "none"
        buffers = [ms for block in blocks if (ms := block.buffer_ms()) is not None]
        held = f", which the browser held for {np.mean(buffers):.0f} ms" if buffers else ""
        notes.append(f"{way}: {said} turns, {untold} not counted; p50 {middle}{held}")
    return notes


def costs(repeats: int, callers: int, seconds: float) -> tuple[list[Row], list[str]]:
    """What a connection costs."""
    rows = echoes.rows(repeats, callers, seconds)
    with servers.answerer() as llm, servers.ours(llm, OFF) as server:
        rows.append(echoes.gateway_row(server, callers, seconds))
    return rows, echoes.parts(callers, seconds)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=lambda parts: parts.split(","), default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="a little of each")
    parser.add_argument("--turns", type=int, default=24, help="over each way, and over each line")
    parser.add_argument("--block", type=int, default=6, help="turns of a call")
    parser.add_argument("--repeats", type=int, default=4, help="of each side's CPU time")
    parser.add_argument("--callers", type=int, default=10, help="at once, while CPU time is taken")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which it is taken")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for recordings")
    args = parser.parse_args()
    if unknown := set(args.only) - set(PARTS):
        parser.error(f"--only takes {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    if args.quick:
        args.turns, args.block, args.repeats, args.callers, args.seconds = 2, 2, 1, 4, 5.0
    return args


def main() -> None:
    args = arguments()
    measure: dict[str, Callable[[], tuple[list[Row], list[str]]]] = {
        "response": lambda: responses(args.turns, args.block, args.seed, args.keep),
        "cpu": lambda: costs(args.repeats, args.callers, args.seconds),
        "fec": fec.measured,
        "loss": lambda: losses.measured(args.turns, args.block, args.seed, args.keep),
    }
    rows: list[Row] = []
    notes: list[str] = []
    for part in args.only:
        some, told = measure[part]()
        rows, notes = rows + some, notes + told
    finish("bench.webrtc", rows, [*notes, *judged(rows, GOALS)], peer="pipecat, aiortc")


if __name__ == "__main__":
    main()
