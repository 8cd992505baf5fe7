"""Texts that are spoken for callers: who may have it, who pays, and how it begins."""

import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import msgspec

from actors.spelled import Spelling
from engine.capabilities import Speech, Utterance
from engine.inference import Inference, InferenceError
from engine.meter import Meter, Watch
from server.access.caller import Caller
from server.access.denied import Denied, retry
from server.door import Quota, admit
from server.metering.collector import Collector
from server.model_errors import denied
from server.speech.dictionaries import Dictionaries, Locator
from server.speech.formats import Encoder
from server.speech.reading import read_out
from server.speech.script import Script, marked, nothing, script
from server.speech.speakers import Speakers

LONGEST_CHARS = 100_000
"""Two hours of speech. OpenAI takes 4,096, ElevenLabs 40,000."""

RETRY_S = 15

T = TypeVar("T")

log = logging.getLogger(__name__)


class Wanted(msgspec.Struct, frozen=True):
    """What is to be said, by whom, how fast (1: as they speak) and at which rate."""

    script: Script
    speed: float
    rate_hz: int


class Speaking:
    """Whoever speaks, for callers who have not used up their month. The `collector` counts, the
    `speakers` know who can, and `dictionaries` how words are said.
    """

    def __init__(
        self,
        tts: Callable[[Watch], Inference[Utterance, Speech]],
        quota: Quota,
        collector: Collector,
        speakers: Speakers,
        dictionaries: Dictionaries,
    ) -> None:
        self.speakers = speakers
        self._dictionaries = dictionaries
        self._tts = tts
        self._quota = quota
        self._collector = collector

    async def admit(self, caller: Caller) -> None:
        """Raises `Denied` unless the caller may use more."""
        await admit(self._quota, caller)

    async def script(
        self,
        text: str,
        caller: Caller,
        *,
        voice: str | None,
        language: str | None,
        dictionaries: Sequence[Locator],
        tags_inline: bool = False,
    ) -> Script:
        """Who says what of a text, which may be SSML; `tags_inline`: or have tags in it. Raises
        `Denied`, `StorageError`.
        """
        spelling = await self.spelling(caller, dictionaries)
        read = await marked(text, tags_inline=tags_inline)
        return await script(self.speakers, read, voice, language, spelling)

    async def spelling(self, caller: Caller, dictionaries: Sequence[Locator]) -> Spelling:
        """What the caller's dictionaries say of a text. Raises `Denied`, `StorageError`."""
        dictionary = await self._dictionaries.of(caller, dictionaries)
        return dictionary.said if dictionary.rules else nothing

    def began(self, caller: Caller) -> Meter:
        """From here on what is asked for is the caller's; `ended` when nothing more is."""
        meter = Meter()
        self._collector.began(f"speech_{secrets.token_urlsafe(12)}", meter, caller)
        return meter

    def ended(self, meter: Meter) -> None:
        self._collector.ended(meter)

    def voices(self, meter: Meter) -> Inference[Utterance, Speech]:
        """Whoever speaks, counted."""
        return self._tts(meter.watch)

    async def speech(self, wanted: Wanted, caller: Caller) -> AsyncGenerator[Speech, None]:
        """What was wanted. Closing it stops the work. Raises `InferenceError`."""
        meter = self.began(caller)
        try:
            said = read_out(self.voices(meter), wanted.script.lines, wanted.speed, wanted.rate_hz)
            async with aclosing(said):
                async for speech in said:
                    yield speech
        finally:
            self.ended(meter)


async def begun(made: AsyncGenerator[T, None], what: str) -> AsyncIterator[T]:
    """The same, of which the first has come: until then all that is wrong can still be told. Who
    stops in the middle stops the work. Raises `Denied`; `what` is what the client calls its text.
    """
    try:
        first = await anext(made)
    except StopAsyncIteration:
        text = f"{what} holds nothing that can be spoken: it needs letters or digits"
        raise Denied(400, "invalid_value", text) from None
    except InferenceError as error:
        raise denied(error) from error
    except OSError as error:  # of an encoder
        log.warning("nothing encodes", extra={"error": str(error)})
        text = f"this format cannot be made here just now: {error}"
        raise retry(503, "no_encoder", text, RETRY_S) from error
    return whole(first, made)


async def whole(first: T, rest: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """Both."""
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def encoded(
    speech: AsyncGenerator[Speech, None], encoder: Encoder
) -> AsyncGenerator[bytes, None]:
    """A file of it, as it grows; nothing of no speech."""
    spoken = False
    async with aclosing(speech):
        async for one in speech:
            spoken = True
            if piece := await encoder.feed(one.pcm):
                yield piece
        if spoken:
            async for rest in encoder.end():
                yield rest
