"""Microphone and speakers of this machine, through the optional package `sounddevice`."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

from server import wav

NEEDED = (
    "the package sounddevice (pip install sounddevice) and PortAudio (Debian: apt install "
    "libportaudio2)"
)
MISSING = f"without --in, talk uses the microphone: that needs {NEEDED}"
MUTE = f"without --out it is played: that needs {NEEDED}"


class Stream(Protocol):
    """An open sound stream."""

    def start(self) -> None: ...

    def close(self) -> None: ...


class SoundCard:
    """Frames of the microphone in, agent audio out; both mono 16-bit PCM at `rate_hz`."""

    def __init__(self, rate_hz: int, frame_samples: int) -> None:
        device = sounddevice(MISSING)
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(maxsize=50)
        self._speech = bytearray()
        shape = {"samplerate": rate_hz, "channels": 1, "dtype": "int16", "blocksize": frame_samples}
        try:
            self._streams: tuple[Stream, Stream] = (
                device.RawInputStream(callback=self._captured, **shape),
                device.RawOutputStream(callback=self._wanted, **shape),
            )
        except device.PortAudioError as error:
            raise wav.RecordingError(f"no sound card can be used: {error}") from error

    def start(self) -> None:
        """Begin to capture and to play."""
        for stream in self._streams:
            stream.start()

    def close(self) -> None:
        """Give the sound card back."""
        for stream in self._streams:
            stream.close()

    async def frame(self) -> bytes:
        """The next frame of the microphone."""
        return await self._frames.get()

    def play(self, pcm: bytes) -> None:
        """Play behind what is already waiting."""
        self._speech += pcm

    def silence(self) -> None:
        """Drop what is waiting."""
        self._speech.clear()

    def _captured(self, data: Any, _frames: int, _time: Any, _status: Any) -> None:
        self._loop.call_soon_threadsafe(self._put, bytes(data))

    def _put(self, frame: bytes) -> None:
        if self._frames.full():  # the network stalls: old speech is worth less than new
            self._frames.get_nowait()
        self._frames.put_nowait(frame)

    def _wanted(self, out: Any, _frames: int, _time: Any, _status: Any) -> None:
        size = len(out)
        piece = bytes(self._speech[:size])
        del self._speech[:size]
        out[:] = piece.ljust(size, b"\0")


class Speaker:
    """Plays mono 16-bit PCM at `rate_hz`. Raises `RecordingError` where nothing can."""

    def __init__(self, rate_hz: int) -> None:
        device = sounddevice(MUTE)
        try:
            self._stream: Any = device.RawOutputStream(
                samplerate=rate_hz, channels=1, dtype="int16"
            )
        except device.PortAudioError as error:
            raise wav.RecordingError(f"no sound card can be used: {error}") from error

    async def play(self, pcm: AsyncIterator[bytes]) -> None:
        """Play it to its end."""
        self._stream.start()
        held = b""
        try:
            async for piece in pcm:
                held += piece
                whole = len(held) // 2 * 2
                await asyncio.to_thread(self._stream.write, held[:whole])
                held = held[whole:]
            await asyncio.to_thread(self._stream.stop)
        finally:
            self._stream.close()


def sounddevice(missing: str) -> Any:
    """The package. Raises `RecordingError` with the text `missing` without it."""
    try:
        return importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:  # OSError: the package is there, PortAudio is not
        raise wav.RecordingError(missing) from error
