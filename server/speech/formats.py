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

from server.speech.aac import Aac

Name = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

RATE_HZ = 24_000
"""Of OpenAI's speech, in every format. Every voice here has so much, or less."""

MPEG1_HZ = 32_000
"""From here on an MP3 is one of MPEG-1; below it is one of MPEG-2's lower sampling frequencies."""

MPEG1_KBIT_S = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
LSF_KBIT_S = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Their bit rates, by their number."""

MP3_KBIT_S = 96
"""Of OpenAI's speech."""

OPUS_KBIT_S = (6, 256)
"""What libsndfile asks of libopus for the levels 1 and 0, in between evenly."""

MP3_LEAD = 1105
"""Samples of silence before an MP3: 576 of LAME's, and 529 of any decoder's."""

SMALLEST = 0.999
"""libsndfile refuses the level 1 for MP3; this gives the same bit rate."""

SENT_BYTES = 65_536

ENDLESS = 0xFFFFFFFF
"""The length of a WAV file whose end is not known yet, as encoders that stream write it."""


class Encoder(Protocol):
    """Makes a file of speech, piece by piece."""

    async def feed(self, pcm: bytes) -> bytes:
        """What can be sent after this speech: 16-bit mono at the format's rate."""
        ...

    def end(self) -> AsyncIterator[bytes]:
        """The rest."""
        ...


class Format(msgspec.Struct, frozen=True):
    """A format's media type, what encodes it, the rate at which that is fed, and how much silence
    decoders then hear before the first sample.
    """

    media_type: str
    make: Callable[[], Encoder]
    rate_hz: int = RATE_HZ
    lead_samples: int = 0


class Plain:
    """The samples themselves, behind a header."""

    def __init__(self, header: bytes = b"") -> None:
        self._header = header

    async def feed(self, pcm: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + pcm

    async def end(self) -> AsyncIterator[bytes]:
        yield await self.feed(b"")


class Telephone:
    """One byte a sample, as telephones send it: `law` is one of `transports.g711`."""

    def __init__(self, law: Callable[[bytes], bytes]) -> None:
        self._law = law

    async def feed(self, pcm: bytes) -> bytes:
        return self._law(pcm)

    async def end(self) -> AsyncIterator[bytes]:
        yield b""


class Encoded:
    """What libsndfile makes of it, in a thread: a second of speech takes some milliseconds."""

    def __init__(self, container: str, codec: str, rate_hz: int = RATE_HZ, **how: Any) -> None:
        self._sent = Sent()
        self._sound = soundfile.SoundFile(
            self._sent, "w", rate_hz, 1, codec, format=container, closefd=False, **how
        )

    async def feed(self, pcm: bytes) -> bytes:
        await asyncio.to_thread(self._sound.write, np.frombuffer(pcm, "<i2"))
        return self._sent.take()

    async def end(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self._sound.close)
        yield self._sent.take()


class Mp3(Encoded):
    """MP3 of a constant bit rate, by which decoders know how long it is.

    LAME keeps the first frame for what it knows at the end, where that fits in. It is left out.
    """

    def __init__(self, rate_hz: int = RATE_HZ, kbit_s: int = MP3_KBIT_S) -> None:
        level = mp3_level(rate_hz, kbit_s)
        how = {"bitrate_mode": "CONSTANT", "compression_level": level}
        super().__init__("MP3", "MPEG_LAYER_III", rate_hz, **how)
        self._rate_hz = rate_hz
        self._held: bytes | None = b""

    async def feed(self, pcm: bytes) -> bytes:
        data = await super().feed(pcm)
        if self._held is None:
            return data
        self._held += data
        if len(self._held) < 4:
            return b""
        length = frame_bytes(self._held, self._rate_hz)
        if len(self._held) < length:
            return b""
        data, self._held = self._held[length:] if is_kept(self._held[:length]) else self._held, None
        return data


class Opus(Encoded):
    """Opus in Ogg. The bit rate is a mean: speech takes less in its pauses."""

    def __init__(self, rate_hz: int, kbit_s: int) -> None:
        least, most = OPUS_KBIT_S
        level = (most - kbit_s) / (most - least)
        super().__init__("OGG", "OPUS", rate_hz, compression_level=level)


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


def mp3_level(rate_hz: int, kbit_s: int) -> float:
    """The compression level, 0 to 1, for which libsndfile asks LAME for this constant bit rate: it
    spreads the levels evenly over what this sampling frequency can have (measured, 1.2.2).
    """
    rates = MPEG1_KBIT_S if rate_hz >= MPEG1_HZ else LSF_KBIT_S
    return min(SMALLEST, (rates[-1] - kbit_s) / (rates[-1] - rates[1]))


def is_kept(frame: bytes) -> bool:
    """Whether LAME keeps this MP3 frame for itself: until the end there is nothing in it."""
    return not any(frame[4:])


def frame_bytes(data: bytes, rate_hz: int = RATE_HZ) -> int:
    """How long the MP3 frame is that begins here: layer III (ISO/IEC 11172-3 and 13818-3)."""
    number, padding = data[2] >> 4, data[2] >> 1 & 1
    if rate_hz >= MPEG1_HZ:
        return 144 * MPEG1_KBIT_S[number] * 1000 // rate_hz + padding
    return 72 * LSF_KBIT_S[number] * 1000 // rate_hz + padding


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
    "aac": Format("audio/aac", lambda: Aac(RATE_HZ)),
    "flac": Format("audio/flac", lambda: Whole("FLAC", "PCM_16")),
    "wav": Format("audio/wav", lambda: Plain(wav_header())),
    "pcm": Format("audio/pcm", Plain),
}
