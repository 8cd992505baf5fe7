"""From probabilities of speech to onsets and hushes."""

from engine.actor import Actor
from engine.frames import Frame, Hush, Onset, Voice

ONSET_WINDOWS = 2
"""Voiced windows in a row (32 ms each) that make an onset; one alone fires on clicks."""

HUSH_WINDOWS = 2
"""Silent windows in a row that make a hush. Silero lags by some 60 ms (bench/verdict.py), so that
stop consonants, silent for up to 80 ms, make none, as a rule."""

HYSTERESIS = 0.15
"""How far the probability must fall below the threshold to count as silence, as Silero's own
iterator has it."""

GUARD = 0.15
"""How much higher the threshold is while the agent is heard: its echo must not interrupt it."""


class Voicing(Actor):
    """Emits `Onset` and `Hush` between the `Voice` frames that it passes on."""

    def __init__(self, threshold: float, window_samples: int = 512) -> None:
        super().__init__()
        self.threshold = threshold
        self.guarded = False
        self.enabled = True
        """Off, nothing is an onset: the client says where turns end."""
        self._window = window_samples
        self._speaking = False
        self._voiced = 0
        self._silent = 0
        self._last_voiced = 0

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        if isinstance(frame, Voice) and self.enabled:
            if self._speaking:
                self._follow(frame)
            else:
                self._await_onset(frame)

    def reset(self) -> None:
        """Forget the present speech; if it goes on, that is a new onset."""
        self._speaking = False
        self._voiced = 0

    def _await_onset(self, voice: Voice) -> None:
        threshold = min(0.95, self.threshold + (GUARD if self.guarded else 0))
        if voice.probability < threshold:
            self._voiced = 0
            return
        self._voiced += 1
        if self._voiced >= ONSET_WINDOWS:
            self._speaking = True
            self._silent = 0
            self._last_voiced = voice.at_samples
            self.emit(Onset(max(0, voice.at_samples - self._voiced * self._window)))

    def _follow(self, voice: Voice) -> None:
        if voice.probability >= self.threshold - HYSTERESIS:
            self._silent = 0
            self._last_voiced = voice.at_samples
            return
        self._silent += 1
        if self._silent >= HUSH_WINDOWS:
            self.reset()
            self.emit(Hush(self._last_voiced, voice.at_samples))
