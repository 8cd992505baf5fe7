"""Speech in the formats that clients ask for, encoded while it is still being made.

libsndfile (through soundfile) encodes: it is LGPL, has LAME, libopus and libFLAC inside, and is
what recordings use. It writes files, so here it writes into one of which everything is sent on at
once, but for FLAC, whose header must know the length: without it libsndfile itself cannot read it
to the end.
"""

import asyncio
import io
import struct
import tempfile
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import soundfile

Name = Literal["mp3", "opus", "flac", "wav", "pcm"]

RATE_HZ = 24_000
"""Of OpenAI's speech, in every format. Every voice here has so much, or less."""

LSF_KBIT_S = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates of MPEG-2's lower sampling frequencies, by their number."""

SENT_BYTES = 65_536

ENDLESS = 0xFFFFFFFF
"""The length of a WAV file whose end is not known yet, as encoders that stream write it."""


class Encoder(Protocol):
    """Makes a file of speech, piece by piece."""

    async def feed(self, pcm: bytes) -> bytes:
        """What can be sent after this speech: 16-bit mono at `RATE_HZ`."""
        ...

    def end(self) -> AsyncIterator[bytes]:
        """The rest."""
        ...


class Format(msgspec.Struct, frozen=True):
    """A format's media type, and what encodes it."""

    media_type: str
    make: Callable[[], Encoder]


class Plain:
    """The samples themselves, behind a header."""

    def __init__(self, header: bytes = b"") -> None:
        self._header = header

    async def feed(self, pcm: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + pcm

    async def end(self) -> AsyncIterator[bytes]:
        yield await self.feed(b"")


class Encoded:
    """What libsndfile makes of it, in a thread: a second of speech takes some milliseconds."""

    def __init__(self, container: str, codec: str, **how: Any) -> None:
        self._sent = Sent()
        self._sound = soundfile.SoundFile(
            self._sent, "w", RATE_HZ, 1, codec, format=container, closefd=False, **how
        )

    async def feed(self, pcm: bytes) -> bytes:
        await asyncio.to_thread(self._sound.write, np.frombuffer(pcm, "<i2"))
        return self._sent.take()

    async def end(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self._sound.close)
        yield self._sent.take()


class Mp3(Encoded):
    """MP3 of a constant bit rate, by which decoders know how long it is.

    LAME keeps the first frame for what it knows at the end. It is left out.
    """

    def __init__(self) -> None:
        super().__init__("MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.4)
        self._held: bytes | None = b""

    async def feed(self, pcm: bytes) -> bytes:
        data = await super().feed(pcm)
        if self._held is None:
            return data
        self._held += data
        if len(self._held) < 4 or len(self._held) < frame_bytes(self._held):
            return b""
        data, self._held = self._held[frame_bytes(self._held) :], None
        return data


class Whole:
    """A file whose header tells its length: it is sent when that is known."""

    def __init__(self, container: str, codec: str) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - a thread may still write when ...
        self._sound = soundfile.SoundFile(
            self._file, "w", RATE_HZ, 1, codec, format=container, closefd=False
        )
        weakref.finalize(self._sound, self._file.close)  # ... whoever listened has gone

    async def feed(self, pcm: bytes) -> bytes:
        await asyncio.to_thread(self._sound.write, np.frombuffer(pcm, "<i2"))
        return b""

    async def end(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self._sound.close)
        self._file.seek(0)
        while piece := await asyncio.to_thread(self._file.read, SENT_BYTES):
            yield piece


class Sent(io.RawIOBase):
    """A file whose bytes are taken as they are written. What is written over them is lost."""

    def __init__(self) -> None:
        self._at = 0
        self._end = 0
        self._new = bytearray()

    def take(self) -> bytes:
        """What was written since the last time."""
        new = bytes(self._new)
        self._new.clear()
        return new

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview[int]") -> int:  # type: ignore[override]
        fresh = bytes(data)[max(0, self._end - self._at) :]
        self._new += fresh
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def readinto(self, _: object) -> int:
        return 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at


def frame_bytes(data: bytes) -> int:
    """How long the MP3 frame is that begins here: of MPEG-2, layer III (ISO/IEC 13818-3)."""
    kbit_s = LSF_KBIT_S[data[2] >> 4]
    return 72 * kbit_s * 1000 // RATE_HZ + (data[2] >> 1 & 1)


def wav_header(rate_hz: int = RATE_HZ) -> bytes:
    """Of a mono file of 16 bits without a known end (Microsoft's "Multimedia Programming Interface
    and Data Specifications 1.0", 1991).
    """
    form = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    riff = b"RIFF" + struct.pack("<I", ENDLESS) + b"WAVE"
    return (
        riff + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", ENDLESS)
    )


FORMATS: dict[Name, Format] = {
    "mp3": Format("audio/mpeg", Mp3),
    "opus": Format("audio/ogg", lambda: Encoded("OGG", "OPUS")),
    "flac": Format("audio/flac", lambda: Whole("FLAC", "PCM_16")),
    "wav": Format("audio/wav", lambda: Plain(wav_header())),
    "pcm": Format("audio/pcm", Plain),
}
