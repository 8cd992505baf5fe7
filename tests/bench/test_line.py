"""The WebSocket that callers speak without a library."""

import asyncio
import http
import json

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from bench.line import TEXT, Line, Refusal, client_frame, connected, encode, refusal
from bench.peerwire import AUDIO, read

FULL = json.dumps({"error": {"code": "no_capacity", "message": "4 sessions are open"}}).encode()


class Told(Line):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("/v1/realtime")
        self.heard: list[tuple[int, bytes]] = []
        self.left = False

    def opened(self) -> None:
        self.tell({"type": "hello"})

    def message(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        self.heard.append((opcode, buffer[at : at + size]))

    def lost(self) -> None:
        self.left = True


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 100_000])
async def test_messages_of_every_length_come_back(size: int) -> None:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        line = await connected(Told(), server.sockets[0].getsockname()[1])
        line.write(client_frame(TEXT, b"x" * size))
        while len(line.heard) < 2:
            await line_moves()
        line.goodbye()

    assert line.heard == [(TEXT, b'{"type":"hello"}'), (TEXT, b"x" * size)]
    assert not line.left


async def test_a_line_that_the_server_closes_is_lost() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.recv()

    async with serve(leave, "127.0.0.1", 0) as server:
        line = await connected(Told(), server.sockets[0].getsockname()[1])
        while not line.left:
            await line_moves()

    assert not line.open


async def test_a_refusal_says_when_to_come_again() -> None:
    def full(socket: ServerConnection, request: Request) -> Response:
        headers = Headers([("Retry-After", "3"), ("Content-Length", str(len(FULL)))])
        return Response(503, http.HTTPStatus(503).phrase, headers, FULL)

    async def never(socket: ServerConnection) -> None:
        raise AssertionError("nobody was let in")

    async with serve(never, "127.0.0.1", 0, process_request=full) as server:
        with pytest.raises(Refusal) as refused:
            await connected(Told(), server.sockets[0].getsockname()[1])

    assert refused.value.status == 503
    assert refused.value.retry_after_s == 3
    assert refused.value.clear


def test_a_refusal_without_a_reason_or_a_time_is_not_clear() -> None:
    head = b"HTTP/1.1 503 Service Unavailable\r\n"
    assert not refusal(head + b"Retry-After: 3\r\n\r\nbusy").clear
    assert not refusal(head + b"\r\n" + FULL).clear
    assert not refusal(b"HTTP/1.1 429 No\r\nRetry-After: 3\r\n\r\n" + FULL).clear
    assert refusal(head + b"retry-after: 3\r\n\r\n" + FULL).clear


def test_audio_is_ready_for_the_wire() -> None:
    ours, peer = encode("ours", bytes(960)), encode("peer", bytes(640))

    assert b'"input_audio_buffer.append"' in ours
    assert ours[0] == 0x81
    assert read(peer[8:]) == (AUDIO, bytes(640))


async def line_moves() -> None:
    await asyncio.sleep(0.005)
