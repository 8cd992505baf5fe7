"""A recording as Ogg/Opus, some 15 times smaller: `python -m server.recording.opus WAV OGG`.

In a process of its own, which lets all others go first: an hour takes a minute of one core.
(libsndfile, through soundfile, has libopus inside and is LGPL. PyAV's wheels hold x264 and x265,
which are GPL.)
"""

import asyncio
import fcntl
import os
import sys
from pathlib import Path

import numpy as np

from server.recording import wav

NICEST = 19

COMPRESSION = 0.9
"""Of 0 to 1, as libsndfile counts: 53 kbit/s where somebody speaks all the time."""

_one_at_a_time = asyncio.Semaphore(1)


class NotEncoded(Exception):
    """It could not be made; the text says why."""


async def encode(source: Path, to: Path) -> None:
    """Have `to` made from the WAV file `source`; whole, or not at all. Raises `NotEncoded`."""
    async with _one_at_a_time:
        if await asyncio.to_thread(to.exists):
            return
        command = (sys.executable, "-m", "server.recording.opus", source, to)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stderr=pipe)
        try:
            _, wrong = await process.communicate()
        finally:
            if process.returncode is None:  # nobody waits for it any more
                process.kill()
                await process.wait()
        if process.returncode:
            last = wrong.decode(errors="replace").strip().rpartition("\n")[2]
            raise NotEncoded(last)


def main(source: Path, to: Path) -> None:
    """In the process of its own."""
    import soundfile

    os.nice(NICEST)
    part = to.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another gateway may be at it, or have died of it
        if to.exists():
            part.unlink(missing_ok=True)
            return
        file.truncate()
        blocks = wav.read(source, wav.whole(source))
        next(blocks)  # the header
        with soundfile.SoundFile(
            file,
            "w",
            wav.HZ,
            wav.CHANNELS,
            "OPUS",
            format="OGG",
            compression_level=COMPRESSION,
        ) as sound:
            for block in blocks:
                sound.write(np.frombuffer(block, "<i2").reshape(-1, wav.CHANNELS))
        part.replace(to)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
