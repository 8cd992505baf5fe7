"""Silero, batched by clock slot, on the labelled turns."""

import asyncio
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.silero import Silero
from actors.store import Store
from actors.vad import Vad, VadSlots
from bench.turns import Pcm, by_phone, on_line, turns
from engine.frames import Audio, Frame, Voice

pytestmark = pytest.mark.models

SPEECH = 0.5
LOUDER = -55.0  # dBFS of noise that is not taken for silence
FRAME = 320


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero(Store().path("silero-vad"))


def alone(silero: Silero, pcm: Pcm) -> list[float]:
    """The probabilities of a clip's windows, without slots and batches."""
    memory = np.zeros((2, 1, Silero.MEMORY), np.float32)
    padded = np.concatenate([np.zeros(64), pcm / 32768]).astype(np.float32)
    heard = []
    for at in range(0, len(pcm) - 511, 512):
        window = padded[None, at : at + 576]
        probabilities, memory = silero.probabilities(window, memory)
        heard.append(float(probabilities[0]))
    return heard


def edges_ms(heard: list[float]) -> tuple[int, int]:
    """Where the first window of speech begins and the last one ends."""
    spoken = [at for at, probability in enumerate(heard) if probability >= SPEECH]
    return spoken[0] * 32, (spoken[-1] + 1) * 32


