"""Whose datagrams are taken, over real sockets: a client on aioice, and strangers beside it."""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioice import ice, stun
from aioice.candidate import Candidate

from transports.webrtc import ice as module
from transports.webrtc.ice import Connection, Reach, bound

LOOPBACK = "127.0.0.1"

HERE = Reach(addresses=(LOOPBACK,))

HELLO, SPEECH = b"\x16" + bytes(60), b"\x80" + bytes(40)


class Sides:
    """Our connection, and the client's, which is in charge as a browser is."""

    def __init__(self) -> None:
        self.media: list[bytes] = []
        self.ours = Connection(HERE, self._received)
        self.client = ice.Connection(ice_controlling=True)
        self.sockets: list[socket.socket] = []

    def _received(self, data: bytes) -> bool:
        if data[0] in module.DTLS:
            return False
        self.media.append(data)
        return True

    @property
    def address(self) -> tuple[str, int]:
        """Ours."""
        sockname: tuple[str, int] = self.ours._protocols[0].transport.get_extra_info("sockname")
        return sockname

    @property
    def waiting(self) -> int:
        return self.ours._queue.qsize()

    async def open(self) -> None:
        await self.ours.gather_candidates()
        self.client._local_candidates_start = self.client._local_candidates_end = True
        await self.another_way()

    async def another_way(self) -> ice.StunProtocol:
        """A socket of the client's."""
        loop = asyncio.get_running_loop()
        _, way = await loop.create_datagram_endpoint(
            lambda: ice.StunProtocol(self.client), local_addr=(LOOPBACK, 0)
        )
        port = way.transport.get_extra_info("sockname")[1]
        way.local_candidate = module.candidate(LOOPBACK, port, "host")
        self.client._protocols.append(way)
        return way

    def introduce(self) -> None:
        """Offer and answer, without the client's addresses: its checks show them."""
        ours, client = self.ours, self.client
        ours.remote_username, ours.remote_password = client.local_username, client.local_password
        client.remote_username, client.remote_password = ours.local_username, ours.local_password

    async def connect(self) -> None:
        self.introduce()
        for candidate in self.ours.local_candidates:
            await self.client.add_remote_candidate(candidate)
        await self.client.add_remote_candidate(None)
        await asyncio.gather(self.ours.connect(), self.client.connect())

    def stranger(self) -> socket.socket:
        """Somebody who knows where we are."""
        one = bound(LOOPBACK, None)
        one.connect(self.address)
        self.sockets.append(one)
        return one

    async def close(self) -> None:
        for one in self.sockets:
            one.close()
        await self.client.close()
        await self.ours.close()


@pytest.fixture
async def sides() -> AsyncIterator[Sides]:
    sides = Sides()
    await sides.open()
    yield sides
    await sides.close()


async def arrive() -> None:
    """Let what was sent over loopback be read."""
    for _ in range(20):
        await asyncio.sleep(0.001)


