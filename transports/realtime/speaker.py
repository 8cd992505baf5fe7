"""Where the agent is heard, if that is not in the protocol's events."""

from typing import Protocol

import msgspec


class Speaker(Protocol):
    """A way for speech alone, such as a track of WebRTC. See `engine.transport.Transport` for what
    it has to say of itself.
    """

    lead_ms: int
    frame_ms: int
    rate_hz: int

    @property
    def delay_ms(self) -> int: ...

    def say(self, pcm: bytes) -> None:
        """Take the next of the speech: mono 16-bit PCM at `rate_hz`."""
        ...


class Events(msgspec.Struct, frozen=True):
    """Speech in events. A client that plays what it gets cannot be made to give audio back, so
    little is sent ahead; 25 events a second, each of 2.6 kB as 24 kHz PCM.
    """

    rate_hz: int
    lead_ms: int = 80
    frame_ms: int = 40
    delay_ms: int = 0
