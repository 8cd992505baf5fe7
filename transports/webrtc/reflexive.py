"""How a socket of ours looks from outside: a STUN server tells (RFC 8489)."""

import asyncio
import math
import socket

from aioice import ice, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

KEPT_S = 300.0
"""A name is looked up again after so long. One lookup serves all calls: one that hangs holds a
thread, and cannot be called off."""


class StunServer:
    """At `host`, a name or an IPv4 address, and `port`."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._found: str | None = None
        self._found_s = -math.inf
        self._looking: asyncio.Task[str] | None = None

    async def candidate(self, protocol: ice.StunProtocol) -> Candidate:
        """The socket, as the server sees it. Raises `OSError`, `stun.TransactionError`."""
        asked = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        told, _ = await protocol.request(asked, (await self.address(), self.port))
        own = protocol.local_candidate
        host, port = told.attributes["XOR-MAPPED-ADDRESS"]
        return Candidate(
            foundation=candidate_foundation("srflx", "udp", own.host),
            component=own.component,
            transport="udp",
            priority=candidate_priority(own.component, "srflx"),
            host=host,
            port=port,
            type="srflx",
            related_address=own.host,
            related_port=own.port,
        )

    async def address(self) -> str:
        """Where the server is: while its name is looked up again, where it was. Raises `OSError`
        where it was never found.
        """
        loop = asyncio.get_running_loop()
        if self._looking is None and loop.time() - self._found_s >= KEPT_S:
            self._looking = loop.create_task(self._look_up())
            self._looking.add_done_callback(self._looked)
        if self._found is not None:
            return self._found
        assert self._looking is not None
        return await asyncio.shield(self._looking)

    async def _look_up(self) -> str:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            self.host, self.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
        self._found, self._found_s = str(found[0][4][0]), loop.time()
        return self._found

    def _looked(self, task: asyncio.Task[str]) -> None:
        self._looking = None
        if not task.cancelled():
            task.exception()  # told to who waits, if anybody does
