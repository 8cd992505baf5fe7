"""One timeline for what is heard and what is timed."""

import asyncio

from engine.frames import CALLER_HZ


class SessionTime:
    """Milliseconds since the session began, that never run backwards.

    Real time, unless the caller's audio runs ahead of it: a client may send a recording faster
    than it was spoken, and a second of silence in it is a second of silence. Audio that comes late
    moves the audio's place on the timeline: a stalled network is no silence.
    """

    def __init__(self) -> None:
        self._loop_time = asyncio.get_running_loop().time
        self._began = self._loop_time()
        self._audio_at_ms = 0.0  # where the caller's first sample stands on the timeline
        self._latest_ms = 0.0

    def hear(self, at_samples: int) -> None:
        """The caller's audio has been heard up to here."""
        at = self.at_ms(at_samples)
        wall = self._wall_ms()
        if at < wall:
            self._audio_at_ms += wall - at
            at = wall
        self._latest_ms = max(self._latest_ms, at)

    def at_ms(self, at_samples: int) -> float:
        """When this sample of the caller's audio was heard."""
        return self._audio_at_ms + at_samples * 1000 / CALLER_HZ

    def now_ms(self) -> float:
        """The present."""
        self._latest_ms = max(self._latest_ms, self._wall_ms())
        return self._latest_ms

    def loop_time(self, at_samples: int) -> float:
        """When this sample was heard, in seconds of the loop's clock."""
        return self._loop_time() - max(0.0, self.now_ms() - self.at_ms(at_samples)) / 1000

    def _wall_ms(self) -> float:
        return (self._loop_time() - self._began) * 1000
