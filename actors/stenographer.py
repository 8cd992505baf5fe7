"""Writes down what somebody says, in segments, with no conversation around it.

The same actors hear as in a session, and share the same models. A segment ends at a silence, or
where whoever speaks says so.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np
from msgspec.structs import replace

from actors.listen import FINAL_DEADLINE_MS, PARTIAL_DEADLINE_MS, Listen
from actors.silences import pieces
from actors.stt_router import CallerLanguage, Recogniser, Stt
from actors.vad import VadSlots
from engine.actor import Actor
from engine.caller_audio import CallerAudio
from engine.capabilities import TimedWord, Transcript
from engine.frames import CALLER_HZ, Audio, Frame, Hush, Onset, Voice, Words
from engine.inference import Priority
from engine.pipeline import Pipeline
from engine.settings import TurnSettings
from engine.voicing import Voicing

LONGEST_S = 90
"""A segment that goes on for so long is ended, so that no more audio is held."""

MARGIN_MS = TurnSettings().prefix_ms
"""Of audio around speech: its first and last sounds may be too faint for the VAD."""

SHORT_S = 10
"""Longer segments are no caller's first words: those are served before them."""

AHEAD_S = 5
"""Audio that may come before the VAD has looked at what came first."""

MOST_WAITING = 2
"""Segments that may wait to be written down before less is taken in."""


class Hearing(msgspec.Struct, frozen=True):
    """What hears somebody live: voices, and words."""

    vad: VadSlots
    stt: Stt


class Manner(msgspec.Struct, frozen=True):
    """How it is written down: `language` is a BCP-47 tag, or "auto"; `terms` are names that may be
    said. A segment ends after `silence_ms`, and holds at least `speech_ms` of what the VAD takes
    for speech with more than the `threshold`, 0-1. Where `silence_ms` is None it ends only when it
    is said so, and holds all that came: whoever speaks knows better than the VAD what is speech.
    `times` of words and the `language_told` are not known before: a segment is heard once more.
    """

    language: str = "auto"
    by: Recogniser = "auto"
    terms: tuple[str, ...] = ()
    silence_ms: int | None = None
    speech_ms: int = 0
    threshold: float = TurnSettings().threshold
    times: bool = False
    language_told: bool = False


class Written(msgspec.Struct, frozen=True):
    """A segment. Times of words count from the first sample of all."""

    text: str
    language: str = ""
    words: tuple[TimedWord, ...] = ()


class _Segment(msgspec.Struct, frozen=True):
    """Audio that begins after `start` samples; its text, where that is known."""

    pcm: bytes
    start: int
    text: str | None = None


