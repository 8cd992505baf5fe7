"""The agent's last speech as it was sent, to be known again when it comes back."""

from collections import deque

KEPT_S = 2.5


class Spoken:
    """Mono 16-bit PCM, all of it at the rate of what was sent last."""

    def __init__(self) -> None:
        self.rate_hz = 0
        self._pieces: deque[bytes] = deque()
        self._bytes = 0

    def add(self, pcm: bytes, rate_hz: int) -> None:
        """The next of it."""
        if rate_hz != self.rate_hz:
            self._pieces.clear()
            self._bytes, self.rate_hz = 0, rate_hz
        self._pieces.append(pcm)
        self._bytes += len(pcm)
        while self._bytes - len(self._pieces[0]) >= 2 * KEPT_S * rate_hz:
            self._bytes -= len(self._pieces.popleft())

    @property
    def pcm(self) -> bytes:
        """The last two seconds and a half, and little more."""
        return b"".join(self._pieces)
