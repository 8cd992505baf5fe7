"""Calls from browsers: `python -m bench.webrtc`.

`--only response,cpu,loss` what is named; `--quick` a little of each; `--keep DIR` recordings.

response: a real Chromium, whose microphone plays labelled turns, talks to our server over WebRTC
and over a WebSocket, and to the same models behind pipecat's SmallWebRTC transport. Latency is from
the last voiced sample of the turn to the first audible one of the answer, both found in a recording
that the page makes of its microphone and of what it plays. `webrtc_line_...` is what of that is
outside the engine, by the server's own measure of itself.

cpu: processor time per second and connection of a process that sends each caller's speech back:
our transport against a bare aiortc, with the same clients (`bench.echoes`).

loss: Chromium in a network namespace of its own behind a line that loses 5 % of the packets and
delays the others by 0 to 60 ms, both ways, out of order (`bench.bad_line`), against the same line
without that. The language model is `bench.answerer`, so that the same words are said; their error
is that of Whisper, which hears what the browser played.
"""

import argparse
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench import browser_calls, servers
from bench.browser import Way
from bench.browser_calls import Block
from bench.report import Row, Side, compare, finish, judged, median, paired, total

GOALS = {
    "webrtc_over_websocket_ms": 80.0,
    "webrtc_response_p50_ms": 0.6,
    "webrtc_cpu_per_connection": 0.9,
    "loss_turns": 0.0,
    "loss_wer_points": 3.0,
}
PARTS = ("response", "cpu", "loss")
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
        paired("webrtc_over_websocket_ms", heard["webrtc"], heard["websocket"]),
        paired("webrtc_line_over_websocket_ms", line["webrtc"], line["websocket"]),
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
        heard = sorted(ms for block in blocks for ms in block.latencies_ms().values())
        said = sum(len(block.exchanges) for block in blocks)
        untold = sum(e.outcome in ("over", "unsaid") for b in blocks for e in b.exchanges)
        middle = f"{heard[len(heard) // 2]:.0f} ms" if heard else "none"
        buffers = [ms for block in blocks if (ms := block.buffer_ms()) is not None]
        held = (
            f", which the browser held for {sum(buffers) / len(buffers):.0f} ms" if buffers else ""
        )
        notes.append(f"{way}: {said} turns, {untold} not counted; p50 {middle}{held}")
    return notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=lambda parts: parts.split(","), default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="a little of each")
    parser.add_argument("--turns", type=int, default=24, help="over each way")
    parser.add_argument("--block", type=int, default=6, help="turns of a call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for recordings")
    args = parser.parse_args()
    rows: list[Row] = []
    notes: list[str] = []
    if "response" in args.only:
        turns, block = (2, 2) if args.quick else (args.turns, args.block)
        some, told = responses(turns, block, args.seed, args.keep)
        rows, notes = rows + some, notes + told
    finish("bench.webrtc", rows, [*notes, *judged(rows, GOALS)])


if __name__ == "__main__":
    main()
