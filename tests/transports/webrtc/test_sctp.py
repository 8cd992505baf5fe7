"""What a client may have us keep and do for its events, and when what we sent has arrived."""

import asyncio
import struct
from typing import Any

import pytest
from google_crc32c import value as crc32c
from pyee.asyncio import AsyncIOEventEmitter

from tests.virtual_time import in_virtual_time
from transports.webrtc import sctp as module
from transports.webrtc import sdp, stack
from transports.webrtc.sctp import Sctp

DataChunk = stack.rtcsctptransport.DataChunk

FIRST, LAST = 2, 1

STRING = 51

USUAL = 1160


class Line(AsyncIOEventEmitter):
    """In DTLS's place: to `other`, `delay_s` later. Of what is sent the `lost` do not arrive."""

    state = "connected"

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self.other: Line | None = None
        self.delay_s = 0.05
        self.lost: set[int] = set()
        self.sent = 0
        self._receiver: Any = None

    def _register_data_receiver(self, receiver: Any) -> None:
        self._receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self._receiver = None

    async def _send_data(self, data: bytes) -> None:
        self.sent += 1
        if self.other is not None and self.sent not in self.lost:
            asyncio.get_running_loop().call_later(self.delay_s, self.other.deliver, data)

    def deliver(self, data: bytes) -> None:
        if self._receiver is not None:
            self._delivering = asyncio.ensure_future(self._receiver._handle_data(data))


class End:
    """Ours; pieces of a client's messages are put in."""

    def __init__(self, line: Line | None = None) -> None:
        self.told: list[str] = []
        self.taken: list[int] = []
        self.sctp = Sctp(line or Line("server"), sdp.LARGEST_EVENT, self.told.append)  # type: ignore[arg-type]
        self.sctp._last_received_tsn = 0
        self._tsn = 0
        channel = AsyncIOEventEmitter()
        channel.on("message", lambda message: self.taken.append(len(message)))
        self.sctp._data_channels[0] = channel  # type: ignore[assignment]

    @property
    def kept(self) -> list[int]:
        """The bytes of each piece that waits."""
        streams = self.sctp._inbound_streams.values()
        return [len(chunk.user_data) for stream in streams for chunk in stream.reassembly]

    def piece(self, size: int, flags: int = 0, stream: int = 0, of: int = 0) -> Any:
        """The next; `of` is the number of its message."""
        chunk = DataChunk(flags)
        self._tsn += 1
        chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol = self._tsn, stream, of, STRING
        chunk.user_data = b"a" * size
        return chunk

    async def take(self, size: int, flags: int = 0, stream: int = 0, of: int = 0) -> None:
        await self.sctp._receive_data_chunk(self.piece(size, flags, stream, of))

    async def message(self, size: int, of: int) -> None:
        """A whole one, in pieces."""
        for at in range(0, size, USUAL):
            first, last = at == 0, at + USUAL >= size
            await self.take(min(USUAL, size - at), FIRST * first | LAST * last, 0, of)


@pytest.mark.parametrize(
    ("size", "told"), [(USUAL, "bytes of"), (1, "pieces of"), (0, "pieces of")]
)
async def test_a_message_that_never_ends_fills_no_memory(size: int, told: str) -> None:
    end = End()
    await end.take(size, FIRST)
    for _ in range(5000):
        await end.take(size)
    [excess] = end.told
    assert told in excess
    assert sum(end.kept) <= 1024 * 1024 + module.BEYOND_BYTES + USUAL
    assert len(end.kept) <= module.MOST_CHUNKS + 1


async def test_streams_are_few() -> None:
    end = End()
    for stream in range(5000):
        await end.take(1, FIRST, stream)
    assert len(end.told) == 1
    assert len(end.sctp._inbound_streams) == module.MOST_STREAMS


async def test_the_largest_event_is_taken_and_none_that_is_larger() -> None:
    end = End()
    for number in range(20):  # more than the window, one after the other
        await end.message(sdp.LARGEST_EVENT, number)
    assert end.taken == [sdp.LARGEST_EVENT] * 20
    assert end.told == []
    await end.message(sdp.LARGEST_EVENT + 1, 20)
    assert end.told == ["an event of 262145 bytes: at most 262144 are taken"]
    await end.message(100, 21)
    assert end.taken == [sdp.LARGEST_EVENT] * 20


OPEN = struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0)
"""A channel, with a name of one byte."""