def check(sides: Sides, password: str, **attributes: Any) -> bytes:
    """A connectivity check, as the client would send it."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{sides.ours.local_username}:{sides.client.local_username}"
    message.attributes |= attributes
    message.add_message_integrity(password.encode())
    return bytes(message)


async def test_nothing_of_a_stranger_s_is_taken(sides: Sides) -> None:
    stranger = sides.stranger()
    for _ in range(2):  # before the client is there, and after
        stranger.send(check(sides, "x" * 22, PRIORITY=1))
        for data in (HELLO, SPEECH, b"\x14", b"\x00" * 4):
            stranger.send(data)
        before = sides.ours.last_s
        await arrive()
        assert (sides.media, sides.waiting, sides.ours.last_s) == ([], 0, before)
        if sides.ours.way is None:
            await sides.connect()
            await arrive()


async def test_the_client_is_taken_where_its_checks_show_it(sides: Sides) -> None:
    await sides.connect()
    await sides.client.send(SPEECH)
    await sides.client.send(HELLO)
    await arrive()
    assert (sides.media, sides.waiting) == ([SPEECH], 1)
    assert await sides.ours.recv() == HELLO


async def test_a_client_that_checks_before_the_call_begins_may_send_at_once(sides: Sides) -> None:
    sides.introduce()
    eager = sides.stranger()
    eager.send(check(sides, sides.ours.local_password, PRIORITY=1))
    await arrive()
    eager.send(HELLO)
    await arrive()
    assert sides.waiting == 1


async def test_a_client_that_changes_its_way_is_taken_there(sides: Sides) -> None:
    await sides.connect()
    mobile = await sides.another_way()
    assert sides.ours.way is not None
    pair = ice.CandidatePair(mobile, sides.client.remote_candidates[0])
    mobile.transport.sendto(b"\x80before", sides.address)
    request = sides.client.build_request(pair, nominate=True)
    key = sides.ours.local_password.encode()
    await mobile.request(request, sides.address, integrity_key=key)
    await arrive()
    mobile.transport.sendto(b"\x80after", sides.address)
    await arrive()
    assert sides.media == [b"\x80after"]
    assert sides.ours.way.remote_addr == mobile.transport.get_extra_info("sockname")


async def test_a_client_fills_no_memory_before_anybody_takes_what_it_sends(sides: Sides) -> None:
    sides.introduce()
    eager = sides.stranger()
    eager.send(check(sides, sides.ours.local_password, PRIORITY=1))
    for _ in range(20):
        for _ in range(module.MOST_WAITING // 10):
            eager.send(HELLO)
        await arrive()
    assert sides.waiting == module.MOST_WAITING


async def test_a_client_is_at_so_many_addresses_and_no_more(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ADDRESSES", 3)
    await sides.connect()
    for number in range(6):
        one = sides.stranger()
        one.send(check(sides, sides.ours.local_password, PRIORITY=1))
        await arrive()
        one.send(b"\x80" + bytes([number]))
        await arrive()
    assert sides.media == [b"\x80\x00", b"\x80\x01"]
    assert len(sides.ours.remote_candidates) == 3


@pytest.mark.parametrize(
    "attribute",
    [
        struct.pack("!HH", 0x0024, 1) + bytes(4),  # PRIORITY, of one byte
        struct.pack("!HH", 0x0006, 2) + b"\xff\xfe\0\0",  # USERNAME that is no UTF-8
        struct.pack("!HH", 0x0020, 3) + bytes(4),  # XOR-MAPPED-ADDRESS without an address
        struct.pack("!HH", 0x8029, 60_000),  # ICE-CONTROLLED, further than the datagram
    ],
)
async def test_a_check_that_cannot_be_read_is_dropped(sides: Sides, attribute: bytes) -> None:
    failed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context))
    await sides.connect()
    head = struct.pack("!HHI12s", 1, len(attribute), stun.COOKIE, os.urandom(12))
    sides.stranger().send(head + attribute)
    await arrive()
    await sides.client.send(SPEECH)
    await arrive()
    assert failed == []
    assert sides.media == [SPEECH]


async def test_a_client_s_first_check_without_a_priority_is_refused(sides: Sides) -> None:
    """By it an address is weighed that the offer does not name; later ones need none."""
    sides.introduce()
    hasty = sides.stranger()
    hasty.send(check(sides, sides.ours.local_password))
    await arrive()
    answer = stun.parse_message(hasty.recv(1500))
    assert answer.error_code == 400
    await sides.connect()
    before = sides.ours.last_s
    await sides.client.send(check(sides, sides.ours.local_password))
    await arrive()
    assert sides.ours.last_s > before


async def test_candidates_that_cannot_be_are_left(sides: Sides) -> None:
    usable = module.candidate(LOOPBACK, 9, "host")
    for port in (0, 99_999):
        await sides.ours.add_remote_candidate(module.candidate(LOOPBACK, port, "host"))
    rtcp = Candidate("1", 2, "udp", 1, LOOPBACK, sides.address[1], "host")
    await sides.ours.add_remote_candidate(rtcp)
    await sides.ours.add_remote_candidate(usable)
    assert [(one.component, one.port) for one in sides.ours.remote_candidates] == [(1, 9)]


async def test_the_last_free_port_of_a_range_is_found() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        first = min(probe.getsockname()[1], 65_000)
    ports = first, first + 99
    taken: list[socket.socket] = []
    try:
        with contextlib.suppress(OSError):  # once all are
            while True:
                taken.append(bound(LOOPBACK, ports))
        free = taken.pop(37)
        port = free.getsockname()[1]
        free.close()
        for _ in range(10):
            last = Connection(Reach(addresses=(LOOPBACK,), ports=ports), lambda data: False)
            await last.gather_candidates()
            assert [one.port for one in last.local_candidates] == [port]
            await last.close()
    finally:
        for one in taken:
            one.close()


async def test_an_address_that_cannot_be_used_is_named(caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = "192.0.2.1"  # for documentation (RFC 5737)
    connection = Connection(Reach(addresses=(elsewhere, LOOPBACK)), lambda data: False)
    with caplog.at_level(logging.WARNING):
        await connection.gather_candidates()
    assert [one.host for one in connection.local_candidates] == [LOOPBACK]
    assert [vars(record)["address"] for record in caplog.records] == [elsewhere]
    await connection.close()
