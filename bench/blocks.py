"""Blocks of exchanges: what one caller does on one connection, and what comes of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import numpy as np

from bench.caller import ROOM_S, Caller
from bench.exchanges import (
    Answered,
    Flow,
    acknowledged,
    answered,
    interrupted,
    opening_of,
    speaking,
    told,
)
from bench.history import Recalled, recall
from bench.links import OursLink, PeerLink
from bench.report import Side
from bench.servers import Server
from bench.sound import Sound, Turn, babble, load, load_turns

ANSWER = (
    "You are a friendly voice assistant on the phone. "
    "Answer in one or two short spoken sentences, without lists or markup."
)
ANSWER_TOKENS = 80
"""Small models ramble; a caller that speaks into a minute's answer measures something else."""

STORY = "You tell stories on the phone."  # which the scripted LLM does anyway
SETTLE_S = 0.5
BABBLE_DBFS = -45.0  # a cafe behind the caller: RMS, in the middle of -50..-40
ECHO_DBFS = -30.0  # what a speakerphone's canceller leaves, relative to the agent
ECHO_DELAY_S = 0.13  # in the middle of 60-200 ms
STORIES = 6


class Block(msgspec.Struct, frozen=True):
    """What to run on one connection: turns of one kind of exchange, with one side."""

    kind: str
    side: Side
    turns: tuple[Turn, ...]
    first: int
    """The place of its first turn in the whole run: it seeds the block's noise, for both alike."""


class Room(msgspec.Struct, frozen=True):
    """Where blocks run: the clips' folder, the servers, and where to keep recordings."""

    folder: Path
    servers: dict[Side, Server]
    keep: Path | None
    story_s: float
    """How much agent speech a block of stories hears."""


class Outcome(msgspec.Struct):
    """What a block measured."""

    kind: str
    side: Side
    answers: list[Answered] = []
    times_ms: list[float] = []
    flows: list[Flow] = []
    recalled: list[Recalled] = []
    errors: list[str] = []
    microphone_late_ms: float = 0.0

    def summary(self) -> str:
        """One line for whoever watches."""
        times = [a.latency_ms for a in self.answers if a.latency_ms is not None] + self.times_ms
        said = [f"{len(times)} times, median {np.median(times):.0f} ms"] if times else []
        if self.answers:
            said += [f"{answer.file} cut" for answer in self.answers if answer.cut]
            said += [f"{answer.file} lost" for answer in self.answers if answer.lost]
        if self.flows:
            seconds, pauses = sum(f.seconds for f in self.flows), sum(f.pauses for f in self.flows)
            said.append(f"{pauses} pauses in {seconds:.0f} s")
        if self.microphone_late_ms > 20:
            said.append(f"microphone up to {self.microphone_late_ms:.0f} ms late")
        return ", ".join([*said, *self.errors]) or "nothing measured"


LINKS: dict[Side, type[OursLink] | type[PeerLink]] = {"ours": OursLink, "peer": PeerLink}


async def join(
    block: Block, room: Room, instructions: str, most_tokens: int | None = None
) -> Caller:
    """A caller on a fresh connection to the block's side. Have all sounds loaded before."""
    link = await LINKS[block.side].open(room.servers[block.side], instructions, most_tokens)
    caller = Caller(link, seed=block.first)
    await caller.until(caller.started_at + SETTLE_S)
    return caller


async def leave(caller: Caller, outcome: Outcome, block: Block, room: Room) -> Outcome:
    if room.keep is not None:
        caller.keep(room.keep, f"{block.kind}-{block.first:03}-{block.side}")
    outcome.errors += caller.link.errors
    outcome.microphone_late_ms = caller.latest_s * 1000
    await caller.hang_up()
    return outcome


def clips_of(block: Block, room: Room) -> list[tuple[Turn, Sound]]:
    return [(turn, clip_of(turn, block, room)) for turn in block.turns]


def clip_of(turn: Turn, block: Block, room: Room) -> Sound:
    return load(turn, LINKS[block.side].rate_hz, room.folder)


async def responses(block: Block, room: Room) -> Outcome:
    """Each turn said and answered to its end."""
    clips = clips_of(block, room)
    caller = await join(block, room, ANSWER, ANSWER_TOKENS)
    outcome = Outcome(block.kind, block.side)
    for turn, clip in clips:
        outcome.answers.append(await answered(caller, turn, clip))
        outcome.recalled += await recall(caller)
    return await leave(caller, outcome, block, room)


async def interruptions(block: Block, room: Room) -> Outcome:
    """Each turn breaks into a story; the story that answers it is broken by the next."""
    clips = clips_of(block, room)
    caller = await join(block, room, STORY)
    outcome = Outcome(block.kind, block.side)
    for turn, clip in clips:
        if await speaking(caller, clips[0][1]):
            time_ms = await interrupted(caller, turn, clip)
            outcome.times_ms += [] if time_ms is None else [time_ms]
            outcome.recalled += await recall(caller)
    return await leave(caller, outcome, block, room)


async def acknowledgements(block: Block, room: Room) -> Outcome:
    """Each "mhm" is said into a story."""
    clips = clips_of(block, room)
    rng = np.random.default_rng(block.first)
    opening = clip_of(opening_of(load_turns(room.folder), rng), block, room)
    caller = await join(block, room, STORY)
    outcome = Outcome(block.kind, block.side)
    for turn, clip in clips:
        if await speaking(caller, opening):
            gap_ms = await acknowledged(caller, turn, clip)
            outcome.times_ms += [] if gap_ms is None else [gap_ms]
    return await leave(caller, outcome, block, room)


async def stories(block: Block, room: Room, *, noisy: bool = True) -> Outcome:
    """Stories heard to their end, with (or without) a cafe and an echo at the caller's side."""
    clips = clips_of(block, room)
    people = [clip_of(turn, block, room) for turn in load_turns(room.folder)]
    rng = np.random.default_rng(block.first)
    cafe = babble(people, LINKS[block.side].rate_hz * ROOM_S, BABBLE_DBFS, rng)
    caller = await join(block, room, STORY)
    outcome = Outcome(block.kind, block.side)
    if noisy:
        caller.room = caller.room + cafe
        caller.echo_dbfs, caller.echo_delay_s = ECHO_DBFS, ECHO_DELAY_S
    for _, clip in clips[:STORIES]:
        flow = await told(caller, clip)
        outcome.flows += [] if flow is None else [flow]
        if sum(f.seconds for f in outcome.flows) >= room.story_s:
            break
    return await leave(caller, outcome, block, room)


async def calm_stories(block: Block, room: Room) -> Outcome:
    """The same stories in a quiet room: how often speech breaks by itself."""
    return await stories(block, room, noisy=False)


BLOCKS: dict[str, Callable[[Block, Room], Awaitable[Outcome]]] = {
    "response": responses,
    "barge": interruptions,
    "mhm": acknowledgements,
    "pauses": stories,
    "calm": calm_stories,
}
