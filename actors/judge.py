"""The session's sense of endings: asks smart-turn whether a hush sounds like the end of a turn."""

from engine.actor import WaitingActor
from engine.caller_audio import CallerAudio
from engine.capabilities import TurnClip, TurnScore
from engine.frames import CALLER_HZ, Frame, Hush, Onset, Scored
from engine.inference import Inference, InferenceError, Priority, Request

LOOKS_BACK_SAMPLES = 8 * CALLER_HZ
"""smart-turn judges the last 8 s."""

DEADLINE_MS = 200


class Judge(WaitingActor):
    """Emits `Scored` for each `Hush`, unless the caller goes on first.

    Without a score the verdict rests on words and silence, so a failure here is no error.
    """

    def __init__(self, turn: Inference[TurnClip, TurnScore], audio: CallerAudio) -> None:
        super().__init__()
        self.enabled = True
        self._turn = turn
        self._audio = audio
        self._request: Request[TurnScore] | None = None
        self._began: int | None = None

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        match frame:
            case Onset(at_samples):
                self._inbox.clear()
                if self._request is not None:
                    self._request.cancel()
                if self._began is None:
                    self._began = at_samples
            case Hush() if self.enabled:
                self.queue(frame)

    def drop(self) -> None:
        """The utterance is over."""
        self._began = None
        self._inbox.clear()

    async def handle(self, frame: Frame) -> None:
        if not isinstance(frame, Hush) or self._began is None:
            return
        start = max(self._began, frame.now_samples - LOOKS_BACK_SAMPLES)
        clip = TurnClip(self._audio.slice(start, frame.now_samples))
        request = self._turn.request(clip, priority=Priority.FIRST, deadline_ms=DEADLINE_MS)
        self._request = request
        try:
            async for score in request:
                self.emit(Scored(score.complete, frame.at_samples))
        except InferenceError:
            return
        finally:
            request.cancel()
            if self._request is request:
                self._request = None