class Stenographer:
    """One speaker's. `guess` is called with the text of the segment that is being spoken, so far,
    once `written` is asked for it: what was said before it has been told then. `vad` hears voices,
    `stt` words.
    """

    def __init__(self, vad: Actor, stt: Stt, manner: Manner, guess: Callable[[str], None]) -> None:
        self._stt = stt
        self._manner = manner
        self._caller = CallerLanguage(manner.language)
        self._caller.terms = manner.terms
        self._caller.by = manner.by
        self._audio = CallerAudio(whole=manner.silence_ms is None)
        self._moved = asyncio.Event()
        self._fresh = _Fresh(self._moved.set)
        self._voicing = Voicing(manner.threshold)
        self._listen = Listen(stt, self._audio, self._caller, MARGIN_MS)
        self._guess = guess
        self._guessed = ""
        self._ends = _Ends(manner, self._end, self._take_guess)
        self._waiting: deque[_Segment] = deque()
        self._error: BaseException | None = None
        actors = (self._audio, vad, self._fresh, self._voicing, self._listen, self._ends)
        self._pipeline = Pipeline(actors, self._fail)
        self._pipeline.start()

    def hear(self, pcm: bytes) -> None:
        """Take mono 16-bit PCM at 16 kHz."""
        if pcm:
            self._pipeline.receive(Audio(pcm, self._audio.end))

    async def room(self) -> None:
        """Wait until more can be taken. Raises what failed, as then there never is room."""
        while (
            len(self._waiting) > MOST_WAITING
            or self._audio.end - self._fresh.looked > AHEAD_S * CALLER_HZ
        ):
            await self._move()

    def commit(self) -> None:
        """The segment ends here, with all that came."""
        end = self._audio.end
        self._cut(self._start(), end, end, None)

    async def written(self) -> Written:
        """The next segment, once it has ended. Raises `InferenceError`, and what failed else."""
        while not self._waiting:
            self._tell_guess()
            await self._move()
        segment = self._waiting[0]
        written = await self._write(segment) if segment.text is None else Written(segment.text)
        self._waiting.popleft()
        self._moved.set()
        return written

    async def done(self) -> None:
        """Wait until every segment that has ended is written down. Raises what failed."""
        while self._waiting:
            await self._move()

    def close(self) -> None:
        """Stop everything now."""
        self._pipeline.close()
        self._waiting.clear()

    def _take_guess(self, text: str) -> None:
        self._guessed = text
        if not self._waiting:
            self._tell_guess()

    def _tell_guess(self) -> None:
        text, self._guessed = self._guessed, ""
        if text:
            self._guess(text)

    def _start(self) -> int:
        """Where the present segment begins."""
        begun = self._listen.utterance_start
        if begun is None or self._manner.silence_ms is None:
            return self._audio.begin
        return max(begun, self._audio.begin)

    def _end(self, spoken_to: int | None, now: int, text: str | None) -> None:
        """The speech ended there, as has been heard by now; None: there was too little of it."""
        if spoken_to is None:
            self._begin(now)
        else:
            end = min(now, spoken_to + MARGIN_MS * CALLER_HZ // 1000)
            again = self._manner.times or self._manner.language_told
            self._cut(self._start(), end, now, None if again else text)

    def _cut(self, start: int, end: int, now: int, text: str | None) -> None:
        self._waiting.append(_Segment(self._audio.slice(start, end), start, text))
        self._begin(now)
        self._audio.forget(end)
        self._moved.set()

    def _begin(self, now: int) -> None:
        """Another segment begins. What was heard by now was in the last one."""
        self._fresh.behind = now
        self._voicing.reset()
        self._listen.drop()
        self._ends.reset(now)
        self._guessed = ""

    async def _write(self, segment: _Segment) -> Written:
        texts: list[str] = []
        words: list[TimedWord] = []
        language = ""
        at = segment.start
        short = len(segment.pcm) <= 2 * SHORT_S * CALLER_HZ
        for piece in pieces(np.frombuffer(segment.pcm, np.int16), CALLER_HZ):
            heard = await self._transcript(piece.tobytes(), short)
            texts.append(heard.text.strip())
            language = language or heard.language
            words += moved(heard.words, at * 1000 // CALLER_HZ)
            at += len(piece)
        return Written(" ".join(filter(None, texts)), language, tuple(words))

    async def _transcript(self, pcm: bytes, short: bool) -> Transcript:
        if not pcm:
            return Transcript("")
        clip = replace(self._caller.clip(pcm), words=self._manner.times)
        heard = Transcript("")
        priority = Priority.FIRST if short else Priority.PARTIAL
        deadline_ms = FINAL_DEADLINE_MS if short else PARTIAL_DEADLINE_MS
        request = self._stt.request(clip, priority=priority, deadline_ms=deadline_ms)
        try:
            async for heard in request:
                self._caller.heard(clip, heard)
        finally:
            request.cancel()
        return heard

    async def _move(self) -> None:
        """Wait until something has changed. Nothing does after a failure, which may be long ago."""
        if self._error is not None:
            raise self._error
        self._moved.clear()
        await self._moved.wait()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._moved.set()


class _Fresh(Actor):
    """Lets no voice pass that belongs to a segment which has ended. `moved` is called with each."""

    def __init__(self, moved: Callable[[], None]) -> None:
        super().__init__()
        self._moved = moved
        self.behind = 0
        self.looked = 0
        """So far the VAD is."""

    def receive(self, frame: Frame) -> None:
        if isinstance(frame, Voice):
            self.looked = frame.at_samples
            self._moved()
        if not isinstance(frame, Voice) or frame.at_samples > self.behind:
            self.emit(frame)


class _Ends(Actor):
    """Finds where segments end: `end` is called with where the last speech did, None if there was
    too little of it, how far was listened, and the text, if it is known by then.
    """

    def __init__(
        self,
        manner: Manner,
        end: Callable[[int | None, int, str | None], None],
        guess: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._manner = manner
        self._end = end
        self._guess = guess
        self.reset(0)

    def reset(self, now: int) -> None:
        """Another segment begins: here, or with the next speech, where silences end them."""
        self._began = now if self._manner.silence_ms is None else None
        self._onset = 0
        self._hush: int | None = None
        self._voiced = 0
        self._final: Words | None = None
        self._told = ""

    def receive(self, frame: Frame) -> None:
        match frame:
            case Onset(at):
                self._began = at if self._began is None else self._began
                self._onset, self._hush = at, None
            case Hush(at):
                self._voiced += at - self._onset
                self._hush = at
            case Words():
                self._hear(frame)
            case Voice(_, _, at):
                self._follow(at)

    def _hear(self, words: Words) -> None:
        if words.final:
            self._final = words
        if words.text and words.text != self._told:
            self._told = words.text
            self._guess(words.text)

    def _follow(self, now: int) -> None:
        silence_ms = self._manner.silence_ms
        if self._began is not None and now - self._began >= LONGEST_S * CALLER_HZ:
            self._end(now, now, None)
        elif self._hush is None or silence_ms is None:
            return
        elif now - self._hush >= silence_ms * CALLER_HZ // 1000:
            self._end_at(self._hush, now)

    def _end_at(self, hush: int, now: int) -> None:
        final = self._final
        if self._voiced < self._manner.speech_ms * CALLER_HZ // 1000:
            self._end(None, now, None)
        elif final is not None and final.to_samples == hush:
            self._end(hush, now, final.text)
        else:
            self._end(hush, now, None)


def moved(words: tuple[TimedWord, ...], ms: int) -> list[TimedWord]:
    """The words, so much later."""
    return [replace(word, start_ms=word.start_ms + ms, end_ms=word.end_ms + ms) for word in words]