@pytest.mark.parametrize(
    "chunks",
    [
        [b"\x00\x03\x00\x06ab\0\0"],  # data, cut short
        [b"\x03\x00\x00\x06ab\0\0"],  # an acknowledgement, cut short
        [b"\x00\x03\x00\x1d" + struct.pack("!LHHL", 1, 1, 0, 50) + OPEN + b"\xff\0\0\0"],
        [
            b"\x00\x03\x00\x1d" + struct.pack("!LHHL", n, 1, n - 1, 50) + OPEN + b"a\0\0\0"
            for n in (1, 2)
        ],
        [b"\x01\0\0\x14" + bytes(16)] * 2,  # two beginnings
    ],
)
async def test_what_cannot_be_read_ends_the_association(chunks: list[bytes]) -> None:
    end = End()
    end.sctp._remote_port = sdp.SCTP_PORT
    end.sctp._data_channels.clear()
    end.sctp._set_state(end.sctp.State.ESTABLISHED)
    head = struct.pack("!HHL", 5000, 5000, end.sctp._local_verification_tag)
    body = b"".join(chunks)
    checksum = struct.pack("<L", crc32c(head + bytes(4) + body))
    await end.sctp._handle_data(head + checksum + body)
    assert end.sctp.state == "closed"


async def test_text_that_is_none_comes_as_bytes() -> None:
    end = End()
    end.sctp._data_channels[0].on("message", lambda message: end.told.append(repr(message)))
    await end.sctp._receive(0, STRING, b"\xff")
    await end.sctp._receive(0, STRING, "é".encode())
    assert end.told == [repr(b"\xff"), repr("é")]


async def test_who_floods_leaves_time_to_others() -> None:
    end = End()
    end.sctp._remote_port = sdp.SCTP_PORT
    tag = end.sctp._local_verification_tag
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(others())
    for number in range(500):
        whole = end.piece(100, FIRST | LAST, 0, number)
        await end.sctp._handle_data(
            stack.rtcsctptransport.serialize_packet(sdp.SCTP_PORT, sdp.SCTP_PORT, tag, whole)
        )
    other.cancel()
    assert len(end.taken) == 500
    assert turns > 5


async def both() -> tuple[Any, Sctp, Line]:
    """A client's association with ours, and the line from us to it."""
    theirs, ours = Line("client"), Line("server")
    theirs.other, ours.other = ours, theirs
    client = stack.rtcsctptransport.RTCSctpTransport(theirs, sdp.SCTP_PORT)  # type: ignore[arg-type]
    server = Sctp(ours, sdp.LARGEST_EVENT, print)  # type: ignore[arg-type]
    caps = stack.rtcsctptransport.RTCSctpCapabilities(0)
    await client.start(caps, sdp.SCTP_PORT)
    await server.start(caps, sdp.SCTP_PORT)
    await asyncio.sleep(1)
    return client, server, ours


@pytest.mark.parametrize(("lost", "least_s", "most_s"), [(0, 0.1, 0.2), (1, 1.0, 1.5)])
def test_what_was_sent_is_waited_for(lost: int, least_s: float, most_s: float) -> None:
    async def run() -> float:
        client, server, line = await both()
        arrived: list[bytes] = []

        async def take(stream_id: int, pp_id: int, data: bytes) -> None:
            arrived.append(data)

        client._receive = take
        await server._send(1, STRING, b"warm")
        await server.until_arrived()
        line.lost = {line.sent + 1} if lost else set()
        began = asyncio.get_running_loop().time()
        await server._send(1, STRING, b"goodbye")
        await server.until_arrived()
        assert arrived == [b"warm", b"goodbye"]
        took_s = asyncio.get_running_loop().time() - began
        await server.stop()
        await client.stop()
        return took_s

    assert least_s <= in_virtual_time(run()) <= most_s


def test_nothing_is_waited_for_once_the_client_is_gone() -> None:
    async def run() -> None:
        client, server, line = await both()
        line.lost = set(range(1000))
        await server._send(1, STRING, b"goodbye")
        waiting = asyncio.ensure_future(server.until_arrived())
        await asyncio.sleep(0.5)
        assert not waiting.done()
        line.state = "closed"
        line.emit("statechange")
        async with asyncio.timeout(0.1):
            await waiting
        await server.stop()
        await client.stop()

    in_virtual_time(run())
