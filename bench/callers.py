"""Spoken conversations with ours and with the peer, as a caller hears them.

`python -m bench.callers` runs everything with one caller at a time; `--turns 20` a part of the
spoken turns; `--only response,barge,mhm,pauses,calm` what is named; `--sides peer` one side;
`--keep DIR` writes what was said and heard.

`--callers 1,2,4,8` has so many callers at once instead (`bench.crowd`): each says turns, some of
them into the answer, and now and then an "mhm"; the peer's sessions load their models each, as its
services do. `--llm scripted` takes the language model's cost away, to find how many callers a
machine hears and answers; `--admission` has twice as many callers knock as are let in.

With one caller the two sides take turns in blocks of eight turns, in an order drawn by
`--seed`, each block on a fresh connection, so that the context stays small for both. Same weights,
same prompt, no fillers, each server with its own defaults. While the floor is measured (all but
`response`), the agents' words come from `bench.storyteller`, so that they speak for a minute.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import numpy as np
from websockets.exceptions import WebSocketException

from actors.moonshine import Moonshine
from actors.store import Store
from bench import crowd, servers
from bench.blocks import BLOCKS, Block, Outcome, Room
from bench.hearsay import word_error, words, words_heard
from bench.history import Recalled
from bench.links import AGENT_HZ
from bench.report import Row, Side, compare, finish, median, percentile, rate, total
from bench.sound import TURNS, load_turns, resample, to_pcm
from engine.capabilities import Clip

BLOCK_TURNS = 8
STORY_S = 60.0  # of agent speech in a block of stories
INTERRUPTIONS = 24
SIDES: tuple[Side, ...] = ("ours", "peer")

T = TypeVar("T")


def plan(args: argparse.Namespace) -> list[Block]:
    """All blocks, in the order in which they are run."""
    draw = random.Random(args.seed)
    turns = load_turns(args.turns_folder)
    spoken = [turn for turn in turns if turn.kind != "acknowledgement"]
    mhms = [turn for turn in turns if turn.kind == "acknowledgement"]
    draw.shuffle(spoken)
    draw.shuffle(mhms)
    spoken = spoken[: args.turns]
    questions = [turn for turn in spoken if turn.kind == "question"]
    stories = max(1, round(args.minutes))
    material = {
        "response": spoken,
        "barge": questions[:INTERRUPTIONS],
        "mhm": mhms * 2 if args.turns is None else mhms,
        "pauses": questions[:BLOCK_TURNS] * stories,
        "calm": questions[:BLOCK_TURNS] * max(1, stories // 2),
    }
    blocks: list[Block] = []
    for kind in args.only:
        places = range(0, len(material[kind]), BLOCK_TURNS)
        for first in places:
            sides = list(args.sides)
            draw.shuffle(sides)
            said = tuple(material[kind][first : first + BLOCK_TURNS])
            blocks += [Block(kind, side, said, first) for side in sides]
    return blocks


async def converse(blocks: Sequence[Block], room: Room) -> list[Outcome]:
    """Run the blocks one after the other, and say how each went."""
    outcomes: list[Outcome] = []
    for number, block in enumerate(blocks, 1):
        outcome = await attempted(block, room)
        outcomes.append(outcome)
        progress = f"[{number}/{len(blocks)}] {outcome.kind} {outcome.side}"
        print(f"{progress}: {outcome.summary()}", file=sys.stderr, flush=True)
    return outcomes


async def attempted(block: Block, room: Room) -> Outcome:
    """How a block went. One whose connection failed says so: the hours before it are not lost."""
    try:
        return await BLOCKS[block.kind](block, room)
    except (OSError, TimeoutError, WebSocketException) as failed:
        failure = f"FAILED, its {len(block.turns)} turns are not in the tables: {failed!r}"
        return Outcome(block.kind, block.side, errors=[failure])


class Results:
    """The outcomes of a run, by kind and side."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes

    def all(self, kind: str, side: Side, take: Callable[[Outcome], Sequence[T]]) -> list[T]:
        return [
            value
            for outcome in self.outcomes
            if outcome.kind == kind and outcome.side == side
            for value in take(outcome)
        ]

    def rows(self) -> list[Row]:
        return [*self._response_rows(), *self._floor_rows()]

    def _sides(self, kind: str, take: Callable[[Outcome], Sequence[T]]) -> dict[Side, list[T]]:
        found = {side: self.all(kind, side, take) for side in SIDES}
        return found if any(found.values()) else {}

    def _response_rows(self) -> Iterator[Row]:
        answers = self._sides("response", lambda o: o.answers)
        if not answers:
            return
        times = {
            side: [a.latency_ms for a in some if a.latency_ms is not None]
            for side, some in answers.items()
        }
        yield compare("response_p50_ms", times, median, "ms")
        yield compare("response_p95_ms", times, percentile(95), "ms")
        lost = {side: [float(a.lost) for a in some] for side, some in answers.items()}
        yield compare("turns_lost", lost, total, "turns")
        cut = {side: [float(a.cut) for a in some] for side, some in answers.items()}
        yield compare("turns_cut", cut, total, "turns")
        said = {side: [1.0] * len(some) for side, some in answers.items()}
        yield compare("turns", said, total, "turns")

    def _floor_rows(self) -> Iterator[Row]:
        if barge := self._sides("barge", lambda o: o.times_ms):
            yield compare("barge_in_p50_ms", barge, median, "ms")
        for kind, name in (("pauses", "false_pauses_per_min"), ("calm", "calm_pauses_per_min")):
            if flows := self._sides(kind, lambda o: o.flows):
                per_min = {
                    side: [(float(f.pauses), f.seconds / 60) for f in some]
                    for side, some in flows.items()
                }
                yield compare(name, per_min, rate, "1/min")
        if mhm := self._sides("mhm", lambda o: o.times_ms):
            yield compare("mhm_gap_p95_ms", mhm, percentile(95), "ms")


