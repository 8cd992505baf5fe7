"""Several callers of one side who talk at the same time, and what that takes of the machine."""

import asyncio
import contextlib
import random
import resource
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench.blocks import ANSWER, ANSWER_TOKENS
from bench.guest import Guest, Microphones, Voices, enter, prepare
from bench.line import Refusal
from bench.mixture import Said, Turned, converse, waits_ms
from bench.processes import cpu_s, family, machine_cpu_s, pss_by_name
from bench.report import Side
from bench.servers import Server
from bench.sound import Turn

JOIN_EVERY_S = 0.1
SETTLE_S = 3.0
"""From the last caller's joining to the first word: the peer has models to load."""

STAGGER_S = 4.0
"""Over so long the callers' first words are spread."""

PATIENCE_S = 60.0  # for a caller who must be let in
LAST_TURN_S = 15.0  # before the end of a round of knocking no turn begins
GOODBYE_S = 0.5


class Round(msgspec.Struct):
    """One round of one side: what became of the turns, and what it took.

    `admitted` callers were let in of `knocked`; `refusals` holds each no of the door. CPU is in
    cores; `memory` in MB by the processes' names, at the end, while everybody is connected.
    """

    side: Side
    knocked: int
    admitted: int = 0
    told: list[Turned] = []
    refusals: list[Refusal] = []
    memory: dict[str, float] = {}
    server_cpu: float = 0.0
    own_cpu: float = 0.0
    other_cpu: float = 0.0
    """Of everybody else on the machine, a scripted LLM among them."""

    own_late_ms: float = 0.0
    errors: list[str] = []

    @property
    def memory_mb(self) -> float:
        return sum(self.memory.values())

    def summary(self) -> str:
        """One line for whoever watches."""
        waits = waits_ms(self.told)
        said = [f"{self.side} {self.admitted} of {self.knocked} callers, {len(self.told)} turns"]
        if waits:
            said.append(f"p50 {np.median(waits):.0f} ms, p95 {np.percentile(waits, 95):.0f} ms")
        said += [f"{one.file} cut" for one in self.told if one.cut]
        said += [f"{one.file} lost" for one in self.told if one.lost]
        said.append(f"{self.memory_mb:.0f} MB, server {self.server_cpu:.2f} cores")
        said.append(f"callers {self.own_cpu:.2f} cores, {self.own_late_ms:.0f} ms late (p99)")
        said.append(f"others {self.other_cpu:.2f} cores")
        if self.refusals:
            said.append(f"{len(self.refusals)} refusals")
        return ", ".join([*said, *sorted(set(self.errors))])


class Hall:
    """Where callers of one side meet, for one round."""

    def __init__(self, side: Side, server: Server, turns: Sequence[Turn], folder: Path) -> None:
        self.server = server
        self.voices = Voices(side, folder)
        prepare(self.voices, turns)
        self.microphones = Microphones()
        self.round = Round(side, 0)

    async def hold(self, plans: Sequence[Sequence[Said]], seed: int) -> Round:
        """All callers join, say what they have to say, and leave together."""
        self.round.knocked = len(plans)
        async with self._speaking():
            guests = [await self._let_in(time.monotonic() + PATIENCE_S) for _ in plans]
            await asyncio.sleep(SETTLE_S)
            with self._measured():
                draw = random.Random(seed)
                starts = [draw.uniform(0, STAGGER_S) if len(plans) > 1 else 0.0 for _ in plans]
                talks = zip(guests, plans, starts, strict=True)
                told = await asyncio.gather(*(talk(*one) for one in talks))
            self.round.told = [one for some in told for one in some]
        return self.round

    async def besiege(self, plans: Sequence[Sequence[Said]], seconds: float) -> Round:
        """All callers knock until they are let in, and talk until the time is over."""
        self.round.knocked = len(plans)
        until = time.monotonic() + seconds
        async with self._speaking():
            with self._measured():
                told = await asyncio.gather(*(self._knock(plan, until) for plan in plans))
                await asyncio.sleep(max(0.0, until - time.monotonic()))
            self.round.told = [one for some in told for one in some]
        return self.round

    async def _knock(self, plan: Sequence[Said], until: float) -> list[Turned]:
        last_turn = until - LAST_TURN_S
        guest = await self._let_in(last_turn)
        if guest is None:
            return []
        await asyncio.sleep(random.uniform(0, STAGGER_S))
        return await converse(guest, plan, last_turn)

    async def _let_in(self, give_up: float) -> Guest | None:
        """A caller who knocks, as often as the door says, until it opens; None if it never does."""
        while time.monotonic() < give_up:
            again_s = 1.0
            try:
                guest = await enter(self.server, self.voices, ANSWER, ANSWER_TOKENS)
            except Refusal as refused:
                self.round.refusals.append(refused)
                again_s = refused.retry_after_s or again_s
            except (OSError, TimeoutError) as failed:
                self.round.errors.append(f"a caller could not connect: {failed!r}")
            else:
                self.microphones.guests.append(guest)
                self.round.admitted += 1
                await asyncio.sleep(JOIN_EVERY_S)
                return guest
            await asyncio.sleep(max(0.0, min(again_s, give_up - time.monotonic())))
        return None

    @contextlib.asynccontextmanager
    async def _speaking(self) -> AsyncIterator[None]:
        clock = asyncio.create_task(self.microphones.run())
        try:
            yield
            if clock.done():
                clock.result()  # nobody was heard: why
        finally:
            clock.cancel()
            for guest in self.microphones.guests:
                self.round.errors += guest.errors
                guest.goodbye()
            await asyncio.sleep(GOODBYE_S)  # for them to be read

    @contextlib.contextmanager
    def _measured(self) -> Iterator[None]:
        began, own, theirs = time.monotonic(), own_cpu_s(), cpu_s(family(self.server.roots))
        all_ = machine_cpu_s()
        self.microphones.late_s.clear()
        yield
        everybody = family(self.server.roots)
        wall = time.monotonic() - began
        self.round.own_cpu = (own_cpu_s() - own) / wall
        self.round.server_cpu = (cpu_s(everybody) - theirs) / wall
        others = (machine_cpu_s() - all_) / wall - self.round.own_cpu - self.round.server_cpu
        self.round.other_cpu = max(0.0, others)
        self.round.memory = pss_by_name(everybody)
        self.round.own_late_ms = float(np.percentile(self.microphones.late_s, 99)) * 1000


async def talk(guest: Guest | None, plan: Sequence[Said], start_s: float) -> list[Turned]:
    """Say it all, beginning so much later. The turns of a caller who is not there are lost."""
    if guest is None:
        return [Turned(said.turn.file, None, lost=True) for said in plan]
    await asyncio.sleep(start_s)
    return await converse(guest, plan)


def own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
