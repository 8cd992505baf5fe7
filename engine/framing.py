"""Messages on a byte stream: each is msgpack behind a four-byte big-endian length."""

import asyncio
import struct

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Eight minutes of 16 kHz speech: far more than a turn, far less than would hurt the process."""

_LENGTH = struct.Struct(">I")


class WireError(Exception):
    """The other side broke the protocol; the connection is of no further use."""


def framed(body: bytes) -> bytes:
    """The body behind its length. Raises `WireError` if it is too large."""
    _check_size(len(body))
    return _LENGTH.pack(len(body)) + body


async def read_body(reader: asyncio.StreamReader) -> bytes | None:
    """The next body; None when the other side has closed the stream between two messages.

    Raises `WireError` for a torn or oversized one.
    """
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
