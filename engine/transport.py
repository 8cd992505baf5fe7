"""What a session needs of the way to its client."""

from typing import Protocol

from engine.frames import Frame


class Transport(Protocol):
    """How a session meets the outside. Every call returns at once."""

    @property
    def lead_ms(self) -> int:
        """How far ahead of real time audio may be sent; at most 100 where it cannot be taken
        back.
        """
        ...

    @property
    def delay_ms(self) -> int:
        """How long after it is sent audio sounds at the other side, as far as is known; 0 if it is
        not.
        """
        ...

    @property
    def frame_ms(self) -> int:
        """How much audio the transport wants at a time."""
        ...

    @property
    def rate_hz(self) -> int:
        """The rate at which the transport wants the agent's speech."""
        ...

    def send(self, frame: Frame) -> None:
        """Take one of the outward frames of `engine.frames`, also while the client is away."""
        ...
