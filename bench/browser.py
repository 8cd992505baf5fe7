"""A person at a browser, who calls an agent: a real Chromium whose microphone plays a file.

What was said and what was heard are recorded in its page, on the audio's own clock
(`page/call.js`).
"""

import base64
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from bench.servers import HOME, Server
from bench.sound import Sound, from_pcm, to_pcm

Way = Literal["webrtc", "websocket", "smallwebrtc"]
"""Ours, twice, and pipecat's."""

MICROPHONE_HZ = 48_000
"""Chromium plays no other file as it is."""

OPENS_S = 30.0
"""For the browser to start, to connect, and to give its recordings back."""


class BrowserFailed(Exception):
    """There was no call; the text says what the browser said."""


class Wanted(msgspec.Struct, frozen=True):
    """A call. `session` is for ours, `query` for pipecat's agent."""

    over: Way
    url: str
    key: str
    session: dict[str, Any]
    query: dict[str, str]
    microphone: str
    seconds: float


class Came(msgspec.Struct, frozen=True):
    """An event of the server's, and how long the recording was when it came."""

    at_s: float
    event: dict[str, Any]


class Told(msgspec.Struct, frozen=True, rename={"rate_hz": "rateHz"}):
    """What comes back: 16-bit samples in base64."""

    rate_hz: int
    said: str
    heard: str
    events: list[Came]
    statistics: list[dict[str, Any]]


class Recording(msgspec.Struct, frozen=True):
    """What the microphone and the loudspeaker had to do with, from the same moment on."""

    rate_hz: int
    said: Sound
    heard: Sound
    events: list[Came]
    statistics: list[dict[str, Any]]
    """Of WebRTC (`getStats()`), as the call ended."""

    def keep(self, folder: Path, name: str) -> None:
        """Write both sounds, one WAV each."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind, sound in (("said", self.said), ("heard", self.heard)):
            write(folder / f"{name}-{kind}.wav", sound, self.rate_hz)


def write(path: Path, sound: Sound, rate_hz: int) -> None:
    """Write 16-bit mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(to_pcm(sound))


def called(
    server: Server,
    over: Way,
    microphone: Sound,
    *,
    session: dict[str, Any],
    query: dict[str, str],
    host: str = "127.0.0.1",
    within: Sequence[str] = (),
) -> Recording:
    """Call `server` at `host`, and stay as long as the microphone's sound (at `MICROPHONE_HZ`)
    lasts. `within` is what comes before the command, such as a namespace. Raises `BrowserFailed`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "microphone.wav"
        write(path, microphone, MICROPHONE_HZ)
        seconds = len(microphone) / MICROPHONE_HZ
        url = f"http://{host}:{server.port}"
        wanted = Wanted(over, url, server.key, session, query, str(path), seconds)
        return read(run([*within, "node", "bench/page/caller.mjs"], wanted))


def run(command: Sequence[str], wanted: Wanted) -> bytes:
    """What the program tells. Raises `BrowserFailed`."""
    try:
        done = subprocess.run(
            command,
            cwd=HOME,
            input=msgspec.json.encode(wanted),
            capture_output=True,
            timeout=wanted.seconds + OPENS_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise BrowserFailed(f"a call of {wanted.seconds:.0f} s did not end") from late
    if done.returncode:
        raise BrowserFailed(done.stderr[-2000:].decode(errors="replace"))
    return done.stdout


def read(data: bytes) -> Recording:
    """The recording as the program tells it."""
    told = msgspec.json.decode(data, type=Told)
    said, heard = (from_pcm(base64.b64decode(pcm)) for pcm in (told.said, told.heard))
    return Recording(told.rate_hz, said, heard, told.events, told.statistics)
