"""What it costs to encode speech: `python -m bench.formats`.

CPU seconds of our encoders, fed as Piper's speech comes, against those of the program `ffmpeg`,
which makes the same codec, bit rate and sampling frequency of the same samples: ten minutes, a
minute of Piper's again and again. The two take turns. ffmpeg's own start is in its figure, and told
by itself. encode_ratio is all formats together.
"""

import argparse
import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec
import numpy as np
import soxr
from numpy.typing import NDArray

from actors.piper import Piper
from actors.store import Store
from actors.workers import MODELS
from bench.report import Row, Side, compare, finish, interleaved, median
from bench.speech import TEXT
from engine.capabilities import Utterance
from server.eleven import output_formats
from server.speech.formats import FORMATS, MP3_KBIT_S, OPUS_KBIT_S, Format

MINUTES = 10
STARTS = 5

PCM = ("-f", "s16le")


class Measured(msgspec.Struct, frozen=True):
    """A format, and what ffmpeg makes the same with."""

    name: str
    form: Format
    asked: tuple[str, ...]


class Speech(msgspec.Struct, frozen=True):
    """What is encoded: at `rate_hz`, and in pieces of so many seconds, as they come."""

    samples: NDArray[np.int16]
    rate_hz: int
    pieces_s: tuple[float, ...]

    def at(self, rate_hz: int) -> tuple[bytes, list[int]]:
        """The bytes at another rate, and where the pieces begin and end."""
        samples = soxr.resample(self.samples, self.rate_hz, rate_hz)
        ends = [2 * round(until * rate_hz) for until in accumulate(self.pieces_s, initial=0.0)]
        return samples.astype("<i2").tobytes(), ends


def measured() -> list[Measured]:
    """OpenAI's formats, and of ElevenLabs' one of each other codec or rate."""
    mp3, opus = ("-c:a", "libmp3lame", "-f", "mp3"), ("-c:a", "libopus", "-f", "ogg")
    asked = {
        "mp3": (*mp3, "-b:a", f"{MP3_KBIT_S}k"),
        "opus": (*opus, "-b:a", f"{OPUS_KBIT_S}k"),
        "flac": ("-f", "flac"),
        "wav": ("-f", "wav"),
        "pcm": PCM,
        "mp3_44100_128": (*mp3, "-b:a", "128k"),
        "opus_48000_64": (*opus, "-b:a", "64k"),
        "ulaw_8000": ("-f", "mulaw"),
    }
    known = dict[str, Format]([*FORMATS.items(), *output_formats.FORMATS.items()])
    return [Measured(name, known[name], how) for name, how in asked.items()]


def spoken(minutes: float) -> Speech:
    """Speech of Piper's, until it is long enough."""
    piper = Piper(Store().path(MODELS["tts"]))
    made = list(piper.speak(Utterance(TEXT, "joe", rate_hz=piper.rate_hz)))
    once = np.frombuffer(b"".join(one.pcm for one in made), "<i2")
    times = round(minutes * 60 * piper.rate_hz / len(once)) or 1
    pieces_s = tuple(len(one.pcm) / 2 / piper.rate_hz for one in made)
    return Speech(np.tile(once, times), piper.rate_hz, pieces_s * times)


def by_us(form: Format, pcm: bytes, ends: list[int]) -> tuple[float, int]:
    """CPU seconds, and the bytes that came of it."""

    async def encoded() -> int:
        encoder = form.make()
        size = 0
        for start, end in pairwise(ends):
            size += len(await encoder.feed(pcm[start:end]))
        async for rest in encoder.end():
            size += len(rest)
        return size

    before = used(resource.getrusage(resource.RUSAGE_SELF))
    size = asyncio.run(encoded())
    return used(resource.getrusage(resource.RUSAGE_SELF)) - before, size


def by_ffmpeg(program: str, one: Measured, source: Path, to: Path) -> tuple[float, int]:
    """The same of it; its start is in it."""
    given = (*PCM, "-ar", str(one.form.rate_hz), "-ac", "1", "-i", str(source))
    quiet = ("-hide_banner", "-loglevel", "error", "-nostdin", "-y")
    process = subprocess.Popen([program, *quiet, *given, *one.asked, str(to)])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"ffmpeg ended with status {process.returncode} for {one.name}")
    return used(usage), to.stat().st_size


def used(usage: resource.struct_rusage) -> float:
    """Seconds of all cores, the kernel's included."""
    return usage.ru_utime + usage.ru_stime


def start_s(program: str) -> Iterator[float]:
    """CPU seconds that ffmpeg takes to encode next to nothing."""
    (one,) = (one for one in measured() if one.name == "pcm")
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "nothing"
        source.write_bytes(bytes(480))
        for _ in range(STARTS):
            yield by_ffmpeg(program, one, source, Path(name) / "out")[0]


def compared(program: str, repeats: int, speech: Speech) -> list[Row]:
    """A row for each format, and that of all."""
    rows: list[Row] = []
    all_s: dict[Side, list[float]] = {"ours": [0.0] * repeats, "peer": [0.0] * repeats}
    with tempfile.TemporaryDirectory() as name:
        source, to = Path(name) / "speech.pcm", Path(name) / "out"
        for one in measured():
            pcm, ends = speech.at(one.form.rate_hz)
            source.write_bytes(pcm)
            took: dict[Side, list[float]] = {"ours": [], "peer": []}
            sizes: dict[Side, int] = {}
            for side in interleaved(repeats, seed=1):
                cpu_s, sizes[side] = (
                    by_us(one.form, pcm, ends)
                    if side == "ours"
                    else by_ffmpeg(program, one, source, to)
                )
                all_s[side][len(took[side])] += cpu_s
                took[side].append(cpu_s)
            print(f"{one.name}: {sizes['ours']} bytes, ffmpeg's {sizes['peer']}", file=sys.stderr)
            rows.append(compare(f"encode_{one.name}_cpu_s", took, median, "s"))
    return [*rows, compare("encode_ratio", all_s, median, "s")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="of each side")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of speech")
    given = parser.parse_args()
    program = shutil.which("ffmpeg")
    if program is None:
        sys.exit("bench.formats measures beside the program ffmpeg: apt-get install ffmpeg")
    speech = spoken(given.minutes)
    seconds = len(speech.samples) / speech.rate_hz
    start = float(np.median(list(start_s(program))))
    rows = compared(program, given.repeats, speech)
    notes = [f"{seconds / 60:.1f} minutes; ffmpeg's start takes {start:.2f} s of its figures"]
    finish("bench.formats", rows, notes, peer="ffmpeg")


if __name__ == "__main__":
    main()
