"""Recordings, and live speech beside them."""

import asyncio
from collections.abc import AsyncIterator

from actors.piece_length import FIRST_S
from actors.recordings import Recordings
from actors.stt_router import CallerLanguage
from engine.capabilities import Clip, Transcript
from engine.frames import CALLER_HZ, Frame, ItemWords
from engine.inference import InferenceError
from tests.scripted import Scripted


def fail(error: BaseException) -> None:
    raise AssertionError("the actor failed") from error


async def told(transcribe: Scripted[Clip, Transcript], *seconds: float) -> list[Frame]:
    """What comes of recordings of these lengths."""
    frames: list[Frame] = []
    came = asyncio.Event()

    def emit(frame: Frame) -> None:
        frames.append(frame)
        if len(frames) == len(seconds):
            came.set()

    actor = Recordings(transcribe, CallerLanguage("en"))
    actor.emit = emit
    actor.start(fail)
    for number, length in enumerate(seconds):
        actor.transcribe(f"item_{number}", bytes(2 * int(length * CALLER_HZ)))
    async with asyncio.timeout(20):
        await came.wait()
    actor.close()
    return frames


async def test_a_long_recording_is_transcribed_in_pieces_of_a_few_seconds() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        lengths.append(len(clip.pcm) / 2 / CALLER_HZ)
        yield Transcript(" word ")

    lengths: list[float] = []
    frames = await told(Scripted(script), 20.0, 0.5)
    assert max(lengths) <= FIRST_S
    assert sum(lengths) == 20.5
    assert frames == [
        ItemWords("item_0", " ".join(["word"] * (len(lengths) - 1)), 20.0),
        ItemWords("item_1", "word", 0.5),
    ]


async def test_a_recording_that_cannot_be_transcribed_says_why_and_the_next_is() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        if len(clip.pcm) > CALLER_HZ:
            raise InferenceError("worker_lost", "the stt worker was lost")
        yield Transcript("fine")

    frames = await told(Scripted(script), 1.0, 0.25)
    assert frames == [
        ItemWords("item_0", None, 1.0, "worker_lost", "the stt worker was lost"),
        ItemWords("item_1", "fine", 0.25),
    ]
