"""AAC, which libsndfile does not know, as FFmpeg's own encoder makes it.

Its binding, PyAV, has x264 and x265 in its wheels, which are GPL: so it runs in a process of its
own, `python -m server.speech.aac RATE_HZ <samples >file`, for who asks for this format.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import AsyncIterator
from typing import BinaryIO, ClassVar
from weakref import WeakSet

from engine.child import child_environment
from server.access.denied import retry

KBIT_S = 96
"""As OpenAI's MP3."""

PIECE_BYTES = 9600
"""A fifth of a second at 24 kHz."""

SENT_BYTES = 65_536

MOST = 8
"""At once in a gateway: each is an interpreter of its own."""

RETRY_S = 5


class Aac:
    """What the other process makes of it. It ends with who made it. Raises `Denied` if there are
    `MOST` of them.
    """

    _alive: ClassVar[WeakSet["Aac"]] = WeakSet()

    def __init__(self, rate_hz: int) -> None:
        if len(self._alive) >= MOST:
            text = f"{MOST} texts are made into AAC here: come again, or ask for another format"
            raise retry(503, "too_many_encoders", text, RETRY_S)
        self._alive.add(self)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is read while it grows
        self._process = subprocess.Popen(
            (sys.executable, "-m", "server.speech.aac", str(rate_hz)),
            stdin=subprocess.PIPE,
            stdout=self._file,
            env=child_environment(),
        )
        self._sent = 0
        weakref.finalize(self, stop, self._process, self._file)

    async def feed(self, pcm: bytes) -> bytes:
        return await asyncio.to_thread(self._written, pcm)

    async def end(self) -> AsyncIterator[bytes]:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if await asyncio.to_thread(self._process.wait):
            raise OSError(f"the AAC encoder ended with status {self._process.returncode}")
        while piece := self._grown():
            yield piece

    def _written(self, pcm: bytes) -> bytes:
        assert self._process.stdin is not None
        self._process.stdin.write(pcm)
        self._process.stdin.flush()
        return self._grown()

    def _grown(self) -> bytes:
        """What has come since the last time."""
        piece = os.pread(self._file.fileno(), SENT_BYTES, self._sent)
        self._sent += len(piece)
        return piece


def stop(process: subprocess.Popen[bytes], file: BinaryIO) -> None:
    """Nobody listens any more, or all is sent."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it has ended, and not read all
            process.stdin.close()
    process.kill()
    process.wait()
    file.close()


def encode(samples: BinaryIO, file: BinaryIO, rate_hz: int) -> None:
    """In the process of its own: 16-bit mono in, ADTS frames out, as they come."""
    import av
    import numpy as np

    with av.open(file, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate_hz, layout="mono")
        stream.bit_rate = KBIT_S * 1000
        while piece := samples.read(PIECE_BYTES):
            pcm = np.frombuffer(piece, "<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            frame.sample_rate = rate_hz
            container.mux(stream.encode(frame))
            file.flush()
        container.mux(stream.encode(None))


if __name__ == "__main__":
    encode(sys.stdin.buffer, sys.stdout.buffer, int(sys.argv[1]))
