"""Sessions of 8 pass-through processors: `python -m bench.peers.relay SESSIONS SECONDS`.

As `bench.relay`, with pipecat's pipeline under its default worker settings (`PipelineTask` of old).
"""

import asyncio
import sys
import time

import uvloop
from loguru import logger
from pipecat.frames.frames import Frame, InputAudioRawFrame, OutputAudioRawFrame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from bench.pace import Feed, Lateness, pace, tell

PCM = bytes(640)  # 20 ms at 16 kHz


class Pass(FrameProcessor):
    """Pushes every frame on."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Sink(Pass):
    """The eighth processor: notes when frames come out. `pts` holds when they were due."""

    def __init__(self, lateness: Lateness) -> None:
        super().__init__()
        self.lateness = lateness
        self.started = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, (InputAudioRawFrame, OutputAudioRawFrame)):
            self.lateness.add(frame.pts / 1e6)
        elif isinstance(frame, StartFrame):
            self.started.set()
        await super().process_frame(frame, direction)


async def session(sink: Sink, runner: WorkerRunner) -> Feed:
    """Start a session; returns what feeds it one frame each way."""
    processors = [*(Pass() for _ in range(7)), sink]
    worker = PipelineWorker(Pipeline(processors), idle_timeout_secs=None)
    await runner.add_workers(worker)
    first = processors[0]

    async def feed(due: float) -> None:
        for kind in (InputAudioRawFrame, OutputAudioRawFrame):
            frame = kind(audio=PCM, sample_rate=16_000, num_channels=1)
            frame.pts = int(due * 1e6)
            await first.queue_frame(frame, FrameDirection.DOWNSTREAM)

    return feed


async def relay(sessions: int, seconds: float) -> None:
    began = time.monotonic()
    lateness = Lateness()
    runner = WorkerRunner(handle_sigint=False)
    sinks = [Sink(lateness) for _ in range(sessions)]
    feeds = [await session(sink, runner) for sink in sinks]
    running = asyncio.create_task(runner.run())
    await asyncio.gather(*(sink.started.wait() for sink in sinks))
    kept_up = await pace(feeds, lateness, seconds)
    tell(sessions, lateness, kept_up, time.monotonic() - began)
    await runner.cancel()
    await running


if __name__ == "__main__":
    logger.remove()
    uvloop.run(relay(int(sys.argv[1]), float(sys.argv[2])))
