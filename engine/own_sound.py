"""The agent's own sound in the caller's microphone, as far as one session knows of it."""

from math import inf

from engine.caller_audio import CallerAudio
from engine.echo import Echo
from engine.frames import CALLER_HZ
from engine.services import Ear
from engine.spoken import Spoken

RETURNS_MS = 600
"""So long after its end the agent may still come back."""

COMPARED = 6 * CALLER_HZ // 10
"""Samples of the caller's last sound."""


class OwnSound:
    """`alone`: since its onset the caller's sound is nothing else, and nobody else need know of it.

    `audible` is whether the agent speaks at this moment, `now_ms` the session's time.
    """

    def __init__(self, audio: CallerAudio, ear: Ear) -> None:
        self.alone = False
        self._audio = audio
        self._ear = ear
        self._spoken = Spoken()
        self._echo = Echo()
        self._until_ms = -inf

    def sent(self, pcm: bytes, rate_hz: int) -> None:
        """The next of the agent's speech; mono 16-bit PCM."""
        self._spoken.add(pcm, rate_hz)

    def ended(self, now_ms: float) -> None:
        """The agent has said what it had to say, or was cut."""
        self._until_ms = now_ms

    def onset(self, audible: bool, now_ms: float) -> None:
        """A sound begins, that may be it."""
        self.alone = self.returns(audible, now_ms)

    def goes_on(self, audible: bool, now_ms: float) -> bool:
        """Whether a sound that began as nothing else still is. Ask it as words are recognised."""
        return self.alone and self._echo.goes_on(self._likeness(audible, now_ms))

    def returns(self, audible: bool, now_ms: float) -> bool:
        """Whether what has just been heard of the caller has it in it."""
        return self._echo.begins(self._likeness(audible, now_ms))

    def _likeness(self, audible: bool, now_ms: float) -> float:
        """Of the one to the other; 0 where the agent is silent."""
        if not audible and now_ms - self._until_ms > RETURNS_MS:
            return 0.0
        end = self._audio.end
        caller = self._audio.slice(end - COMPARED, end)
        return self._ear.likeness(caller, self._spoken.pcm, self._spoken.rate_hz)
