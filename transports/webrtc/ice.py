"""ICE: which way packets go (RFC 8445). aioice, with candidates as the server is told to have them,
and with media on a shorter way: aioice queues every packet, and a task of aiortc's takes it out.

Whoever knows a port can send to it. What is more than a check is taken only from addresses that a
check with the client's password came from: those that the offer names, those that only its checks
show (behind a NAT, on a relay), and those that it changes to.
"""

import asyncio
import errno
import ipaddress
import logging
import random
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from aioice import ice, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from transports.webrtc.reflexive import StunServer

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

SOCKET_BYTES = 256 * 1024

REFLEXIVE_S = 1.0
"""For the STUN server to answer: a client waits for it."""

HOST_ABOVE = 1
"""An announced address goes before the private one that it stands for."""

STUN, DTLS = range(4), range(20, 64)
"""First bytes (RFC 7983)."""

MOST_WAITING = 256
"""Datagrams of DTLS that wait to be taken, about as many as the socket itself keeps."""

MOST_ADDRESSES = 100
"""That a client can be at, one after the other: as many as ICE checks (RFC 8445, 6.1.2.5)."""


class Reach(msgspec.Struct, frozen=True):
    """How clients reach this machine: at these of its `addresses` (all, if there are none), at
    `ports` (first and last; any), and at `announced` addresses which lead here from outside. The
    `stun` server is asked for another such address.
    """

    addresses: tuple[str, ...] = ()
    announced: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None
    stun: StunServer | None = None


Received = Callable[[bytes], bool]
"""Takes a datagram, if it wants it."""

Address = tuple[str, int]


class Connection(ice.Connection):
    """The connection of one client. `received` sees each of its datagrams but ICE's own first."""

    def __init__(self, reach: Reach, received: Received) -> None:
        super().__init__(ice_controlling=False)
        self._reach = reach
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._proven: set[Address] = set()
        self.last_s = 0.0
        """When the client's last datagram came, in the loop's time."""

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
                told = error.strerror or str(error)
                log.warning("no calls at an address", extra={"address": address, "error": told})
        if not self._protocols:
            raise failed or OSError("this machine has no address")
        await self._look_outside()
        self._local_candidates_end = True

    def send_now(self, data: bytes) -> None:
        """Send a datagram, if there is a way."""
        pair = self.way
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """One that is none, or of RTCP's own component, is left: RTCP goes with the rest here."""
        if remote_candidate is None or (
            remote_candidate.component == 1 and 0 < remote_candidate.port < 1 << 16
        ):
            await super().add_remote_candidate(remote_candidate)

    def request_received(
        self, message: stun.Message, addr: Address, protocol: ice.StunProtocol
    ) -> None:
        """A check came."""
        if message.check_message_integrity(self.local_password.encode()):
            if addr not in self._proven:
                if "PRIORITY" not in message.attributes or len(self._proven) >= MOST_ADDRESSES:
                    self.respond_error(message, addr, protocol, (400, "Bad Request"))
                    return
                self._proven.add(addr)
            self.last_s = self._loop.time()
        super().request_received(message, addr, protocol)

    def take(self, data: bytes, address: Address) -> None:
        """A datagram came that is no check."""
        if address not in self._proven:
            return
        self.last_s = self._loop.time()
        if self._received(data):
            return
        if data[0] in DTLS and self._queue.qsize() < MOST_WAITING:
            self.data_received(data, 1)

    async def _open(self, address: str) -> None:
        opened = bound(address, self._reach.ports)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
            _, protocol = await self._loop.create_datagram_endpoint(
                partial(Datagrams, self), sock=opened
            )
        except BaseException:
            opened.close()
            raise
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

    async def _look_outside(self) -> None:
        """Ask the STUN server how our sockets look from there."""
        server = self._reach.stun
        if server is None:
            return
        asked = [
            asyncio.ensure_future(server.candidate(protocol))
            for protocol in self._protocols
            if ":" not in protocol.local_candidate.host
        ]
        if asked:
            try:
                done, _ = await asyncio.wait(asked, timeout=REFLEXIVE_S)
            finally:
                for one in asked:
                    one.cancel()
            found = [one.result() for one in done if one.exception() is None]
            self._local_candidates += found


class Datagrams(ice.StunProtocol):
    """A socket; STUN is told from the rest by its first byte (RFC 7983)."""

    receiver: Connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if not isinstance(data, bytes) or not data:
            return
        address = addr[0], addr[1]  # IPv6 has four
        if data[0] not in STUN:
            self.receiver.take(data, address)
            return
        try:
            message = stun.parse_message(data)
        except (ValueError, struct.error):  # the latter where an attribute is cut short
            return
        if message.message_class == stun.Class.REQUEST:
            self.receiver.request_received(message, address, self)
        elif message.message_class != stun.Class.INDICATION:
            asked = self.transactions.get(message.transaction_id)
            if asked is not None:
                asked.response_received(message, address)


def bound(address: str, ports: tuple[int, int] | None) -> socket.socket:
    """A UDP socket at a free port of the range, wherever in it that is. Raises `OSError`."""
    first, last = ports or (0, 0)
    count = last - first + 1
    begin = random.randrange(count)
    version = ipaddress.ip_address(address).version
    opened = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    opened.setblocking(False)
    failed: OSError | None = None
    for step in range(count):
        try:
            opened.bind((address, first + (begin + step) % count))
        except OSError as error:
            failed = error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                break
        else:
            return opened
    opened.close()
    raise failed or OSError("no port")


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
