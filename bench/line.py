"""A WebSocket to ours or to the peer, spoken without a library: what many callers can afford.

Messages of the caller's audio are made beforehand (`encode`) and written as they are; of what comes
back, `message` gets the place in the buffer, and decodes as little as it likes.
"""

import abc
import asyncio
import base64
import json
import os
from functools import partial
from typing import Any, Literal, TypeVar, cast

import msgspec

from bench.peerwire import audio_message

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
RATE_HZ = {"ours": 24_000, "peer": 16_000}
CONNECT_S = 60.0  # the peer loads its models first

Kind = Literal["ours", "peer"]


class Refusal(Exception):
    """The server let nobody in: its HTTP status, Retry-After in s (None: not said), and body."""

    def __init__(self, status: int, retry_after_s: float | None, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.retry_after_s = retry_after_s
        self.body = body

    @property
    def clear(self) -> bool:
        """Whether it is what a full server of ours owes: 503, when to come again, and why."""
        try:
            code = json.loads(self.body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return False
        return self.status == 503 and self.retry_after_s is not None and code == "no_capacity"


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A WebSocket frame from a client (RFC 6455, 5.2); its mask of zeros costs nothing."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def encode(kind: Kind, pcm: bytes) -> bytes:
    """A stretch of the caller's audio as the server's protocol wants it, ready for the wire."""
    if kind == "peer":
        return client_frame(BINARY, audio_message(pcm, RATE_HZ[kind]))
    audio = base64.b64encode(pcm).decode()
    event = f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'
    return client_frame(TEXT, event.encode())


def refusal(answer: bytes) -> Refusal:
    """What a whole HTTP answer other than 101 says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    words = status.split(" ")
    number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    headers = {
        name.strip().lower(): rest.strip() for name, _, rest in (x.partition(":") for x in lines)
    }
    wait = headers.get("retry-after", "")
    return Refusal(number, float(wait) if wait.isdigit() else None, body)


class Line(asyncio.Protocol, abc.ABC):
    """One connection. `joined` is done once it is open, or fails with why it is not. A server that
    wants a key is shown `key`.
    """

    key = ""

    def __init__(self, path: str) -> None:
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.open = False
        self._path = path
        self._buffer = b""

    def opened(self) -> None:
        """The connection is there; the first thing to be said may be said now."""

    @abc.abstractmethod
    def message(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        """A text or binary message lies in `buffer[at : at + size]`."""

    def lost(self) -> None:
        """The connection was open, and has ended."""

    def write(self, frame: bytes) -> None:
        """Send a frame that is ready for the wire, if the connection is open."""
        if self.open and self.transport is not None:
            self.transport.write(frame)

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event of the realtime protocol."""
        self.write(client_frame(TEXT, msgspec.json.encode(event)))

    def goodbye(self) -> None:
        """Say that the client leaves for good."""
        self.write(client_frame(CLOSE, (1000).to_bytes(2, "big")))
        self.open = False

    # ---- asyncio.Protocol ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        nonce = base64.b64encode(os.urandom(16)).decode()
        shown = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {nonce}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{shown}\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.joined.done():
            whole = b"\r\n\r\n" in self._buffer
            reason = refusal(self._buffer) if whole else ConnectionError(f"not let in: {exc}")
            self.joined.set_exception(reason)
        elif self.open:
            self.open = False
            self.lost()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self.joined.done():
            buffer = self._upgraded(buffer)
        at = 0
        while self.joined.done() and len(buffer) - at >= 2:
            size, head = buffer[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            if len(buffer) - at < head + size:
                break
            self._took(buffer[at] & 0x0F, buffer, at + head, size)
            at += head + size
        self._buffer = buffer[at:]

    def _took(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        if opcode == PING:
            self.write(client_frame(PONG, buffer[at : at + size]))
        elif opcode in (TEXT, BINARY):
            self.message(opcode, buffer, at, size)
        elif opcode == CLOSE and self.transport is not None:
            self.transport.close()

    def _upgraded(self, buffer: bytes) -> bytes:
        """What follows the handshake. An answer that refuses is read when the connection ends."""
        head, end, rest = buffer.partition(b"\r\n\r\n")
        if not end or b" 101 " not in head.split(b"\r\n", 1)[0]:
            return buffer
        self.open = True
        self.joined.set_result(None)
        self.opened()
        return rest


L = TypeVar("L", bound=Line)


async def connected(line: L, port: int, key: str = "") -> L:
    """The line, once it is open. Raises `Refusal`, `OSError` or `TimeoutError`."""
    line.key = key
    loop = asyncio.get_running_loop()
    await loop.create_connection(partial(_same, line), "127.0.0.1", port)
    await asyncio.wait_for(line.joined, CONNECT_S)
    return line


def _same(line: L) -> L:
    return line
