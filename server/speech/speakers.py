"""Who speaks a text here: whoever is asked for, else the best voice for its language."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.store import Store
from actors.voices.catalogue import UnknownVoice, catalogue
from actors.voices.here import Machine, machine_of
from actors.voices.routing import (
    NoVoice,
    Otherwise,
    Part,
    VoiceNotHere,
    WrongLanguage,
    choose,
    parts,
)
from actors.voices.tags import well_formed
from actors.voices.weights import fetchable, unasked
from server.access.denied import Denied
from server.speech.fetching import Fetching

MOST_PARTS = 500
"""Each is a request, and of espeak-ng a process."""

LOOKED_S = 60.0
"""So long a gateway believes what it saw of the disk: models and programs are seldom added."""

ENGLISH = frozenset(("the", "and", "of", "with", "you", "this", "that", "what", "from", "is"))
ENOUGH = 1 / 12
"""Of its words; then a text is English, and what tells languages apart, which takes a second and 80
MB, is not loaded."""

WORD = re.compile(r"[^\W\d_]+")
JUDGED_CHARS = 1000


class Speakers:
    """The voices of this machine. Whether a voice that cannot read a text is an error, or another
    speaks in its place, says `otherwise`. With `fetching` one that is named is fetched, if it can
    be.
    """

    def __init__(
        self,
        store: Path,
        otherwise: Otherwise,
        clock: Callable[[], float] = time.monotonic,
        fetching: Fetching | None = None,
    ) -> None:
        self._store = store
        self._otherwise = otherwise
        self._fetching = fetching
        self._clock = clock
        self._seen: tuple[Machine, float] | None = None

    async def parts(
        self, text: str, voice: str | None, language: str | None, usual: str = "en"
    ) -> tuple[Part, ...]:
        """The text in parts, each with whoever speaks it; without a `voice` the best for each.

        `language` is a BCP-47 tag; unset it is found, `usual` where a few letters tell none, and a
        voice that is named reads all of what is in its script. Raises `Denied`.
        """
        with refusing():
            machine = await self._machine_with(voice)
            known = checked(language) or self._own(voice) or plain_english(text)
            found = await asyncio.to_thread(
                parts,
                text,
                machine,
                language=known,
                voice=voice,
                usual=usual,
                otherwise=self._otherwise,
            )
        if len(found) > MOST_PARTS:
            text = f"the text changes voices {len(found)} times: {MOST_PARTS} are the most"
            raise Denied(400, "invalid_value", text)
        return found

    async def check(
        self, voice: str | None, language: str | None, patience_s: float | None = None
    ) -> None:
        """Before there is a text. Raises `Denied` if there is nobody to speak it, or not before
        `patience_s` have passed.
        """
        with refusing():
            machine = await self._machine_with(voice, patience_s)
            choose(machine, language=checked(language), voice=voice, otherwise=self._otherwise)

    async def machine(self) -> Machine:
        """What is here, as it was a minute ago at most."""
        now = self._clock()
        if self._seen is None or now > self._seen[1] + LOOKED_S:
            self._seen = await asyncio.to_thread(machine_of, Store(self._store)), now
        return self._seen[0]

    async def _machine_with(self, voice: str | None, patience_s: float | None = None) -> Machine:
        """What is here, once the voice that is named is. Raises `UnknownVoice` and `Denied`."""
        machine = await self.machine()
        if voice is None or self._fetching is None:
            return machine
        asked = catalogue().voice(voice)
        if not (fetchable(asked) and unasked(asked)) or not machine.lacks(asked):
            return machine
        try:
            await self._fetching.fetch(asked, patience_s)
        except Denied:
            if self._otherwise == "error":
                raise
            return machine
        self._seen = None
        return await self.machine()

    def _own(self, voice: str | None) -> str | None:
        if voice is None:
            return None
        found = catalogue().voice(voice)
        return (*found.reads, *found.languages)[0]


@contextmanager
def refusing() -> Iterator[None]:
    """Says why nobody speaks. Raises `Denied`."""
    try:
        yield
    except UnknownVoice as error:
        raise Denied(400, "invalid_value", f"voice: {error}") from error
    except WrongLanguage as error:
        raise Denied(400, "wrong_language", f"voice: {error}") from error
    except (NoVoice, VoiceNotHere) as error:
        raise Denied(400, "voice_not_here", f"voice: {error}") from error


def checked(language: str | None) -> str | None:
    """The tag that is asked for, None if none. Raises `Denied`."""
    if language and not well_formed(language):
        text = f"language is {language[:64]!r}: it must be a tag such as en, pt-BR or zh-Hant"
        raise Denied(400, "invalid_value", text)
    return language or None


def plain_english(text: str) -> str | None:
    """ "en" for a text that is, by its commonest words; else None, and others must tell."""
    words = WORD.findall(text[:JUDGED_CHARS].lower())
    hits = sum(word in ENGLISH for word in words)
    return "en" if text.isascii() and hits > ENOUGH * len(words) else None
