"""What a session needs of the way to its client."""

from typing import Protocol

from engine.frames import Frame


class Transport(Protocol):
    """How a session meets the outside. Every call returns at once."""

    lead_ms: int
    """How far ahead of real time audio may be sent; at most 100 where it cannot be taken back."""

    frame_ms: int
    """How much audio the transport wants at a time."""

    rate_hz: int
    """The rate at which the transport wants the agent's speech."""

    def send(self, frame: Frame) -> None:
        """Take one of the outward frames of `engine.frames`, also while the client is away."""
        ...
