"""The session's sense of endings: asks smart-turn whether a hush sounds like the end of a turn."""

from engine.actor import WaitingActor
from engine.caller_audio import CallerAudio
from engine.capabilities import TurnClip, TurnScore
from engine.frames import CALLER_HZ, Frame, Hush, Onset, Scored, Voice
from engine.inference import Inference, InferenceError, Priority, Request

LOOKS_BACK_SAMPLES = 8 * CALLER_HZ
"""smart-turn judges the last 8 s."""

DEADLINE_MS = 200

JUDGED_AT_MS = (250, 600)
"""Silence after which the model is asked, and asked again. Earlier it knows less: it says
"complete" to 42 % of true ends after 100 ms, 55 % after 200, 69 % after 600 (bench/verdict.py),
and it would take the core from the transcript."""


class _Judge(Frame, frozen=True):
    hush: int
    end: int


class Judge(WaitingActor):
    """Emits `Scored` as the silence after a `Hush` grows, unless the caller goes on first.

    Without a score the verdict rests on words and silence, so a failure here is no error.
    """

    def __init__(self, turn: Inference[TurnClip, TurnScore], audio: CallerAudio) -> None:
        super().__init__()
        self.enabled = True
        self._turn = turn
        self._audio = audio
        self._request: Request[TurnScore] | None = None
        self._began: int | None = None
        self._hush: int | None = None
        self._asked = 0

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        match frame:
            case Onset(at_samples):
                self._hush = None
                self._inbox.clear()
                if self._request is not None:
                    self._request.cancel()
                if self._began is None:
                    self._began = at_samples
            case Hush(at_samples) if self.enabled:
                self._hush = at_samples
                self._asked = 0
            case Voice(_, _, at_samples) if self._hush is not None:
                silence_ms = (at_samples - self._hush) * 1000 // CALLER_HZ
                if silence_ms >= JUDGED_AT_MS[self._asked]:
                    self._asked += 1
                    self.queue(_Judge(self._hush, at_samples))
                    if self._asked == len(JUDGED_AT_MS):
                        self._hush = None

    def drop(self) -> None:
        """The utterance is over."""
        self._began = None
        self._hush = None
        self._inbox.clear()

    async def handle(self, frame: Frame) -> None:
        if not isinstance(frame, _Judge) or self._began is None:
            return
        start = max(self._began, frame.end - LOOKS_BACK_SAMPLES)
        clip = TurnClip(self._audio.slice(start, frame.end))
        request = self._turn.request(clip, priority=Priority.FIRST, deadline_ms=DEADLINE_MS)
        self._request = request
        try:
            async for score in request:
                self.emit(Scored(score.complete, frame.hush))
        except InferenceError:
            return
        finally:
            request.cancel()
            if self._request is request:
                self._request = None
