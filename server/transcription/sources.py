"""Where samples come from: mono, 16 bit, little-endian, at `RATE_HZ`."""

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import BinaryIO, Protocol

from server.transcription.decoding import LONGEST_S, PIECE_BYTES, RATE_HZ, Undecodable, too_long


class Source(Protocol):
    """A recording. `promised_s` is how long it says that it is; 0: it does not, or not yet."""

    promised_s: float

    def samples(self) -> AsyncGenerator[bytes, None]:
        """As fast as they are taken, once. Raises `Undecodable`."""
        ...


class Plain:
    """A file of nothing but samples."""

    def __init__(self, recording: BinaryIO) -> None:
        size = recording.seek(0, os.SEEK_END)
        recording.seek(0)
        self._bytes = size
        self._recording = recording
        self.promised_s = size / 2 / RATE_HZ

    async def samples(self) -> AsyncGenerator[bytes, None]:
        if self._bytes % 2:
            raise Undecodable(f"{self._bytes} bytes: 16-bit samples need an even number of them")
        if self.promised_s > LONGEST_S:
            raise too_long(self.promised_s)
        while piece := await asyncio.to_thread(self._recording.read, PIECE_BYTES):
            yield piece
