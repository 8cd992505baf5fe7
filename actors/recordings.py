"""The session's scribe: transcribes recordings, which clients add or commit themselves."""

import numpy as np

from actors.piece_length import PieceLength
from actors.silences import pieces
from actors.stt_router import CallerLanguage
from engine.actor import WaitingActor
from engine.capabilities import Clip, Transcript
from engine.frames import CALLER_HZ, Frame, ItemWords
from engine.inference import Inference, InferenceError, Priority

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
        self._length = PieceLength()

    def receive(self, frame: Frame) -> None:
        self.emit(frame)

    def transcribe(self, item_id: str, pcm: bytes) -> None:
        """Transcribe this next: PCM at 16 kHz."""
        self.queue(_Recording(item_id, pcm))

    async def handle(self, frame: Frame) -> None:
        if not isinstance(frame, _Recording):
            return
        seconds = len(frame.pcm) / 2 / CALLER_HZ
        clips = pieces(np.frombuffer(frame.pcm, np.int16), CALLER_HZ, self._length.seconds)
        try:
            texts = [await self._text(clip.tobytes()) for clip in clips]
        except InferenceError as error:
            self.emit(ItemWords(frame.item_id, None, seconds, error.code, str(error)))
            return
        self.emit(ItemWords(frame.item_id, " ".join(filter(None, texts)), seconds))

    async def _text(self, pcm: bytes) -> str:
        clip = self._caller.clip(pcm)
        request = self._stt.request(clip, priority=Priority.FIRST, deadline_ms=DEADLINE_MS)
        text = ""
        try:
            async for transcript in request:
                self._caller.heard(clip, transcript)
                text = transcript.text.strip()
        finally:
            request.cancel()
        self._length.learn(len(pcm) / 2 / CALLER_HZ, request.compute_ms)
        return text
