"""A recording of any length in windows: nothing is lost, and little is held."""

import itertools
from collections.abc import AsyncIterator, Iterable

import numpy as np

from server.transcription.decoding import RATE_HZ
from server.transcription.windows import windows

NOISE = np.random.default_rng(1)


async def pieces(samples: np.ndarray, step: int = 7001) -> AsyncIterator[bytes]:
    data = samples.astype("<i2").tobytes()
    for at in range(0, len(data), step):
        yield data[at : at + step]


def spoken(seconds: Iterable[float]) -> np.ndarray:
    """Loud noise for so long, then half a second of quiet, and so on."""
    loud = (NOISE.normal(0, 3000, int(one * RATE_HZ)) for one in seconds)
    quiet = itertools.repeat(np.zeros(RATE_HZ // 2))
    return np.concatenate([part for pair in zip(loud, quiet, strict=False) for part in pair])


async def test_windows_are_the_recording_and_none_is_longer_than_half_a_minute() -> None:
    samples = spoken([9.1] * 20)
    found = [window async for window in windows(pieces(samples))]
    assert b"".join(window.pcm for window in found) == samples.astype("<i2").tobytes()
    assert max(len(window.pcm) for window in found) <= 30 * RATE_HZ * 2
    starts = [window.start_samples for window in found]
    assert starts == [0, *itertools.accumulate(len(window.pcm) // 2 for window in found[:-1])]


async def test_they_are_cut_where_it_is_quiet() -> None:
    samples = spoken([9.1] * 20)
    async for window in windows(pieces(samples)):
        if window.start_samples:
            around = samples[window.start_samples - 300 : window.start_samples + 300]
            assert np.abs(around).max() == 0


async def test_a_window_comes_before_the_recording_is_over() -> None:
    taken = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for piece in pieces(spoken([9.1] * 100), RATE_HZ):
            taken += len(piece)
            yield piece

    async for window in windows(counted()):
        assert taken - 2 * window.start_samples <= 91 * RATE_HZ * 2


async def test_half_a_sample_at_the_end_and_nothing_at_all_are_no_windows() -> None:
    assert [window async for window in windows(pieces(np.zeros(0)))] == []

    async def odd() -> AsyncIterator[bytes]:
        yield b"\0\0\0"

    assert [window.pcm async for window in windows(odd())] == [b"\0\0"]
