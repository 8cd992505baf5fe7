"""Which recogniser hears a clip: a fast one that knows English, or one that knows many languages.

What nobody has said the language of is heard by the fast one first. It costs little, and is unsure
of speech that is not English: then the other hears it, finds the language, and is believed. So an
English caller has English speed. `CallerLanguage` remembers what a caller of another language
speaks, whose speech then goes to the other recogniser at once.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec

from actors.languages import is_brief, primary
from engine.capabilities import Clip, Transcript
from engine.inference import Inference, InferenceError, Priority, Request

Stt = Inference[Clip, Transcript]
Recogniser = Literal["auto", "fast", "many"]

ENGLISH = 0.65
"""The fast recogniser's confidence from which it is believed to have heard English. Moonshine's is
at most 0.61 for 24 clips in eight other languages, and less than this for 3 % of English turns by
phone with noise, for none of clean ones."""

KNOWN = 0.6
"""Confidence of a transcript from which its language is what the caller speaks. Whisper base has
less (0.28-0.51) where it takes Polish for something else, and 0.6-0.9 for what it knows well."""


class CallerLanguage:
    """What one caller speaks, learnt from the transcripts of the session. It never waits.

    `setting` is the session's language: a BCP-47 tag, or "auto". Each clip has `terms` and `by`.
    """

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self.terms: tuple[str, ...] = ()
        self.by: Recogniser = "auto"
        self._spoken = ""

    def speaks(self, setting: str) -> None:
        """Use this setting from now on."""
        if setting != self.setting:
            self.setting = setting
            self._spoken = ""

    def clip(self, pcm: bytes) -> Clip:
        """The clip to be transcribed: PCM at 16 kHz."""
        return Clip(pcm, self.setting, self._spoken, terms=self.terms, by=self.by)

    def heard(self, clip: Clip, transcript: Transcript) -> None:
        """Learn from what was heard in a clip. One that is brief or doubtful teaches nothing."""
        sure = transcript.text and transcript.confidence >= KNOWN and not is_brief(clip)
        if sure and transcript.language:
            self._spoken = transcript.language


class RoutedSTT:
    """Satisfies `engine.inference.Inference` with two others: `fast` knows English, and no times of
    words, `many` all languages that may be asked for. Where one fails the other is asked, if it
    can.
    """

    def __init__(self, fast: Stt, many: Stt) -> None:
        self._fast = fast
        self._many = many

    def request(
        self, payload: Clip, *, priority: Priority, deadline_ms: int
    ) -> Request[Transcript]:
        language = primary(payload.language)
        auto = language == "auto" and payload.expected in ("", "en")
        english = msgspec.structs.replace(payload, language="en")
        fast, many = (self._fast, english), (self._many, payload)
        if payload.by == "fast":
            turns, doubts = [fast, (self._many, english)], False
        elif payload.words or not (language == "en" or auto):
            turns, doubts = [many], False
        elif payload.by == "many":
            turns, doubts = [many] if auto else [many, fast], False
        else:
            turns, doubts = [fast, many], auto
        if len(turns) == 1:
            return turns[0][0].request(payload, priority=priority, deadline_ms=deadline_ms)
        return _InTurn(turns, priority, deadline_ms, doubts=doubts)


class _InTurn:
    """A request to one recogniser, and to the next where that fails, or is doubted."""

    def __init__(
        self,
        turns: Sequence[tuple[Stt, Clip]],
        priority: Priority,
        deadline_ms: int,
        *,
        doubts: bool,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = list(turns)
        self._priority = priority
        self._deadline_s = self._loop.time() + deadline_ms / 1000
        self._doubts = doubts
        self._cancelled = self._read = False
        self._requests: list[Request[Transcript]] = []
        self._ask()

    @property
    def compute_ms(self) -> float:
        return sum(request.compute_ms for request in self._requests)

    def __aiter__(self) -> "_InTurn":
        return self

    async def __anext__(self) -> Transcript:
        if self._read:
            raise StopAsyncIteration
        self._read = True
        while True:
            try:
                async for heard in self._requests[-1]:
                    if not self._left:
                        return heard
                    believed = self._believed(heard)
                    if believed is not None:
                        return believed
            except InferenceError:
                if not self._left:
                    raise
            if self._cancelled or not self._left:
                raise StopAsyncIteration
            self._ask()

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._priority = priority
        self._deadline_s = self._loop.time() + deadline_ms / 1000
        self._requests[-1].promote(priority, deadline_ms)

    def cancel(self) -> None:
        self._cancelled = True
        self._requests[-1].cancel()

    def _ask(self) -> None:
        stt, self._clip = self._left.pop(0)
        left_ms = max(0, round((self._deadline_s - self._loop.time()) * 1000))
        request = stt.request(self._clip, priority=self._priority, deadline_ms=left_ms)
        self._requests.append(request)

    def _believed(self, heard: Transcript) -> Transcript | None:
        """What was heard, unless there is doubt that it was English."""
        if not self._doubts:
            return heard
        if not heard.text and heard.confidence == 1:
            return heard  # silence has no language
        known = self._clip.expected == "en" and is_brief(self._clip)
        if known or heard.confidence >= ENGLISH:
            return msgspec.structs.replace(heard, language="en")
        return None
