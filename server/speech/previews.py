"""How each voice sounds: its sentence of the catalogue, spoken when it is first asked for; kept.

Nobody needs a key for one, as a player in a web page has none: they are no way to use a machine up.
Only sentences of the catalogue are spoken, one after the other, behind everything else; each once.
"""

import asyncio
import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from actors.voices.catalogue import Voice, catalogue
from actors.voices.routing import Chosen, Part
from engine.inference import InferenceError
from server.access.caller import OURSELVES
from server.access.denied import Denied, retry
from server.model_errors import denied
from server.speech.formats import FORMATS
from server.speech.script import Line, Script
from server.speech.speaking import Speaking, Wanted, encoded

FOLDER = "previews"
"""In the state folder."""

SHAPE = re.compile(r"/v1/voices/[^/]+/preview")
"""Of the paths that need no key."""

FORM = FORMATS["mp3"]
ENDING = ".mp3"
LOCK = ".lock"

MOST_WAITING = 16
"""In a gateway: more are told to come again."""

RETRY_S = 5


class Preview(msgspec.Struct, frozen=True):
    """A file. Another `version` sounds otherwise."""

    sound: bytes
    version: str


class Previews:
    """The files in `folder`: one for each voice that was asked for, and no more."""

    def __init__(self, folder: Path, speaking: Speaking) -> None:
        self._folder = folder
        self._speaking = speaking
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def of(self, voice: Voice) -> Preview:
        """Raises `Denied`."""
        machine = await self._speaking.speakers.machine()
        if lacks := machine.lacks(voice):
            text = f"voice {voice.id} cannot speak on this machine: {lacks}"
            raise Denied(404, "voice_not_here", text)
        path = self._folder / name_of(voice)
        sound = await asyncio.to_thread(read, path) or await self._made(voice, path)
        return Preview(sound, version_of(voice))

    async def _made(self, voice: Voice, path: Path) -> bytes:
        if self._waiting >= MOST_WAITING:
            text = f"{MOST_WAITING} previews are waited for already: come again"
            raise retry(503, "busy", text, RETRY_S)
        self._waiting += 1
        try:
            async with self._one_at_a_time, alone(self._folder):
                if sound := await asyncio.to_thread(read, path):
                    return sound
                sound = await self._spoken(voice)
                if not sound:
                    text = f"voice {voice.id} says nothing"
                    raise Denied(404, "voice_silent", text)
                await asyncio.to_thread(keep, path, sound)
                return sound
        except OSError as error:
            text = f"the preview cannot be made or kept: {error.strerror or error}"
            raise retry(503, "not_kept", text, RETRY_S) from error
        finally:
            self._waiting -= 1

    async def _spoken(self, voice: Voice) -> bytes:
        chosen = Chosen(voice, voice.reads[0])
        part = Part(voice.sample, 0, len(voice.sample), chosen)
        wanted = Wanted(Script(voice.sample, (Line(part),)), 1.0, FORM.rate_hz)
        speech = self._speaking.speech(wanted, OURSELVES)
        try:
            async with aclosing(encoded(speech, FORM.make())) as sent:
                return b"".join([piece async for piece in sent])
        except InferenceError as error:
            raise denied(error) from error


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """No other gateway of this machine makes one meanwhile. Raises `OSError`."""
    await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


def path_of(voice_id: str) -> str:
    """Where a voice's preview is."""
    return f"/v1/voices/{quote(voice_id, safe='')}/preview"


def version_of(voice: Voice) -> str:
    """Of what is heard: the text, and what speaks it."""
    heard = "\n".join((voice.id, voice.engine, voice.model, voice.source, voice.sample))
    return hashlib.sha256(heard.encode()).hexdigest()[:16]


def name_of(voice: Voice) -> str:
    """Of its file."""
    return f"{voice.id}.{version_of(voice)}{ENDING}"


def read(path: Path) -> bytes:
    """Empty if there is none, or it cannot be read: to make it tells why."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def keep(path: Path, sound: bytes) -> None:
    """Whole, or not at all; and nothing that is of no voice any more, nor of another version.
    Raises `OSError`.
    """
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(sound)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    known = {name_of(voice) for voice in catalogue().voices} | {LOCK, path.name}
    for other in path.parent.iterdir():
        if other.name not in known:
            other.unlink()
