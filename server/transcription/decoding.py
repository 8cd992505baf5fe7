"""A recording as the samples that recognisers hear, from whatever FFmpeg's libraries read.

They run in a process of their own, `python -m server.transcription.decoding <recording >samples`:
what a stranger sends may crash or stall it, or unpack without end, and callers hear nothing of it.
PyAV (BSD) binds them; its wheels hold x264 and x265 too, which are GPL: nothing of ours shares a
process with them. The process can open no other file or address, as some kinds of files ask for,
and has little memory.
"""

import asyncio
import contextlib
import importlib
import os
import pkgutil
import resource
import struct
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.child import child_environment

if TYPE_CHECKING:
    import av

RATE_HZ = 16_000
"""Of the samples: mono, 16 bit, little-endian."""

LONGEST_S = 6 * 3600
"""Of a recording."""

MOST_MEMORY = 1 << 30
"""Bytes of addresses: the libraries and a FLAC file take 0.13 GB of them."""

MOST_CPU_S = 900
"""Ten minutes of FLAC take 0.3 s, the start of the process included."""

NICE = 10
"""As recordings' recogniser (`actors.workers`), which waits for it."""

PROMISE = struct.Struct("<d")
"""How long a recording says that it is, in seconds."""

PIECE_BYTES = 64 << 10
"""Two seconds."""

UNKNOWN = 0x7FFFF000
"""From here on the length of a WAV file is that of one which was written as it grew (SoX's is
this)."""

CUT_S, CUT_SHARE = 1.0, 0.02
"""So much less than a header promises is taken for rounding."""

PROMISING = frozenset(("aiff", "caf", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "wav", "w64"))
"""Containers whose headers tell how long they are, exactly."""


class Undecodable(Exception):
    """A recording that cannot be read; the text says why."""


class Decoding:
    """A recording on its way. `promised_s` is how long it says that it is; 0: it does not, or that
    is not known yet.
    """

    def __init__(self, recording: BinaryIO) -> None:
        self.promised_s = 0.0
        self._recording = recording

    async def samples(self) -> AsyncGenerator[bytes, None]:
        """The samples, as fast as they are taken, once. Raises `Undecodable`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.transcription.decoding",
            stdin=self._recording,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with contextlib.suppress(asyncio.IncompleteReadError):  # then it tells what is wrong
                [self.promised_s] = PROMISE.unpack(await process.stdout.readexactly(PROMISE.size))
            while piece := await process.stdout.read(PIECE_BYTES):
                yield piece
            told = (await process.stderr.read()).decode("utf-8", "replace").strip()
            if await process.wait():
                raise Undecodable(told or "the recording makes the decoder fail")
        finally:
            if process.returncode is None:  # nobody listens any more
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            # asyncio leaves the pipe open, and full, until it is collected
            process._transport.close()  # type: ignore[attr-defined]


def samples(recording: BinaryIO) -> Iterator[bytes]:
    """In the process of its own: the `PROMISE`, then the samples. Raises `Undecodable`."""
    import av

    load()
    confine()
    here = share_here(recording)
    try:
        with av.open(recording, "r", metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise Undecodable("the file holds no audio")
            promised = promised_s(container, stream) / here if here else 0.0
            if promised > LONGEST_S:
                raise too_long(promised)
            yield PROMISE.pack(promised)
            given = 0
            for piece in heard(container, stream):
                given += len(piece) // 2
                if given > LONGEST_S * RATE_HZ:
                    raise too_long(given / RATE_HZ)
                yield piece
    except av.error.FFmpegError as error:
        raise Undecodable(f"the file is no recording that can be read: {error.strerror}") from error
    if not given:
        raise Undecodable("the file holds no audio")
    if container.format.name in PROMISING and cut(given / RATE_HZ, promised):
        text = f"the file is cut: of {promised:.1f} s that it promises it holds"
        raise Undecodable(f"{text} {given / RATE_HZ:.1f} s")


def load() -> None:
    """PyAV's modules, which it imports as it meets what they are for."""
    import av

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name != "av.__main__":
            importlib.import_module(module.name)


def confine() -> None:
    """From here on no file can be opened, and there is an end to memory and to time."""
    opened = os.dup(0)  # the lowest number that is free: none is below it
    os.close(opened)
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened, opened))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


def share_here(recording: BinaryIO) -> float:
    """How much there is of a WAV file, by its first chunk, 0-1, and 0 if that does not tell; of any
    other file 1. FFmpeg takes what is there for all.
    """
    head = recording.read(12)
    size = recording.seek(0, os.SEEK_END)
    recording.seek(0)
    told = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 1.0
    if not 0 < told < UNKNOWN:
        return 0.0
    return min(1.0, size / (told + 8))


def promised_s(container: "av.container.InputContainer", stream: "av.AudioStream") -> float:
    """How long a recording says that it is; 0 if it does not."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration is not None else 0.0


def cut(given_s: float, promised_s: float) -> bool:
    """Whether much is missing."""
    return given_s < promised_s - max(CUT_S, CUT_SHARE * promised_s)


def too_long(seconds: float) -> Undecodable:
    return Undecodable(
        f"the recording has {seconds / 3600:.1f} hours or more: {LONGEST_S // 3600} are the most; "
        "send it in parts"
    )


def heard(container: "av.container.InputContainer", stream: "av.AudioStream") -> Iterator[bytes]:
    """The sound of one stream. What is broken in it is left out, if not all is."""
    import av

    sound = Resampled()
    broken: av.error.FFmpegError | None = None
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            broken = error
            continue
        for frame in frames:
            yield from sound.feed(frame)
    if broken is not None and sound.frames == 0:
        raise broken
    yield from sound.end()


class Resampled:
    """Frames as samples. Their shape may change: radio stations chain their streams."""

    def __init__(self) -> None:
        self.frames = 0
        self._shape: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def feed(self, frame: "av.AudioFrame") -> Iterator[bytes]:
        """What is ready after one more frame."""
        import av

        shape = frame.format.name, frame.layout.name, frame.sample_rate
        if shape != self._shape:
            yield from self.end()
            self._resampler, self._shape = av.AudioResampler("s16", "mono", RATE_HZ), shape
        assert self._resampler is not None
        self.frames += 1
        frame.pts = None  # a gap in the times is no silence
        yield from map(packed, self._resampler.resample(frame))

    def end(self) -> Iterator[bytes]:
        """What the last filter holds."""
        if self._resampler is not None:
            yield from map(packed, self._resampler.resample(None))


def packed(frame: "av.AudioFrame") -> bytes:
    """Its samples, of which each has two bytes: behind them there may be more room."""
    return bytes(memoryview(frame.planes[0])[: 2 * frame.samples])


def main() -> int:
    """In the process of its own: what is wrong is told in one line."""
    os.nice(NICE)
    with contextlib.suppress(OSError):  # where memory runs out this ends first
        Path("/proc/self/oom_score_adj").write_text("1000")
    told = os.dup(sys.stderr.fileno())
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, sys.stderr.fileno())  # what libraries say is not for who sent it
    try:
        for piece in samples(open(0, "rb", closefd=False)):  # noqa: SIM115 - it is not ours
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except Undecodable as error:
        os.write(told, str(error).encode())
        return 1
    except MemoryError:
        os.write(told, b"the recording takes more memory than there is for it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
