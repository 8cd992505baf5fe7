"""What callers say, and what is heard of the agent: clips in, transcripts out."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from actors.moonshine import Moonshine
from actors.store import Store
from bench.hearsay import distances, word_error, words
from bench.turns import ROOM_DBFS, noise, turns
from engine.capabilities import Clip
from engine.frames import CALLER_HZ

REALTIME_HZ = 24_000
"""The rate of the protocol's `audio/pcm`."""

PHONE_HZ = 8_000


def clip(text: str, rate_hz: int = REALTIME_HZ) -> bytes:
    """The labelled clip that says exactly this, mono 16-bit PCM."""
    turn = next(turn for turn in turns() if turn.text == text)
    samples = turn.pcm().astype(np.float64)
    return to_pcm(soxr.resample(samples, CALLER_HZ, rate_hz))


def room(ms: int, rate_hz: int = REALTIME_HZ) -> bytes:
    """A quiet room."""
    return to_pcm(noise(ms * rate_hz // 1000, ROOM_DBFS))


def to_pcm(samples: NDArray[np.float64]) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def g711(pcm: bytes, law: str) -> bytes:
    """PCM as libsndfile encodes it in G.711; `law` is ULAW or ALAW."""
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(pcm, "<i2"), PHONE_HZ, format="RAW", subtype=law)
    return file.getvalue()


def from_g711(data: bytes, law: str) -> bytes:
    """PCM at 8 kHz of what libsndfile decodes."""
    samples, _ = soundfile.read(
        io.BytesIO(data), dtype="int16", samplerate=PHONE_HZ, channels=1, format="RAW", subtype=law
    )
    return bytes(samples.tobytes())


def write_wav(path: Path, pcm: bytes, rate_hz: int = REALTIME_HZ) -> Path:
    """Mono 16-bit PCM as a WAV file."""
    soundfile.write(path, np.frombuffer(pcm, "<i2"), rate_hz)
    return path


@cache
def _listener() -> Moonshine:
    return Moonshine(Store().path("moonshine-tiny-en"))


def transcribed(pcm: bytes, rate_hz: int = REALTIME_HZ) -> str:
    """What an audio says, as Moonshine hears it.

    With silence behind it: where speech is cut off, Moonshine goes on with what was said before.
    """
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    heard = to_pcm(soxr.resample(samples, rate_hz, CALLER_HZ)) + bytes(CALLER_HZ)
    return _listener().transcribe([Clip(heard)])[0].text


def history_error(kept: str, pcm: bytes, whole: str) -> int:
    """By how many words a history differs from the audio of a reply that was cut off.

    What is left of the last word may sound like two (in one of 142 cuts of Piper's sentences), so
    the audio counts without its last 100 ms as well.
    """
    heard = transcribed(pcm), transcribed(pcm[: -REALTIME_HZ // 10 * 2])
    return min(word_error(kept, text, whole) for text in heard)


def word_error_rate(heard: str, said: str) -> float:
    """Word errors (Levenshtein) per word of `said`."""
    wanted, got = words(said), words(heard)
    letters: dict[str, str] = {}
    for word in (*wanted, *got):  # each word becomes one letter
        letters.setdefault(word, chr(len(letters) + 33))
    spell = "".join(letters[word] for word in wanted), "".join(letters[word] for word in got)
    return distances(spell[1], spell[0])[-1] / max(1, len(wanted))
