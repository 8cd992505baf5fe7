"""Which recogniser hears a clip: a fast one that knows English, or one that knows many languages.

What nobody has said the language of is heard by the fast one first. It costs little, and is unsure
of speech that is not English: then the other hears it, finds the language, and is believed. So an
English caller has English speed. `CallerLanguage` remembers what a caller of another language
speaks, whose speech then goes to the other recogniser at once.
"""

import asyncio
from functools import partial

import msgspec

from actors.languages import is_brief, primary
from engine.capabilities import Clip, Transcript
from engine.inference import Inference, InferenceError, Priority, Request

ENGLISH = 0.65
"""The fast recogniser's confidence from which it is believed to have heard English. Moonshine's is
at most 0.61 for 24 clips in eight other languages, and less than this for 3 % of English turns by
phone with noise, for none of clean ones."""

KNOWN = 0.6
"""Confidence of a transcript from which its language is what the caller speaks. Whisper base has
less (0.28-0.51) where it takes Polish for something else, and 0.6-0.9 for what it knows well."""


class CallerLanguage:
    """What one caller speaks, learnt from the transcripts of the session. It never waits.

    `setting` is the session's language: a BCP-47 tag, or "auto".
    """

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self._spoken = ""

    def speaks(self, setting: str) -> None:
        """Use this setting from now on."""
        if setting != self.setting:
            self.setting = setting
            self._spoken = ""

    def clip(self, pcm: bytes) -> Clip:
        """The clip to be transcribed: PCM at 16 kHz."""
        return Clip(pcm, self.setting, self._spoken)

    def heard(self, clip: Clip, transcript: Transcript) -> None:
        """Learn from what was heard in a clip. One that is brief or doubtful teaches nothing."""
        sure = transcript.text and transcript.confidence >= KNOWN and not is_brief(clip)
        if sure and transcript.language:
            self._spoken = transcript.language


class RoutedSTT:
    """Satisfies `engine.inference.Inference` with two others.

    `fast` knows English and no word times; `many` knows all languages that may be asked for.
    """

    def __init__(self, fast: Inference[Clip, Transcript], many: Inference[Clip, Transcript]):
        self._fast = fast
        self._many = many

    def request(
        self, payload: Clip, *, priority: Priority, deadline_ms: int
    ) -> Request[Transcript]:
        language = primary(payload.language)
        if language == "auto" and not payload.words and payload.expected in ("", "en"):
            return _Doubted(self._fast, self._many, payload, priority, deadline_ms)
        chosen = self._fast if language == "en" and not payload.words else self._many
        return chosen.request(payload, priority=priority, deadline_ms=deadline_ms)


class _Doubted:
    """A request to the fast recogniser, and to the other one unless it is sure."""

    def __init__(
        self,
        fast: Inference[Clip, Transcript],
        many: Inference[Clip, Transcript],
        clip: Clip,
        priority: Priority,
        deadline_ms: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clip = clip
        self._priority = priority
        self._deadline_s = self._loop.time() + deadline_ms / 1000
        self._many = partial(many.request, clip)
        self._cancelled = self._read = False
        english = msgspec.structs.replace(clip, language="en")
        self._requests = [fast.request(english, priority=priority, deadline_ms=deadline_ms)]

    @property
    def compute_ms(self) -> float:
        return sum(request.compute_ms for request in self._requests)

    def __aiter__(self) -> "_Doubted":
        return self

    async def __anext__(self) -> Transcript:
        if self._read:
            raise StopAsyncIteration
        self._read = True
        heard = await self._heard_by_fast()
        if heard is None and not self._cancelled:
            heard = await self._heard_by_many()
        if heard is None:
            raise StopAsyncIteration
        return heard

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._priority = priority
        self._deadline_s = self._loop.time() + deadline_ms / 1000
        self._requests[-1].promote(priority, deadline_ms)

    def cancel(self) -> None:
        self._cancelled = True
        self._requests[-1].cancel()

    async def _heard_by_fast(self) -> Transcript | None:
        """None if it was no English, as far as one can tell, or could not be heard."""
        try:
            async for heard in self._requests[0]:
                if not heard.text and heard.confidence == 1:
                    return heard  # silence has no language
                known = self._clip.expected == "en" and is_brief(self._clip)
                if known or heard.confidence >= ENGLISH:
                    return msgspec.structs.replace(heard, language="en")
        except InferenceError:
            return None  # the other one knows English too
        return None

    async def _heard_by_many(self) -> Transcript | None:
        left_ms = max(0, round((self._deadline_s - self._loop.time()) * 1000))
        self._requests.append(self._many(priority=self._priority, deadline_ms=left_ms))
        async for heard in self._requests[-1]:
            return heard
        return None
