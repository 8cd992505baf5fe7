"""ICE: which way packets go (RFC 8445). aioice, with candidates as the server is told to have them,
and with media on a shorter way: aioice queues every packet, and a task of aiortc's takes it out.
"""

import asyncio
import ipaddress
import random
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from aioice import ice
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

LOOPBACK = "127.0.0.1"

SOCKET_BYTES = 256 * 1024

TRIES = 16
"""At a free port of the range."""

REFLEXIVE_S = 1.0
"""For the STUN server to answer: a client waits for it."""

HOST_ABOVE = 1
"""An announced address goes before the private one that it stands for."""


class Reach(msgspec.Struct, frozen=True):
    """How clients reach this machine: at these of its `addresses` (all, if there are none), at
    `ports` (first and last; any), and at `announced` addresses which lead here from outside. The
    `stun` server, host and port, is asked for another such address.
    """

    addresses: tuple[str, ...] = ()
    announced: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None
    stun: tuple[str, int] | None = None


Received = Callable[[bytes], bool]
"""Takes a datagram, if it wants it."""


class Connection(ice.Connection):
    """The connection of one client. `received` sees each datagram but ICE's own first."""

    def __init__(self, reach: Reach, received: Received) -> None:
        super().__init__(ice_controlling=False)
        self._reach = reach
        self._received = received
        self.last_s = 0.0
        """When the last datagram came, in the loop's time."""

    @property
    def way(self) -> ice.CandidatePair | None:
        """The pair of addresses that is used; None while there is none."""
        return self._nominated.get(1)

    async def gather_candidates(self) -> None:
        """Open a socket for each address. Raises `OSError` if there is none."""
        self._local_candidates_start = True
        given = self._reach.addresses
        addresses = given or tuple(ice.get_host_addresses(use_ipv4=True, use_ipv6=True))
        failed: OSError | None = None
        for address in addresses or (LOOPBACK,):
            try:
                await self._open(address)
            except OSError as error:
                failed = error
        if not self._protocols:
            raise failed or OSError("this machine has no address")
        await self._look_outside()
        self._local_candidates_end = True

    def send_now(self, data: bytes) -> None:
        """Send a datagram, if there is a way."""
        pair = self.way
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    def data_received(self, data: bytes, component: int) -> None:
        if not self._received(data):
            super().data_received(data, component)

    async def _open(self, address: str) -> None:
        protocol = await self._bound(address)
        socket_of(protocol).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        port = protocol.transport.get_extra_info("sockname")[1]
        own = protocol.local_candidate = candidate(address, port, "host")
        self._protocols.append(protocol)
        self._local_candidates.append(own)
        version = ipaddress.ip_address(address).version
        for announced in self._reach.announced:
            if announced != address and ipaddress.ip_address(announced).version == version:
                outer = candidate(announced, port, "host")
                outer.priority = own.priority + HOST_ABOVE
                self._local_candidates.insert(0, outer)

    async def _bound(self, address: str) -> ice.StunProtocol:
        """A socket at a port of the range. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        ports = [0]
        if self._reach.ports is not None:
            first, last = self._reach.ports
            ports = random.sample(range(first, last + 1), min(TRIES, last - first + 1))
        failed = OSError("no port")
        for port in ports:
            try:
                _, protocol = await loop.create_datagram_endpoint(
                    partial(Datagrams, self), local_addr=(address, port)
                )
            except OSError as error:
                failed = error
            else:
                return protocol
        raise failed

    async def _look_outside(self) -> None:
        """Ask the STUN server how our sockets look from there."""
        stun = self._reach.stun
        if stun is None:
            return
        asked = [
            asyncio.ensure_future(ice.server_reflexive_candidate(protocol, stun))
            for protocol in self._protocols
            if ":" not in protocol.local_candidate.host
        ]
        if asked:
            done, late = await asyncio.wait(asked, timeout=REFLEXIVE_S)
            for one in late:
                one.cancel()
            found = [one.result()[0] for one in done if one.exception() is None]
            self._local_candidates += found


class Datagrams(ice.StunProtocol):
    """A socket; STUN is told from the rest by its first byte (RFC 7983)."""

    receiver: Connection

    def __init__(self, receiver: Connection) -> None:
        super().__init__(receiver)
        self._loop = asyncio.get_running_loop()

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if not isinstance(data, bytes) or not data:
            return
        self.receiver.last_s = self._loop.time()
        if data[0] > 3:
            self.receiver.data_received(data, 1)
        else:
            super().datagram_received(data, addr)


def candidate(address: str, port: int, kind: str) -> Candidate:
    """One of ours."""
    return Candidate(
        foundation=candidate_foundation(kind, "udp", address),
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind),
        host=address,
        port=port,
        type=kind,
    )


def socket_of(protocol: ice.StunProtocol) -> Any:
    """The socket below, which uvloop wraps."""
    return protocol.transport.get_extra_info("socket")
