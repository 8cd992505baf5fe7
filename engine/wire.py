"""What a gateway and an inference worker say to each other over a Unix stream socket.

Each message is msgpack behind a four-byte big-endian length. Payloads and results are opaque bytes
here: msgpack of the model family's own types (`engine.capabilities`).
"""

import asyncio
import struct
from typing import TypeVar

import msgspec

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Eight minutes of 16 kHz speech: far more than a turn, far less than would hurt the process."""

PROTOCOL = 1
"""Both sides must agree; a worker of another release is refused when it says hello."""

_LENGTH = struct.Struct(">I")

M = TypeVar("M")


class WireError(Exception):
    """The other side broke the protocol; the connection is of no further use."""


# ---- gateway to worker -----------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, tag="ask", array_like=True):
    """Do this work. `remaining_ms` until its deadline, which may have passed (below 0)."""

    id: int
    priority: int
    remaining_ms: float
    payload: bytes


class Promote(msgspec.Struct, frozen=True, tag="promote", array_like=True):
    """Change the place of request `id` in the queue. Unknown ids are ignored: it is done."""

    id: int
    priority: int
    remaining_ms: float


class Cancel(msgspec.Struct, frozen=True, tag="cancel", array_like=True):
    """Drop request `id`, queued or running: no more results, but `Done` with what it cost."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag="ping", array_like=True):
    """Are you there?"""


ToWorker = Ask | Promote | Cancel | Ping

# ---- worker to gateway -----------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, tag="ready", array_like=True):
    """On the worker's standard output: the model is loaded and warm, the socket listens.

    `detail` is what the family wants its users to know, such as the port it serves on.
    """

    detail: dict[str, str]


class Broken(msgspec.Struct, frozen=True, tag="broken", array_like=True):
    """On the worker's standard output: it cannot serve, for this reason, and exits."""

    code: str
    message: str


class Hello(msgspec.Struct, frozen=True, tag="hello", array_like=True):
    """First on every connection: who answers here."""

    family: str
    pid: int
    protocol: int = PROTOCOL


class Result(msgspec.Struct, frozen=True, tag="result", array_like=True):
    """One result of request `id`, in order."""

    id: int
    payload: bytes


class Done(msgspec.Struct, frozen=True, tag="done", array_like=True):
    """Request `id` has no more results; it took `compute_ms` of the model's time."""

    id: int
    compute_ms: float


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True):
    """Request `id` ended with an error."""

    id: int
    code: str
    message: str
    compute_ms: float = 0.0


class Pong(msgspec.Struct, frozen=True, tag="pong", array_like=True):
    """Here I am, with `queued` requests, and the batch that runs has run for `busy_ms`."""

    queued: int
    busy_ms: float


FromWorker = Ready | Broken | Hello | Result | Done | Failed | Pong

_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)
_encoder = msgspec.msgpack.Encoder()


def encode(message: ToWorker | FromWorker) -> bytes:
    """The message as it goes over the socket. Raises `WireError` if it is too large."""
    body = _encoder.encode(message)
    _check_size(len(body))
    return _LENGTH.pack(len(body)) + body


async def read_to_worker(reader: asyncio.StreamReader) -> ToWorker | None:
    """The gateway's next message; None when it has closed the connection between two messages.

    Raises `WireError` for a torn, oversized or unknown one.
    """
    body = await _read_body(reader)
    return None if body is None else _decode(_to_worker, body)


async def read_from_worker(reader: asyncio.StreamReader) -> FromWorker | None:
    """The worker's next message, as `read_to_worker`."""
    body = await _read_body(reader)
    return None if body is None else _decode(_from_worker, body)


async def _read_body(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as torn:
        if not torn.partial:
            return None
        raise WireError(
            f"the stream ended after {len(torn.partial)} of a length's 4 bytes"
        ) from None
    except ConnectionError as lost:
        raise WireError(f"the connection was lost: {lost}") from lost
    (size,) = _LENGTH.unpack(head)
    _check_size(size)
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as torn:
        raise WireError(
            f"the stream ended after {len(torn.partial)} of a message's {size} bytes"
        ) from None
    except ConnectionError as lost:
        raise WireError(f"the connection was lost: {lost}") from lost


def _check_size(size: int) -> None:
    if size > MAX_MESSAGE_BYTES:
        raise WireError(
            f"a message of {size} bytes is over the limit of {MAX_MESSAGE_BYTES}: "
            "send the work in smaller pieces"
        )


def _decode(decoder: msgspec.msgpack.Decoder[M], body: bytes) -> M:
    try:
        return decoder.decode(body)
    except ValueError as wrong:  # msgspec's own errors, and text that is no UTF-8
        raise WireError(f"a message of {len(body)} bytes is none that we know: {wrong}") from wrong
