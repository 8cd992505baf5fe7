"""Sessions of 8 pass-through actors, of which 3 wait: `python -m bench.relay SESSIONS SECONDS`.

Each takes 50 frames a second of the caller's audio and 50 of the agent's through all 8 actors.
"""

import sys
import time

import uvloop

from bench.pace import Feed, Lateness, pace, tell
from engine.actor import Actor, WaitingActor
from engine.frames import Audio, Frame, SpeechChunk
from engine.pipeline import Pipeline

WAITING = (3, 4, 5)  # where STT, LLM and TTS stand in a session
PCM = bytes(640)  # 20 ms at 16 kHz


class Sink(Actor):
    """The eighth actor: notes when frames come out. Their position holds when they were due."""

    def __init__(self, lateness: Lateness) -> None:
        super().__init__()
        self.lateness = lateness

    def receive(self, frame: Frame) -> None:
        if isinstance(frame, Audio):
            self.lateness.add(frame.at_samples / 1e6)
        elif isinstance(frame, SpeechChunk):
            self.lateness.add(frame.generation / 1e6)
        self.emit(frame)


def session(lateness: Lateness) -> Feed:
    """Start a session; returns what feeds it one frame each way."""

    def failed(error: BaseException) -> None:
        raise error

    passing = [WaitingActor() if place in WAITING else Actor() for place in range(7)]
    pipeline = Pipeline([*passing, Sink(lateness)], failed)
    pipeline.start()

    def feed(due: float) -> None:
        due_us = int(due * 1e6)
        pipeline.receive(Audio(PCM, due_us))
        pipeline.receive(SpeechChunk(due_us, PCM, 16_000, "", ()))

    return feed


async def relay(sessions: int, seconds: float) -> None:
    began = time.monotonic()
    lateness = Lateness()
    feeds = [session(lateness) for _ in range(sessions)]
    kept_up = await pace(feeds, lateness, seconds)
    tell(sessions, lateness, kept_up, time.monotonic() - began)


if __name__ == "__main__":
    uvloop.run(relay(int(sys.argv[1]), float(sys.argv[2])))
