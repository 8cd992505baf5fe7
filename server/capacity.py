"""How many callers this machine serves well: real conversations with more and more of them.

Each caller says questions, spoken by the default voice, at real pace over a WebSocket, and waits
for the spoken answers, as `voiceforge talk` does. The machine carries the callers too, which cost
about a hundredth of a core each.
"""

import asyncio
import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from actors.store import Store
from actors.workers import MODELS
from engine.admission import Learnt
from engine.capabilities import Utterance
from server import wav
from server.access.admin_key import FILE, read
from server.machine import Machine
from server.measured import Measured, MeasuredLevel
from server.talk import RATE_HZ, Report, Talk, TalkError, Wanted

QUESTIONS = (
    "What is the capital of France?",
    "How many days are there in a leap year?",
    "Which planet is closest to the sun?",
    "What colour do you get when you mix blue and yellow?",
    "How many legs does a spider have?",
    "Which ocean is the largest one on earth?",
    "What is the opposite of expensive?",
    "Who wrote Romeo and Juliet?",
)
INSTRUCTIONS = "You are a helpful voice assistant. Answer in one short sentence."

STRAIN = 1.5
"""A level whose p95 is longer than this times the first one's is too much."""

STAGGER_S = 4.0  # callers do not all speak at once
WAIT_S = 30.0
READY_S = 300.0


class Level(msgspec.Struct, frozen=True):
    """So many callers at once: their answers' latencies in ms, and turns that got none."""

    callers: int
    latencies_ms: tuple[float, ...]
    lost: int

    def percentile(self, percent: float) -> float:
        """Of the latencies, the nearest rank; infinite if there is none."""
        ranked = sorted(self.latencies_ms)
        if not ranked:
            return float("inf")
        return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]

    def holds(self, first: "Level") -> bool:
        """Whether callers are served about as well as those of the first level."""
        return not self.lost and self.percentile(95) <= first.bound_ms

    @property
    def bound_ms(self) -> float:
        """The longest p95 of a level that holds, if this is the first one."""
        return STRAIN * self.percentile(95)

    def kept(self) -> MeasuredLevel:
        """What is remembered of it."""
        answers = len(self.latencies_ms)
        told = [round(self.percentile(percent), 1) if answers else None for percent in (50, 95)]
        return MeasuredLevel(self.callers, answers, self.lost, *told)


def speak_questions(store: Store, folder: Path) -> tuple[Path, ...]:
    """Say each question into a WAV file."""
    from actors.piper import Piper  # with the models' runtimes: a second to import

    voice = Piper(store.path(MODELS["tts"]))
    paths = []
    for number, text in enumerate(QUESTIONS):
        pcm = b"".join(s.pcm for s in voice.speak(Utterance(text, "joe", rate_hz=RATE_HZ)))
        paths.append(folder / f"question-{number}.wav")
        wav.write(paths[-1], RATE_HZ, pcm)
    return tuple(paths)


class Site(msgspec.Struct, frozen=True):
    """A server that is measured: its realtime address, and a key for it."""

    url: str
    key: str


async def levels(
    site: Site, counts: Sequence[int], turns: int, questions: Sequence[Path]
) -> AsyncIterator[Level]:
    """Level after level, until one is too much."""
    first: Level | None = None
    for count in counts:
        level = await measured(site, count, turns, questions)
        first = first or level
        yield level
        if not level.holds(first):
            return


async def measured(site: Site, callers: int, turns: int, questions: Sequence[Path]) -> Level:
    """Let so many callers talk at once, `turns` each."""
    draw = random.Random(callers)
    talks = [converse(site, draw.sample(list(questions), turns), draw) for _ in range(callers)]
    reports = await asyncio.gather(*talks)
    answered = [turn.response_latency_ms for report in reports for turn in report.turns]
    found = tuple(latency for latency in answered if latency is not None)
    return Level(callers, found, callers * turns - len(found))


async def converse(site: Site, questions: Sequence[Path], draw: random.Random) -> Report:
    """One caller; one that is refused or cut off has lost its turns."""
    await asyncio.sleep(draw.uniform(0, STAGGER_S))
    wanted = Wanted(site.url, tuple(questions), site.key, instructions=INSTRUCTIONS, wait_s=WAIT_S)
    talk = Talk(wanted, lambda line: None)
    with contextlib.suppress(TalkError):
        return await talk.hold()
    return talk.report()


def learnt(found: Sequence[Level]) -> Learnt:
    """What the levels teach: as many as the last that holds are let in at once."""
    good = [level.callers for level in found if level.holds(found[0])]
    bad = [level.callers for level in found if not level.holds(found[0])]
    held = max(good, default=1)
    return Learnt(held, max(held, min(bad) - 1) if bad else None)


def curve(found: Sequence[Level], machine: Machine) -> Measured:
    """What is remembered of the levels, measured just now, of which the first one holds."""
    known = learnt(found)
    return Measured(
        at=datetime.now(UTC).replace(microsecond=0),
        machine=f"{machine.cpu}, {machine.cores} cores, {round(machine.memory_bytes / 2**30)} GB",
        held=known.held,
        limit=known.limit,
        bound_ms=round(found[0].bound_ms, 1),
        levels=tuple(level.kept() for level in found),
    )


class ServerFailed(Exception):
    """The server that was to be measured did not start; the text is what it said."""


@contextlib.contextmanager
def server(arguments: Sequence[str]) -> Iterator[Site]:
    """A server of its own for the measurement, that refuses nobody and has records of its own."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state,
        tempfile.TemporaryFile("w+") as said,
    ):
        Path(state).chmod(0o755)  # root's database runs as another user
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--port", "0", *arguments],
            env=os.environ
            | {"VOICEFORGE_LIMITS__ADMISSION": "off", "VOICEFORGE_STATE": state}
            | {"VOICEFORGE_DATABASE_URL": ""},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            url = _address(process, Path(f"/proc/self/fd/{said.fileno()}"))
            yield Site(url, read(Path(state) / FILE) or "")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _address(process: "subprocess.Popen[bytes]", said: Path) -> str:
    give_up = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < give_up:
        for line in said.read_text(encoding="utf-8").splitlines():
            if "ws://" in line:
                return "ws://" + line.split("ws://")[1].split()[0]
        time.sleep(0.1)
    raise ServerFailed(said.read_text(encoding="utf-8")[-2000:])