class Ear:
    """Takes a stream's probabilities and levels."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self.levels: list[float] = []
        self._more = asyncio.Event()

    def __call__(self, probability: float, dbfs: float) -> None:
        self.heard.append(probability)
        self.levels.append(dbfs)
        self._more.set()

    async def reaches(self, count: int) -> list[float]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()
        return self.heard


def fail(error: BaseException) -> None:
    raise AssertionError("a stream failed") from error


def test_speech_is_found_where_it_is_labelled(silero: Silero) -> None:
    for turn in turns("question", "hesitation")[::5]:
        start, end = edges_ms(alone(silero, on_line(turn.pcm(), behind_ms=700)))
        assert abs(start - turn.first_voiced_ms) < 100, turn
        assert abs(end - turn.last_voiced_ms) < 130, turn


@pytest.mark.parametrize("narrow", [False, True])
def test_noise_and_the_phone_band_do_not_hide_speech(silero: Silero, narrow: bool) -> None:
    for turn in turns("question")[::6]:
        pcm = on_line(turn.pcm(), behind_ms=700, dbfs=-50)
        start, end = edges_ms(alone(silero, by_phone(pcm) if narrow else pcm))
        assert abs(start - turn.first_voiced_ms) < 250, turn
        assert abs(end - turn.last_voiced_ms) < 200, turn


def test_noise_alone_is_no_speech(silero: Silero) -> None:
    for dbfs in (-72.0, -50.0, -30.0):
        assert max(alone(silero, on_line(np.zeros(0, np.int16), 3000, dbfs))) < SPEECH


def test_a_window_of_the_wrong_length_is_refused(silero: Silero) -> None:
    with pytest.raises(ValueError, match="windows have 512 samples"):
        silero.probabilities(np.zeros((1, 512), np.float32), np.zeros((2, 1, 128), np.float32))


async def test_a_batch_gives_what_each_stream_gives_alone(silero: Silero) -> None:
    clips = [on_line(turn.pcm(), 0, LOUDER)[:32000] for turn in turns("question")[:5]]
    slots = VadSlots(silero)
    ears = [Ear() for _ in clips]
    streams = [slots.open(ear, fail) for ear in ears]
    for at in range(0, 32000, FRAME):
        for stream, clip in zip(streams, clips, strict=True):
            stream.feed(clip[at : at + FRAME].tobytes())
        if at % 1600 == 0:
            await asyncio.sleep(0)
    for clip, ear in zip(clips, ears, strict=True):
        expected = alone(silero, clip)
        assert await ear.reaches(len(expected)) == pytest.approx(expected, abs=1e-3)


async def test_audio_in_pieces_of_any_length_is_heard_in_order(silero: Silero) -> None:
    clip = on_line(turns("question")[0].pcm(), 0, LOUDER)
    random = np.random.default_rng(3)
    ear = Ear()
    stream = VadSlots(silero).open(ear, fail)
    at = 0
    while at < len(clip):
        size = int(random.choice([1, 80, 320, 511, 512, 513, 2000, 5000]))
        stream.feed(clip[at : at + size].tobytes())
        at += size
        if random.random() < 0.2:
            await asyncio.sleep(0.01)
    expected = alone(silero, clip)
    assert await ear.reaches(len(expected)) == pytest.approx(expected, abs=1e-3)


async def test_a_long_piece_is_heard_window_by_window_and_never_copied(silero: Silero) -> None:
    pcm = np.repeat(np.arange(1, 9_001, dtype=np.int16), 512).tobytes()  # each window its number
    slots = VadSlots(silero)
    windows: list[int] = []
    stream = slots.open(lambda *_: windows.append(int(slots._rows[stream.slot, -1])), fail)
    tracemalloc.start()
    try:
        stream.feed(pcm)
        for _ in range(8_999):
            stream.deliver(0.0, -60.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        stream.close()
    assert windows == list(range(2, 9_001))
    assert peak < len(pcm) / 4


async def test_what_nobody_could_hear_is_not_run_and_speech_behind_it_is_found(
    silero: Silero,
) -> None:
    run = 0

    class Counting(Silero):
        def probabilities(
            self, windows: NDArray[np.float32], memory: NDArray[np.float32]
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            nonlocal run
            run += len(windows)
            return super().probabilities(windows, memory)

    ear = Ear()
    stream = VadSlots(Counting(Store().path("silero-vad"))).open(ear, fail)
    turn = turns("question")[0]
    stream.feed(on_line(np.zeros(0, np.int16), 3200).tobytes())
    await ear.reaches(100)
    assert run == 0
    stream.feed(on_line(turn.pcm(), 3200).tobytes())
    heard = (await ear.reaches(100 + (len(turn.pcm()) + 51200) // 512))[100:]
    start, end = edges_ms(heard)
    assert abs(start - turn.first_voiced_ms) < 100
    assert abs(end - turn.last_voiced_ms) < 130
    assert run < len(heard) - 60


async def test_each_window_comes_with_its_level(silero: Silero) -> None:
    ear = Ear()
    stream = VadSlots(silero).open(ear, fail)
    half = np.tile(np.array([16384, -16384], np.int16), 512)
    stream.feed(bytes(2 * 1024) + half.tobytes())
    await ear.reaches(4)
    # The window's 512 samples and the 64 before them, which are silent for the third.
    expected = [-90, -90, -6.02 + 10 * np.log10(512 / 576), -6.02]
    assert ear.levels == pytest.approx(expected, abs=0.01)


async def test_a_closed_stream_delivers_nothing_to_the_next_owner_of_its_slot(
    silero: Silero,
) -> None:
    speech = turns("question")[0].pcm()
    slots = VadSlots(silero, capacity=1)
    first, second = Ear(), Ear()
    stream = slots.open(first, fail)
    stream.feed(speech[8000 : 8000 + 512].tobytes())
    stream.close()
    stream.close()
    follower = slots.open(second, fail)
    stream.feed(speech[8000 : 8000 + 512].tobytes())
    await asyncio.sleep(0.03)
    assert (first.heard, second.heard) == ([], [])
    noise = on_line(np.zeros(512, np.int16), 0, LOUDER)
    follower.feed(noise.tobytes())
    expected = alone(silero, noise)
    assert await second.reaches(1) == pytest.approx(expected, abs=1e-4)
    assert first.heard == []


async def test_a_full_process_says_so(silero: Silero) -> None:
    slots = VadSlots(silero, capacity=2)
    streams = [slots.open(print, fail) for _ in range(2)]
    with pytest.raises(RuntimeError, match="all 2 VAD slots are taken"):
        slots.open(print, fail)
    streams[0].close()
    slots.open(print, fail)


async def test_an_owner_that_raises_fails_alone(silero: Silero) -> None:
    slots = VadSlots(silero)
    errors: list[BaseException] = []
    ear = Ear()

    def broken(probability: float, dbfs: float) -> None:
        raise LookupError("broken owner")

    bad, good = slots.open(broken, errors.append), slots.open(ear, fail)
    for _ in range(3):
        bad.feed(bytes(1024))
        good.feed(bytes(1024))
    await ear.reaches(3)
    assert [str(error) for error in errors] == ["broken owner"]


async def test_an_odd_number_of_bytes_is_refused(silero: Silero) -> None:
    stream = VadSlots(silero).open(print, fail)
    with pytest.raises(ValueError, match="audio has 3 bytes"):
        stream.feed(b"abc")


async def test_a_session_hears_its_audio_at_once_and_each_window_with_its_place(
    silero: Silero,
) -> None:
    received: list[Frame] = []
    vad = Vad(VadSlots(silero))
    vad.emit = received.append
    vad.start(fail)
    for at in range(0, 3200, FRAME):
        vad.receive(Audio(pcm=bytes(2 * FRAME), at_samples=16000 + at))
    assert len(received) == 10
    async with asyncio.timeout(20):
        while sum(isinstance(frame, Voice) for frame in received) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    vad.close()
    voices = [frame.at_samples for frame in received if isinstance(frame, Voice)]
    assert voices == [16000 + 512 * (count + 1) for count in range(6)]


def test_a_model_folder_without_the_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="silero_vad"):
        Silero(tmp_path)
