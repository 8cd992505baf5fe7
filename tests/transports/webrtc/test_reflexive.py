"""How our sockets look from outside, by a STUN server on loopback, or one that nobody finds."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aioice import stun

from tests.virtual_time import in_virtual_time
from transports.webrtc.ice import Connection, Reach
from transports.webrtc.reflexive import KEPT_S, StunServer

OUTSIDE = ("203.0.113.7", 4321)


class Server(asyncio.DatagramProtocol):
    """Tells everybody the same."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        asked = stun.parse_message(data)
        told = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
        told.attributes["XOR-MAPPED-ADDRESS"] = OUTSIDE
        self.transport.sendto(bytes(told), addr)


class Names:
    """A loop's look-ups: each takes `takes_s`, and finds the next of `found`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, takes_s: float, *found: str) -> None:
        self.takes_s = takes_s
        self.found = list(found)
        self.asked = 0
        self._monkeypatch = monkeypatch

    def __enter__(self) -> "Names":
        self._monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._look)
        return self

    def __exit__(self, *raised: object) -> None:
        self._monkeypatch.undo()

    async def _look(self, host: str, port: int, **wanted: Any) -> list[Any]:
        self.asked += 1
        await asyncio.sleep(self.takes_s)
        if not self.found:
            raise socket.gaierror("no such name")
        return [(2, 2, 17, "", (self.found.pop(0), port))]


Made = Callable[..., Names]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Made:
    return lambda *given: Names(monkeypatch, *given)


async def test_what_the_server_tells_is_a_candidate() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    server = StunServer("localhost", transport.get_extra_info("sockname")[1])
    connection = Connection(Reach(addresses=("127.0.0.1",), stun=server), lambda data: False)
    await connection.gather_candidates()
    own, outer = connection.local_candidates
    assert (outer.host, outer.port, outer.type) == (*OUTSIDE, "srflx")
    assert (outer.related_address, outer.related_port) == (own.host, own.port)
    await connection.close()
    transport.close()


def test_a_lookup_that_hangs_is_one_for_all_calls(names: Made) -> None:
    async def run() -> int:
        server = StunServer("stun.example.com", 3478)
        with names(3600, "192.0.2.1") as looked:
            for _ in range(50):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(server.address(), 1.0)
            return looked.asked

    assert in_virtual_time(run()) == 1


def test_a_name_is_kept_and_nobody_waits_for_the_next_look(names: Made) -> None:
    async def run() -> tuple[list[str], int]:
        server = StunServer("stun.example.com", 3478)
        with names(2, "192.0.2.1", "192.0.2.2") as looked:
            told = [await server.address() for _ in range(3)]
            await asyncio.sleep(KEPT_S)
            began = asyncio.get_running_loop().time()
            told.append(await server.address())
            assert asyncio.get_running_loop().time() == began
            await asyncio.sleep(3)
            return [*told, await server.address()], looked.asked

    old, new = "192.0.2.1", "192.0.2.2"
    assert in_virtual_time(run()) == ([old, old, old, old, new], 2)


def test_a_name_that_is_not_found_is_looked_up_by_the_next_call(names: Made) -> None:
    async def run() -> str:
        server = StunServer("stun.example.com", 3478)
        with names(0) as looked:
            with pytest.raises(socket.gaierror):
                await server.address()
            looked.found.append("192.0.2.1")
            return await server.address()

    assert in_virtual_time(run()) == "192.0.2.1"
