"""The client side of inference: how a session asks a shared model for work.

A session never holds a model. It sends a payload with a priority and a deadline to an `Inference`
and iterates over the results of the `Request` that it gets back. Whether a local worker, a remote
endpoint or a Ray actor answers cannot be seen from here.
"""

import enum
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

P_contra = TypeVar("P_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Priority(enum.IntEnum):
    """What is at stake; lower is served first."""

    FIRST = 1  # first audio of a reply, and speech that may interrupt
    PARTIAL = 2  # partial transcripts
    AHEAD = 3  # audio needed after what is already buffered
    SPECULATIVE = 4  # answers that may never be heard
    BATCH = 5  # API work without a live caller


class InferenceError(Exception):
    """A request failed. `code` is stable and machine-readable; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


BAD_PAYLOAD = "bad_payload"
"""The code of an `InferenceError` whose cause the client can mend."""


class BadPayload(ValueError):
    """A model refuses what it is asked. The text names the value, the limit and the way out.

    Unlike any other error of a model it is shown to the client, so it quotes nothing of what was
    said or heard.
    """


def kind_of(code: str | None) -> str:
    """Whose fault a failure is: `invalid_request_error`, or else `server_error`."""
    return "invalid_request_error" if code == BAD_PAYLOAD else "server_error"


class Request(Protocol[R_co]):
    """One request on its way.

    Iterate it for its results, once. Iteration raises `InferenceError` if the work fails, and ends
    early, without an error, after `cancel`.
    """

    @property
    def compute_ms(self) -> float:
        """Compute that the request has cost so far, in ms of one worker's time."""
        ...

    def __aiter__(self) -> AsyncIterator[R_co]: ...

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        """Change the place in the queue, also if the work is already queued elsewhere."""
        ...

    def cancel(self) -> None:
        """Stop the work where it is. Idempotent; does nothing once the work is done."""
        ...


class Inference(Protocol[P_contra, R_co]):
    """A model shared by all sessions."""

    def request(self, payload: P_contra, *, priority: Priority, deadline_ms: int) -> Request[R_co]:
        """Ask for work. Returns at once; `deadline_ms` counts from now."""
        ...
