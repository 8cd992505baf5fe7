"""What a gateway and an inference worker say to each other over a Unix stream socket.

Payloads and results are opaque bytes here: msgpack of the model family's own types
(`engine.capabilities`).
"""

import asyncio
from typing import TypeVar

import msgspec

from engine.framing import MAX_MESSAGE_BYTES as MAX_MESSAGE_BYTES
from engine.framing import WireError as WireError
from engine.framing import framed, read_body
from engine.inference import Priority
from engine.load import Load

PROTOCOL = 3
"""Both sides must agree; a worker of another release is refused when it says hello."""

M = TypeVar("M")


# ---- gateway to worker -----------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, tag="ask", array_like=True):
    """Do this work. `remaining_ms` until its deadline, which may have passed (below 0)."""

    id: int
    priority: Priority
    remaining_ms: float
    payload: bytes


class Promote(msgspec.Struct, frozen=True, tag="promote", array_like=True):
    """Change the place of request `id` in the queue. Unknown ids are ignored: it is done."""

    id: int
    priority: Priority
    remaining_ms: float


class Cancel(msgspec.Struct, frozen=True, tag="cancel", array_like=True):
    """Drop request `id`, queued or running: no more results, but `Done` with what it cost."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag="ping", array_like=True):
    """Are you there?"""


ToWorker = Ask | Promote | Cancel | Ping

# ---- worker to gateway -----------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True, tag="ready", array_like=True):
    """On the worker's standard output: the model is loaded and warm, the socket listens."""


class Broken(msgspec.Struct, frozen=True, tag="broken", array_like=True):
    """On the worker's standard output: it cannot serve, for this reason, and exits."""

    code: str
    message: str


class Hello(msgspec.Struct, frozen=True, tag="hello", array_like=True):
    """First on every connection: who answers here, on which `node` of a cluster (its address)."""

    name: str
    pid: int
    protocol: int = PROTOCOL
    node: str = ""


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
    """Here I am, so busy, holding so much memory."""

    load: Load
    resident_bytes: int = 0


FromWorker = Ready | Broken | Hello | Result | Done | Failed | Pong

_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)
_encoder = msgspec.msgpack.Encoder()


def encode(message: ToWorker | FromWorker) -> bytes:
    """The message as it goes over the socket. Raises `WireError` if it is too large."""
    return framed(_encoder.encode(message))


async def read_to_worker(reader: asyncio.StreamReader) -> ToWorker | None:
    """The gateway's next message; None when it has closed the connection between two messages.

    Raises `WireError` for a torn, oversized or unknown one.
    """
    body = await read_body(reader)
    return None if body is None else decode_to_worker(body)


async def read_from_worker(reader: asyncio.StreamReader) -> FromWorker | None:
    """The worker's next message, as `read_to_worker`."""
    body = await read_body(reader)
    return None if body is None else _decode(_from_worker, body)


def decode_to_worker(body: bytes) -> ToWorker:
    """A gateway's message without its frame. Raises `WireError` for an unknown one."""
    message: ToWorker = _decode(_to_worker, body)
    return message


def _decode(decoder: msgspec.msgpack.Decoder[M], body: bytes) -> M:
    try:
        return decoder.decode(body)
    except ValueError as wrong:  # msgspec's own errors, and text that is no UTF-8
        raise WireError(f"a message of {len(body)} bytes is none that we know: {wrong}") from wrong
