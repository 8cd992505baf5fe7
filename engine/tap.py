"""What may listen in on a session's audio, for a recording."""

from typing import Protocol


class Tap(Protocol):
    """Takes mono 16-bit PCM of both sides. Every call returns at once."""

    def heard(self, pcm: bytes) -> None:
        """The caller's, at `engine.frames.CALLER_HZ`, as it comes in."""
        ...

    def said(self, pcm: bytes, rate_hz: int) -> None:
        """The agent's, as it is sent."""
        ...
