"""The loudspeaker of a caller: plays what arrives, and remembers what was heard.

Audio plays from its arrival on. What comes faster than it plays waits in line; what comes late
leaves a hole.
"""

import numpy as np

from bench.sound import Sound, Stretch, from_pcm, zeros

LATE_MS = 20.0


class Playout:
    """Times are of the event loop's clock, in seconds. `rate_hz` is the agent's audio."""

    def __init__(self, rate_hz: int, started_at: float) -> None:
        self.rate_hz = rate_hz
        self.started_at = started_at
        self.ends_at = started_at
        self.received_samples = 0
        self._pieces: list[tuple[int, int]] = []
        self._heard = np.zeros(rate_hz * 60, np.float32)

    def play(self, pcm: bytes, at: float) -> None:
        """Put 16-bit PCM that arrived at `at` behind what is still to be played."""
        sound = from_pcm(pcm)
        start = self.position(max(at, self.ends_at))
        self._reserve(start + len(sound))
        self._heard[start : start + len(sound)] = sound
        self._pieces.append((start, start + len(sound)))
        self.ends_at = self.started_at + (start + len(sound)) / self.rate_hz
        self.received_samples += len(sound)

    def drop(self, at: float) -> None:
        """Throw away what has not been played by `at`, as a client does that stops playback."""
        if at < self.ends_at:
            start = self.position(at)
            self._heard[start : self.position(self.ends_at) + 1] = 0
            self._pieces = [(a, min(b, start)) for a, b in self._pieces if a < start]
            self.ends_at = at

    def heard(self, start: float, end: float) -> Sound:
        """What sounds from `start` to `end`; zeros where nothing did, or does as yet."""
        first, last = self.position(start), self.position(end)
        self._reserve(last)
        before = np.zeros(min(max(0, -first), last - first), np.float32)
        return np.concatenate((before, self._heard[max(0, first) : max(0, last)]))

    def holes(self, start: float, end: float) -> list[Stretch]:
        """When nothing sounded from `start` to `end`, for want of audio or because zeros were sent.

        Counts from `start`. A frame that comes a few ms late leaves no hole worth the name.
        """
        first, last = self.position(start), self.position(end)
        played = np.zeros(max(0, last - first), bool)
        for begins, ends in self._pieces:
            if ends > first and begins < last:
                played[max(0, begins - first) : ends - first] = True
        idle = np.flatnonzero(np.diff(np.concatenate(([1], played.astype(np.int8), [1]))))
        step_ms = 1000 / self.rate_hz
        idle_spans = zip(idle[::2], idle[1::2], strict=True)
        empty = [(float(a) * step_ms, float(b - a) * step_ms) for a, b in idle_spans]
        empty = [(at, length) for at, length in empty if length > LATE_MS]
        return empty + zeros(self.heard(start, end) * played + ~played, self.rate_hz)

    def position(self, at: float) -> int:
        """The sample that sounds at `at`."""
        return round((at - self.started_at) * self.rate_hz)

    def _reserve(self, samples: int) -> None:
        while samples > len(self._heard):
            self._heard = np.concatenate((self._heard, np.zeros_like(self._heard)))
