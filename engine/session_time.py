"""One timeline for what is heard and what is timed."""

import asyncio

from engine.frames import CALLER_HZ

STALL_MS = 300.0
"""Audio that has not come for so long has stopped; until then it may be held up."""


class SessionTime:
    """Milliseconds since the session began, that never run backwards.

    While the caller's audio comes, time is what that audio says: a recording sent faster than it
    was spoken has its second of silence, and words that the network holds up are no silence. Once
    it has stopped coming, and before it has begun, time is real time.
    """

    def __init__(self) -> None:
        self._loop_time = asyncio.get_running_loop().time
        self._now_ms = 0.0
        self._known_at = self._loop_time()  # when it was so late
        self._audio_at_ms: float | None = None  # where the caller's first sample stands

    def hear(self, at_samples: int) -> None:
        """The caller's audio has been heard up to here."""
        now = self.now_ms()
        if self._audio_at_ms is None:
            self._audio_at_ms = now - _ms(at_samples)
        at = self.at_ms(at_samples)
        if at < now:  # it had stopped
            self._audio_at_ms += now - at
            at = now
        self._now_ms, self._known_at = at, self._loop_time()

    def at_ms(self, at_samples: int) -> float:
        """When this sample of the caller's audio was heard."""
        return (self._audio_at_ms or 0.0) + _ms(at_samples)

    def now_ms(self) -> float:
        """The present."""
        elapsed = (self._loop_time() - self._known_at) * 1000
        if self._audio_at_ms is not None:
            elapsed = max(0.0, elapsed - STALL_MS)
        return self._now_ms + elapsed

    def loop_time(self, at_samples: int) -> float:
        """When this sample was heard, in seconds of the loop's clock."""
        return self._loop_time() - max(0.0, self.now_ms() - self.at_ms(at_samples)) / 1000


def _ms(samples: int) -> float:
    return samples * 1000 / CALLER_HZ
