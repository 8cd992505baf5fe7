"""Who is taken for the caller in a noisy room: `python -m bench.babble`.

A cafe of eight people and the echo of the agent's story go through Silero and `engine.voicing`,
with nobody at the phone (everything found there is false) and with callers who say the labelled
turns (how long it takes until they are found). Each line with and without the guard for faint
sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.piper import Piper
from actors.silero import Silero
from actors.store import Store
from bench import storyteller
from bench.sound import QUIET_DBFS, Sound, amplitude, babble, load, load_turns, noise
from engine.capabilities import Utterance
from engine.frames import CALLER_HZ, Frame, Onset, Voice
from engine.settings import TurnSettings
from engine.voicing import FAINT_GUARD, Voicing

CAFES = 24
LENGTH_S = 50
FIRST_S, EVERY_S = 4.0, 9.0  # when callers speak
FOUND_WITHIN_S = 2.0
ECHO_DELAY_S = 0.13
WINDOW = Silero.WINDOW_SAMPLES
LEVELS = (  # cafe and echo in dBFS (of the agent's level), callers' loss in dB
    (-45.0, -30.0, 0.0),
    (-45.0, -30.0, -12.0),
    (-45.0, None, 0.0),
    (-45.0, None, -12.0),
    (-40.0, -30.0, 0.0),
)


@dataclass(frozen=True)
class Found:
    """What a voicing made of all cafes."""

    false: int
    delays_ms: Sequence[float]
    missed: int

    def line(self) -> str:
        waits = f"{np.median(self.delays_ms):9.0f}{np.percentile(self.delays_ms, 95):9.0f}"
        return f"{self.false / (CAFES * LENGTH_S / 60):9.2f}{waits}{self.missed:9}"


def told() -> Sound:
    """The agent's story."""
    utterance = Utterance(storyteller.STORY, "joe", 1.0, CALLER_HZ)
    piper = Piper(Store().path("piper-joe"))
    pcm = b"".join(speech.pcm for speech in piper.speak(utterance))
    return np.asarray(np.frombuffer(pcm, np.int16) / np.float32(32768), np.float32)


def cafes(dbfs: float, echo: Sound) -> Sound:
    """`CAFES` rooms [n, samples]."""
    people = [load(turn, CALLER_HZ) for turn in load_turns()]
    samples = LENGTH_S * CALLER_HZ
    return np.stack(
        [
            noise(samples, QUIET_DBFS, np.random.default_rng(seed))
            + babble(people, samples, dbfs, np.random.default_rng(seed))
            + echo
            for seed in range(CAFES)
        ]
    )


def called(rooms: Sound, loss_db: float) -> tuple[Sound, list[list[float]]]:
    """The rooms with callers in them, and when each begins to speak, in s."""
    turns = [turn for turn in load_turns() if turn.kind != "acknowledgement"]
    rooms = rooms.copy()
    begun: list[list[float]] = []
    for seed, room in enumerate(rooms):
        draw = np.random.default_rng(seed + CAFES)
        begun.append([])
        for at in np.arange(FIRST_S, LENGTH_S - EVERY_S, EVERY_S) + draw.uniform(0, 2):
            turn = turns[int(draw.integers(len(turns)))]
            clip = load(turn, CALLER_HZ) * np.float32(amplitude(loss_db))
            first = int(at * CALLER_HZ)
            room[first : first + len(clip)] += clip
            begun[-1].append(first / CALLER_HZ + turn.first_voiced_ms / 1000)
    return rooms, begun


def windows(silero: Silero, rooms: Sound) -> list[list[Voice]]:
    """What the VAD hears in each room."""
    context = Silero.CONTEXT_SAMPLES
    count = rooms.shape[1] // WINDOW
    padded = np.pad(rooms, ((0, 0), (context, 0)))
    memory = np.zeros((2, len(rooms), Silero.MEMORY), np.float32)
    heard: list[list[Voice]] = [[] for _ in rooms]
    for number in range(count):
        window = np.ascontiguousarray(padded[:, number * WINDOW : (number + 1) * WINDOW + context])
        probabilities, memory = silero.probabilities(window, memory)
        dbfs: NDArray[np.float64] = 10 * np.log10(np.mean(np.square(window), axis=1) + 1e-9)
        for voices, probability, level in zip(heard, probabilities, dbfs, strict=True):
            voices.append(Voice(float(probability), float(level), (number + 1) * WINDOW))
    return heard


def onsets(voices: Sequence[Voice], guarded: bool, faint_guard: float) -> list[float]:
    """When the news of each onset comes, in s."""
    found: list[float] = []
    actor = Voicing(TurnSettings().threshold, faint_guard=faint_guard)
    actor.guarded = guarded
    now = 0.0

    def emit(frame: Frame) -> None:
        if isinstance(frame, Onset):
            found.append(now)

    actor.emit = emit
    for voice in voices:
        now = voice.at_samples / CALLER_HZ
        actor.receive(voice)
    return found


def judged(
    empty: list[list[Voice]],
    spoken: list[list[Voice]],
    begun: list[list[float]],
    guarded: bool,
    faint_guard: float,
) -> Found:
    false = sum(len(onsets(room, guarded, faint_guard)) for room in empty)
    delays: list[float] = []
    for room, starts in zip(spoken, begun, strict=True):
        found = onsets(room, guarded, faint_guard)
        for start in starts:
            fresh = [at for at in found if start <= at < start + FOUND_WITHIN_S]
            delays += [(at - start) * 1000 for at in fresh[:1]]
    return Found(false, delays, sum(map(len, begun)) - len(delays))


def main() -> None:
    """Run all levels."""
    silero = Silero(Store().path("silero-vad"))
    story = np.resize(told(), LENGTH_S * CALLER_HZ)
    print(
        f"{CAFES} cafes of {LENGTH_S} s, {CAFES * 5} callers; onset: the first sample to its news"
    )
    print(f"{'':44}{'false/min':>9}{'p50 ms':>9}{'p95 ms':>9}{'missed':>9}")
    for cafe_dbfs, echo_dbfs, loss_db in LEVELS:
        echo = np.zeros_like(story)
        if echo_dbfs is not None:
            echo = np.roll(story, int(ECHO_DELAY_S * CALLER_HZ)) * amplitude(echo_dbfs)
        rooms = cafes(cafe_dbfs, np.asarray(echo, np.float32))
        empty = windows(silero, rooms)
        callers, begun = called(rooms, loss_db)
        spoken = windows(silero, callers)
        agent = "agent silent" if echo_dbfs is None else f"echo {echo_dbfs:.0f} dB"
        name = f"cafe {cafe_dbfs:.0f} dBFS, {agent}, callers {loss_db:+.0f} dB"
        for row, guard in ((name, FAINT_GUARD), ("   without the guard", 0.0)):
            found = judged(empty, spoken, begun, echo_dbfs is not None, guard)
            print(f"{row:44}{found.line()}", flush=True)


if __name__ == "__main__":
    main()
