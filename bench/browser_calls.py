"""The same turns over each way by which a browser can talk to an agent, in blocks that take turns.

A block is one call: a few turns, with a gap behind each in which the answer is heard to its end.
"""

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.blocks import ANSWER
from bench.browser import MICROPHONE_HZ, BrowserFailed, Recording, Way, called
from bench.servers import Server
from bench.sound import Turn, load_turns
from bench.takes import Exchange, exchanges, microphone

TOKENS = 24
"""Of an answer: then it ends before the next turn begins."""

GAP_S = 12.0

SESSION: dict[str, Any] = {
    "type": "realtime",
    "instructions": ANSWER,
    "max_output_tokens": TOKENS,
    "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}},
}

QUERY = {"instructions": ANSWER, "tokens": str(TOKENS)}
"""The same for pipecat's agent."""

MEASURED, FIRST_AUDIO = "voiceforge.turn.measured", "first_audio"

Call = Callable[[Way, Sequence[Turn], int], tuple[Recording, list[Exchange]]]
"""Says turns over a way, in a room that the number draws."""


class Block(msgspec.Struct, frozen=True):
    """What became of the turns of one call. `engine_ms` has how long ours took by itself, by the
    names of their files: from the caller's pause to the first audio that it sent.
    """

    way: Way
    exchanges: list[Exchange]
    engine_ms: dict[str, float]
    statistics: list[dict[str, Any]]

    def latencies_ms(self) -> dict[str, float]:
        """Of those that were answered, by their files."""
        return {e.file: e.latency_ms for e in self.exchanges if e.latency_ms is not None}

    def buffer_ms(self) -> float | None:
        """How long the browser held what came before it played it, on average (`getStats()`)."""
        inbound = [s for s in self.statistics if s["type"] == "inbound-rtp"]
        played = sum(s["jitterBufferEmittedCount"] for s in inbound)
        return 1000 * sum(s["jitterBufferDelay"] for s in inbound) / played if played else None

    def summary(self) -> str:
        """One line for whoever watches."""
        heard = ", ".join(
            f"{e.file} {e.outcome}" if e.latency_ms is None else f"{e.latency_ms:.0f}"
            for e in self.exchanges
        )
        buffered = self.buffer_ms()
        return heard + (f" ms; buffered {buffered:.0f} ms" if buffered is not None else " ms")


def spoken(turns: int, block: int, seed: int) -> list[list[Turn]]:
    """Turns drawn from all that are not "mhm", in blocks."""
    draw = random.Random(seed)
    some = [turn for turn in load_turns() if turn.kind != "acknowledgement"]
    draw.shuffle(some)
    some = [some[at % len(some)] for at in range(turns)]
    return [some[at : at + block] for at in range(0, turns, block)]


def caller(servers: Mapping[Way, Server], keep: Path | None) -> Call:
    """Calls at these servers, whose recordings are kept in a folder if there is one."""

    def say(way: Way, turns: Sequence[Turn], seed: int) -> tuple[Recording, list[Exchange]]:
        sound, takes = microphone(turns, GAP_S, MICROPHONE_HZ, seed)
        recording = called(servers[way], way, sound, session=SESSION, query=QUERY)
        if keep is not None:
            recording.keep(keep, f"{seed:03}-{way}")
        found = exchanges(takes, GAP_S, recording.said, recording.heard, recording.rate_hz)
        return recording, found

    return say


def alternated(call: Call, ways: Sequence[Way], blocks: Sequence[Sequence[Turn]]) -> list[Block]:
    """Each block over each way, in an order that is drawn each time. One that fails says so, and
    counts for nothing.
    """
    draw = random.Random(len(blocks))
    done = []
    for number, turns in enumerate(blocks):
        for way in draw.sample(ways, len(ways)):
            try:
                recording, found = call(way, turns, number)
            except BrowserFailed as failed:
                told = f"FAILED: {failed}"
            else:
                block = Block(way, found, engine_ms(recording, found), recording.statistics)
                done.append(block)
                told = block.summary()
            print(f"[{number + 1}/{len(blocks)}] {way}: {told}", file=sys.stderr, flush=True)
    return done


def engine_ms(recording: Recording, found: Sequence[Exchange]) -> dict[str, float]:
    """How long the engine itself took for each answer, as far as it said so before the answer's
    end.
    """
    took: dict[str, float] = {}
    for came in recording.events:
        if came.event["type"] != MEASURED or FIRST_AUDIO not in came.event["stages"]:
            continue
        for one in found:
            if one.answer_s is not None and abs(came.at_s - one.answer_s[0]) < GAP_S / 4:
                took[one.file] = came.event["stages"][FIRST_AUDIO]
    return took
