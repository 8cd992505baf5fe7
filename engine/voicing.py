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

FAINT_DB = 9.0
"""Sound that stands out from the room by less than this is faint: a cafe, the next table, the
agent's echo. A cafe at -45 dBFS with the agent's echo is taken for the caller ten times a minute
without `FAINT_GUARD`, and once in twenty minutes with it, while callers, also 12 dB quieter ones,
are found as soon and less often missed (`python -m bench.babble`)."""

FAINT_GUARD = 0.4
"""How much higher the threshold is for faint sound. Callers who are no louder than what is around
them are heard too, where Silero is sure of them."""

MOST_CERTAIN = 0.95
"""No threshold is raised above this."""

ROOM_DBFS = -60.0
"""How loud a room is taken to be until it has been heard."""

ROOM_SHARE = 0.03
"""What a window adds to the mean level of the room: a time constant of about a second."""

SPEECH_SHARE = 0.001
"""The same for louder windows of speech: half a minute. Speech has gaps, in which the mean falls
back at once; what goes on without any is the room."""


class Voicing(Actor):
    """Emits `Onset` and `Hush` between the `Voice` frames that it passes on."""

    def __init__(
        self, threshold: float, window_samples: int = 512, faint_guard: float = FAINT_GUARD
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.guarded = False
        self.enabled = True
        """Off, nothing is an onset: the client says where turns end."""
        self._window = window_samples
        self._faint_guard = faint_guard
        self._speaking = False
        self._voiced = 0
        self._silent = 0
        self._last_voiced = 0
        self._room_dbfs = ROOM_DBFS

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        if isinstance(frame, Voice) and self.enabled:
            if self._speaking:
                self._follow(frame)
            else:
                self._await_onset(frame)
        if isinstance(frame, Voice):
            rises = frame.dbfs - self._room_dbfs
            self._room_dbfs += rises * (
                SPEECH_SHARE if self._speaking and rises > 0 else ROOM_SHARE
            )

    def reset(self) -> None:
        """Forget the present speech; if it goes on, that is a new onset."""
        self._speaking = False
        self._voiced = 0

    def _await_onset(self, voice: Voice) -> None:
        faint = voice.dbfs < self._room_dbfs + FAINT_DB
        threshold = self.threshold + GUARD * self.guarded + self._faint_guard * faint
        if voice.probability < min(MOST_CERTAIN, threshold):
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
