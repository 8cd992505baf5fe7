"""A long recording in windows that recognisers take, cut where it is quiet."""

from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
import numpy as np

from actors.silences import LONGEST_S, pieces
from server.transcription.decoding import RATE_HZ

HELD_S = 2 * LONGEST_S
"""So much of a recording is held until it is cut."""


class Window(msgspec.Struct, frozen=True):
    """A part of a recording, which begins after `start_samples` of it."""

    pcm: bytes
    start_samples: int


async def windows(samples: AsyncIterator[bytes]) -> AsyncGenerator[Window, None]:
    """The parts, each of at most 30 s, in order and nothing between them: 16-bit mono, 16 kHz."""
    held = bytearray()
    start = 0
    async for piece in samples:
        held += piece
        if len(held) < HELD_S * RATE_HZ * 2:
            continue
        for part in cut(held)[:-1]:
            yield Window(part, start)
            start += len(part) // 2
            del held[: len(part)]
    for part in cut(held):
        if part:
            yield Window(part, start)
            start += len(part) // 2


def cut(pcm: bytearray) -> list[bytes]:
    """As many parts as there are."""
    whole = np.frombuffer(bytes(pcm[: len(pcm) // 2 * 2]), "<i2")
    return [part.tobytes() for part in pieces(whole, RATE_HZ)]
