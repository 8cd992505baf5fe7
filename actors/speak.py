"""The session's mouth: cuts a reply into pieces and has them spoken, one after the other."""

import msgspec

from actors.cut import Cutter
from engine.actor import WaitingActor
from engine.capabilities import Speech, Utterance
from engine.frames import (
    Frame,
    Output,
    Prompt,
    ReplyDelta,
    ReplyEnd,
    ReplyFailed,
    SpeechChunk,
    SpeechEnd,
)
from engine.inference import Inference, InferenceError, Priority, Request

FIRST_DEADLINE_MS = 150
AHEAD_DEADLINE_MS = 1000


class _Piece(Output, frozen=True):
    text: str
    first: bool


class _Last(Output, frozen=True):
    pass


class _Failed(msgspec.Struct, frozen=True):
    """Why a piece is not spoken; `begun`: its first words were."""

    error: InferenceError
    begun: bool


class Speak(WaitingActor):
    """Adds `SpeechChunk`s to a reply that is to be heard, and `SpeechEnd` behind the last.

    Text passes at once. A piece is synthesised when those behind have room for it. A voice that has
    failed is not tried again where there is another: one that came and went would be worse.
    """

    INBOX_FRAMES = 65_536  # no text has more pieces: a client's is at most so many characters
    ROOM_FRAMES = 8  # pieces that may wait before the LLM's answer is read more slowly

    def __init__(self, tts: Inference[Utterance, Speech]) -> None:
        super().__init__()
        self._tts = tts
        self._prompt: Prompt | None = None
        self._mute: set[str] = set()  # voices that have failed
        self._priority = Priority.FIRST
        self._cutter = Cutter()
        self._first = True
        self._request: Request[Speech] | None = None
        self._speaking_first = True  # is it the first piece of the reply that is being made?

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        match frame:
            case Prompt():
                self._prompt = frame if frame.modality == "audio" else None
                self._priority = frame.priority
                self._cutter = Cutter()
                self._first = True
            case ReplyDelta(generation, text) if self._speaks(generation):
                self._queue_pieces(generation, self._cutter.feed(text))
            case ReplyEnd(generation) if self._speaks(generation):
                self._queue_pieces(generation, self._cutter.flush())
                self.queue(_Last(generation))

    def prioritise(self, priority: Priority) -> None:
        self._priority = priority
        if self._request is not None:
            self._request.promote(*self._urgency(first=self._speaking_first))

    async def handle(self, frame: Frame) -> None:
        match frame:
            case _Piece():
                await self._speak(frame)
            case _Last(generation):
                self.emit(SpeechEnd(generation))

    def _speaks(self, generation: int) -> bool:
        return self._prompt is not None and self._prompt.generation == generation

    def _queue_pieces(self, generation: int, pieces: list[str]) -> None:
        for text in pieces:
            self.queue(_Piece(generation, text, self._first))
            self._first = False

    def _urgency(self, *, first: bool) -> tuple[Priority, int]:
        """Priority and deadline; behind the first piece, speech is needed when that is over."""
        if self._priority is Priority.FIRST and not first:
            return Priority.AHEAD, AHEAD_DEADLINE_MS
        return self._priority, FIRST_DEADLINE_MS

    async def _speak(self, piece: _Piece) -> None:
        prompt = self._prompt
        if prompt is None:
            return
        if self.following is not None:
            await self.following.room()
        self._speaking_first = piece.first
        voices = [voice for voice in prompt.voices if voice not in self._mute]
        failed: _Failed | None = None
        for voice in voices or prompt.voices[:1]:
            failed = await self._spoken(piece, prompt, voice)
            if failed is None:
                return
            self._mute.add(voice)
            if failed.begun:
                break
        assert failed is not None  # there is a voice
        self._prompt = None
        self.emit(ReplyFailed(piece.generation, failed.error.code, str(failed.error)))

    async def _spoken(self, piece: _Piece, prompt: Prompt, voice: str) -> _Failed | None:
        """Speak a piece by a voice."""
        priority, deadline_ms = self._urgency(first=piece.first)
        utterance = Utterance(piece.text, voice, prompt.speed, prompt.rate_hz)
        request = self._tts.request(utterance, priority=priority, deadline_ms=deadline_ms)
        self._request = request
        text = piece.text
        try:
            async for speech in request:
                self.emit(
                    SpeechChunk(piece.generation, speech.pcm, speech.rate_hz, text, speech.words)
                )
                text = ""
            if text:  # nothing in it can be spoken; it counts as heard with what is around it
                self.emit(SpeechChunk(piece.generation, b"", prompt.rate_hz, text, ()))
        except InferenceError as error:
            return _Failed(error, begun=not text)
        finally:
            request.cancel()
            if self._request is request:
                self._request = None
        return None
