"""A WAV file of two channels, written in any order, and right at any moment: mono 16-bit PCM at
`HZ`, the caller on the left, the agent on the right.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HZ = 24_000
CHANNELS = 2
FRAME = 2 * CHANNELS
"""Bytes of a sample of both sides."""

HEADER = 44

MOST_BYTES = 2**32 - HEADER
"""As much as a WAV file can hold: 12 hours."""

BLOCK = 2**18
"""Read at a time: some three seconds."""


class Stereo:
    """The file `path`, new or gone on with. Raises `OSError`, as its methods do."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = max(HEADER, os.fstat(self._file).st_size)

    def put(self, channel: int, begin: int, samples: NDArray[np.int16]) -> None:
        """Write one side's samples from `begin` on; the other's stay as they are."""
        at, length = HEADER + begin * FRAME, len(samples) * FRAME
        block = bytearray(os.pread(self._file, length, at).ljust(length, b"\0"))
        np.frombuffer(block, "<i2").reshape(-1, CHANNELS)[:, channel] = samples
        self._write(bytes(block), at)
        self._size = max(self._size, at + length)

    def mend(self) -> None:
        """Have the header say how long it is."""
        self._write(header(self._size - HEADER), 0)

    def close(self) -> None:
        os.close(self._file)

    def _write(self, body: bytes, at: int) -> None:
        while body:
            written = os.pwrite(self._file, body, at)
            body, at = body[written:], at + written


def header(size: int) -> bytes:
    """Of a file with so many bytes of sound."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", size + HEADER - 8, b"WAVE"),
        *(b"fmt ", 16, 1, CHANNELS, HZ, HZ * FRAME, FRAME, 16),
        *(b"data", size),
    )


def whole(path: Path) -> int:
    """The bytes of sound that are there, whatever the header says: its gateway may have died, or
    may be writing. Raises `OSError`.
    """
    size = max(0, path.stat().st_size - HEADER)
    return size - size % FRAME


def read(path: Path, size: int, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The file with so many bytes of sound; or from its byte `begin` to before `end`. Raises
    `OSError`.
    """
    end = HEADER + size if end is None else end
    yield header(size)[begin:end]
    yield from blocks(path, max(begin, HEADER), end)


def blocks(path: Path, begin: int, end: int) -> Iterator[bytes]:
    """A part of any file, some of it at a time. Raises `OSError`."""
    with path.open("rb") as file:
        file.seek(begin)
        while begin < end:
            block = file.read(min(BLOCK, end - begin))
            if not block:
                return
            begin += len(block)
            yield block
