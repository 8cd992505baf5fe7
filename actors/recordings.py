"""The session's scribe: transcribes recordings, which clients add or commit themselves."""

import numpy as np

from actors.silences import pieces
from actors.stt_router import CallerLanguage
from engine.actor import WaitingActor
from engine.capabilities import Clip, Transcript
from engine.frames import CALLER_HZ, Frame, ItemWords
from engine.inference import Inference, InferenceError, Priority

PIECE_S = 6.0
"""A recording is transcribed in pieces: one that held the model for longer than the 150 ms that
this takes would keep everybody's live speech waiting."""

DEADLINE_MS = 5000


class _Recording(Frame, frozen=True):
    item_id: str
    pcm: bytes


class Recordings(WaitingActor):
    """Emits `ItemWords` for each. Live speech, which `Listen` has, waits for none of them."""

    def __init__(self, stt: Inference[Clip, Transcript], caller: CallerLanguage) -> None:
        super().__init__()
        self._caller = caller
        self._stt = stt

    def receive(self, frame: Frame) -> None:
        self.emit(frame)

    def transcribe(self, item_id: str, pcm: bytes) -> None:
        """Transcribe this next: PCM at 16 kHz."""
        self.queue(_Recording(item_id, pcm))

    async def handle(self, frame: Frame) -> None:
        if not isinstance(frame, _Recording):
            return
        seconds = len(frame.pcm) / 2 / CALLER_HZ
        clips = pieces(np.frombuffer(frame.pcm, np.int16), CALLER_HZ, PIECE_S)
        try:
            texts = [await self._text(clip.tobytes()) for clip in clips]
        except InferenceError as error:
            self.emit(ItemWords(frame.item_id, None, seconds, error.code, str(error)))
            return
        self.emit(ItemWords(frame.item_id, " ".join(filter(None, texts)), seconds))

    async def _text(self, pcm: bytes) -> str:
        clip = self._caller.clip(pcm)
        request = self._stt.request(clip, priority=Priority.FIRST, deadline_ms=DEADLINE_MS)
        try:
            async for transcript in request:
                self._caller.heard(clip, transcript)
                return transcript.text.strip()
        finally:
            request.cancel()
        return ""
