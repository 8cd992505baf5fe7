"""A long recording in windows that recognisers take, cut where it is quiet."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

import msgspec
import numpy as np

from actors.silences import LONGEST_S, pieces
from server.transcription.decoding import RATE_HZ

HELD = 1.1
"""So many of the longest parts are held until one is cut off."""


class Window(msgspec.Struct, frozen=True):
    """A part of a recording, which begins after `start_samples` of it."""

    pcm: bytes
    start_samples: int


async def windows(
    samples: AsyncIterator[bytes], longest_s: Callable[[], float] = lambda: LONGEST_S
) -> AsyncGenerator[Window, None]:
    """The parts, none longer than `longest_s` just then, in order and nothing between them: 16-bit
    mono, 16 kHz.
    """
    held = bytearray()
    start = 0
    async for piece in samples:
        held += piece
        while len(held) > HELD * longest_s() * RATE_HZ * 2:
            part = first(held, longest_s())
            yield Window(part, start)
            start += len(part) // 2
            del held[: len(part)]
    while len(held) > 1:
        part = first(held, longest_s())
        yield Window(part, start)
        start += len(part) // 2
        del held[: len(part)]


def first(pcm: bytearray, longest_s: float) -> bytes:
    """The first part of what is held."""
    enough = int(HELD * longest_s * RATE_HZ) * 2
    some = np.frombuffer(bytes(pcm[: min(len(pcm) // 2 * 2, enough)]), "<i2")
    return pieces(some, RATE_HZ, longest_s)[0].tobytes()
