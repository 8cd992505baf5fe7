"""Speech in the formats that clients ask for, encoded while it is still being made.

MP3 and Opus are encoded as it comes. libsndfile (LGPL, through soundfile) makes FLAC, whose header
must know the length: without it libsndfile itself cannot read it to the end.
"""

import asyncio
import struct
import tempfile
import weakref
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Literal, Protocol

import msgspec
import numpy as np
import soundfile

from server.speech.aac import Aac
from server.speech.lame import Lame
from server.speech.opus import Opus

Name = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

RATE_HZ = 24_000
"""Of OpenAI's speech, in every format. Every voice here has so much, or less."""

MP3_KBIT_S = 96
"""Of OpenAI's speech."""

OPUS_KBIT_S = 36
"""What libsndfile chooses for speech at this rate."""

MP3_LEAD = 1105
"""Samples of silence before an MP3: 576 of LAME's, and 529 of any decoder's."""

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


class Codec(Protocol):
    """Makes a file of speech in the thread that calls it."""

    def encode(self, pcm: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class Encoded:
    """What a codec makes of it, in a thread: a second of speech takes some milliseconds."""

    def __init__(self, make: Callable[[], Codec]) -> None:
        self._make = make
        self._codec: Codec | None = None

    async def feed(self, pcm: bytes) -> bytes:
        return await asyncio.to_thread(lambda: self._begun().encode(pcm))

    async def end(self) -> AsyncIterator[bytes]:
        yield await asyncio.to_thread(lambda: self._begun().end())

    def _begun(self) -> Codec:
        if self._codec is None:
            self._codec = self._make()  # the first loads its library
        return self._codec


def mp3(rate_hz: int = RATE_HZ, kbit_s: int = MP3_KBIT_S) -> Encoded:
    """MP3 of a constant bit rate."""
    return Encoded(partial(Lame, rate_hz, kbit_s))


def opus(rate_hz: int = RATE_HZ, kbit_s: int = OPUS_KBIT_S) -> Encoded:
    """Opus in Ogg. The bit rate is a mean: speech takes less in its pauses."""
    return Encoded(partial(Opus, rate_hz, kbit_s))


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
    "mp3": Format("audio/mpeg", mp3),
    "opus": Format("audio/ogg", opus),
    "aac": Format("audio/aac", lambda: Aac(RATE_HZ)),
    "flac": Format("audio/flac", lambda: Whole("FLAC", "PCM_16")),
    "wav": Format("audio/wav", lambda: Plain(wav_header())),
    "pcm": Format("audio/pcm", Plain),
}
