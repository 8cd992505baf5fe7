"""A session: one conversation, from its first sample to the reason for its end."""

import enum
from typing import Protocol

from engine.frames import Frame
from engine.items import Item
from engine.settings import ResponseRequest, SessionSettings


class EndReason(enum.StrEnum):
    """Why a session ended."""

    CLIENT_LEFT = "client_left"
    DRAINED = "drained"
    TOO_LONG = "longest_duration"
    SILENCE = "silence"
    FAILED = "failed"
    STOPPED = "stopped"
    UNREACHED = "client_did_not_return"
    TOO_SLOW = "client_stopped_reading"


class Transport(Protocol):
    """How a session meets the outside. Every call returns at once."""

    lead_ms: int
    """How far ahead of real time audio may be sent; at most 100 where it cannot be taken back."""

    frame_ms: int
    """How much audio the transport wants at a time."""

    rate_hz: int
    """The rate of the agent's speech as the transport sends it; the session resamples to it."""

    def send(self, frame: Frame) -> None:
        """Take one of the outward frames of `engine.frames`."""
        ...


class RequestError(Exception):
    """A client asked for something that cannot be done now; `code` and `param` as in `Failure`."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Session:
    """One conversation. All methods return at once and must be called from the event loop.

    What a client may do wrong raises `RequestError`; what goes wrong later arrives at the
    transport as `Failure` or as a `ResponseEnded` with status `failed`.
    """

    id: str
    settings: SessionSettings

    def start(self) -> None:
        """Begin: the greeting is said, timers run."""

    def attach(self, transport: Transport) -> None:
        """Give the session a (new) transport; a returning client goes on with its history."""

    def detach(self) -> None:
        """The transport is gone. Playout stops, the rest is kept until `attach` or `stop`."""

    def configure(self, settings: SessionSettings) -> None:
        """Use new settings from now on. The voice cannot change once the agent has spoken."""

    def hear(self, pcm: bytes) -> None:
        """Take the caller's audio: mono 16-bit PCM at 16 kHz, any length."""

    def commit(self) -> None:
        """End the caller's turn here (push-to-talk). Refused when less than 100 ms is buffered."""

    def clear(self) -> None:
        """Throw the caller's uncommitted audio away."""

    def respond(self, request: ResponseRequest) -> None:
        """Ask for a response. Refused while another one in the conversation is active."""

    def cancel(self, response_id: str | None = None) -> None:
        """Cancel the active response, or the named one. Refused if there is none."""

    def clear_playback(self) -> None:
        """Drop buffered agent audio; the response's history is cut to what was heard."""

    def add(self, item: Item, previous_item_id: str | None = None) -> None:
        """Put an item into the history: at the end, after `previous_item_id`, or at `root`."""

    def add_audio(self, item_id: str, role: str, pcm: bytes, previous_item_id: str | None) -> None:
        """Put a recorded user message into the history; its transcript follows. PCM at 16 kHz."""

    def delete(self, item_id: str) -> None:
        """Take an item out of the history."""

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an assistant item to the smaller of `audio_end_ms` and what was heard."""

    def item(self, item_id: str) -> Item:
        """The item, as the history has it."""

    def drain(self, reason: EndReason) -> None:
        """Finish what is being said, then end."""

    def stop(self, reason: EndReason, message: str = "") -> None:
        """End now. Idempotent."""