def history_rows(outcomes: Sequence[Outcome]) -> tuple[list[Row], list[str]]:
    """The largest word error of our history: of whole answers, of cut ones, and the method's own.

    Answers heard to their end are held against the text that was sent, word by word, and (`heard`)
    against what a transcriber hears in the audio that was played; cut ones against that alone. The
    note says how far the transcriber is off where the truth is known.
    """
    recalled = [item for outcome in outcomes for item in outcome.recalled]
    if not recalled:
        return [], []
    stt = Moonshine(Store().path("moonshine-tiny-en"))
    complete = [item for item in recalled if item.whole]
    own = [abs(len(words(i.sent)) - words_heard(transcribed(stt, i), i.sent)) for i in complete]
    exact = [float(mismatches(words(i.sent), words(i.kept))) for i in complete]
    heard = [float(word_error(i.kept, transcribed(stt, i), i.sent)) for i in complete]
    cut = [float(word_error(i.kept, transcribed(stt, i), i.sent)) for i in recalled if not i.whole]
    rows = []
    if exact:
        rows.append(compare("history_word_error", {"ours": exact}, largest, "words, whole"))
        rows.append(compare("history_word_error_heard", {"ours": heard}, median, "words, whole"))
    if cut:
        rows.append(compare("history_word_error_cut", {"ours": cut}, largest, "words, cut"))
        rows.append(compare("history_word_error_cut_p50", {"ours": cut}, median, "words, cut"))
    share = sum(error > 0 for error in own)
    note = f"history: {len(exact)} whole answers, {len(cut)} cut; the transcriber alone errs "
    return rows, [f"{note}in {share} of the whole ones, by {max(own, default=0)} words at most"]


def mismatches(sent: Sequence[str], kept: Sequence[str]) -> int:
    """How many words are not the same, place by place."""
    return sum(a != b for a, b in itertools.zip_longest(sent, kept))


def transcribed(stt: Moonshine, item: Recalled) -> str:
    """What was played of an item, as Moonshine hears it.

    With half a second of silence behind it: where speech is cut off, it goes on by itself.
    """
    pcm = to_pcm(resample(item.sound, AGENT_HZ, stt.rate_hz)) + bytes(stt.rate_hz)
    return stt.transcribe([Clip(pcm)])[0].text


def largest(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
    return float(values.max())


def counts(text: str) -> list[int]:
    """Numbers of callers, as `1,2,4`."""
    numbers = [int(number) for number in text.split(",")]
    if min(numbers) < 1:
        raise ValueError("there is at least one caller")
    return numbers


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=counts, default=[1], help="how many at once, as 1,2,4,8")
    parser.add_argument("--turns", type=int, default=None, help="spoken turns (of each count)")
    parser.add_argument("--llm", choices=["embedded", "scripted"], default="embedded")
    parser.add_argument("--admission", action="store_true", help="twice as many as are let in")
    parser.add_argument("--only", type=lambda kinds: kinds.split(","), default=list(BLOCKS))
    parser.add_argument("--sides", type=lambda sides: sides.split(","), default=None)
    parser.add_argument("--minutes", type=float, default=5, help="agent speech under noise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for recordings")
    parser.add_argument("--turns-folder", type=Path, default=TURNS)
    args = parser.parse_args()
    args.simultaneous = args.callers != [1] or args.llm == "scripted" or args.admission
    if args.sides is None:
        args.sides = ["ours"] if args.llm == "scripted" or args.admission else list(SIDES)
    for name, chosen, allowed in (("--only", args.only, BLOCKS), ("--sides", args.sides, SIDES)):
        if unknown := set(chosen) - set(allowed):
            parser.error(f"{name} takes {', '.join(allowed)}, not {', '.join(sorted(unknown))}")
    return args


@contextlib.contextmanager
def servers_of(
    sides: Sequence[Side], llm: servers.Llm | None = None
) -> Iterator[dict[Side, servers.Server]]:
    """The sides' servers, with the default LLM or with `llm`, until the block ends."""
    start: dict[Side, Callable[[servers.Llm | None], AbstractContextManager[servers.Server]]]
    start = {"ours": servers.ours, "peer": servers.peer}
    with contextlib.ExitStack() as stack:
        yield {side: stack.enter_context(start[side](llm)) for side in sides}


def main() -> None:
    args = arguments()
    if args.simultaneous:
        crowd.run(args)
    else:
        one_by_one(args)


def one_by_one(args: argparse.Namespace) -> None:
    """One caller at a time, with all that can be measured of one."""
    blocks = plan(args)
    answers = [block for block in blocks if block.kind == "response"]
    floor = [block for block in blocks if block.kind != "response"]
    outcomes: list[Outcome] = []
    if answers:
        with servers_of(args.sides) as running:
            room = Room(args.turns_folder, running, args.keep, STORY_S)
            outcomes += asyncio.run(converse(answers, room))
    if floor:
        with servers.storyteller() as llm, servers_of(args.sides, llm) as running:
            room = Room(args.turns_folder, running, args.keep, STORY_S)
            outcomes += asyncio.run(converse(floor, room))
    rows, notes = history_rows(outcomes)
    finish("bench.callers", [*Results(outcomes).rows(), *rows], notes)


if __name__ == "__main__":
    main()
