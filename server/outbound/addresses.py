"""Which addresses this server may call for somebody else.

Whoever names a URL must not reach what only this machine or its network can: databases, routers,
a cloud's metadata. So only public addresses are called, and what the operator allows
(`outbound.allow`).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from server.outbound.errors import OutboundError
from server.outbound.networks import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str], Awaitable[list[str]]]
"""The addresses of a name. Raises `OSError`."""

GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that has been given out as public (RFC 4291, 2.4; IANA)."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 writes an IPv4 address, in its last 32 bits (RFC 6052)."""

SPECIAL = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's metadata, which looks public
    ipaddress.IPv4Network("192.0.0.0/24"),  # of protocols (RFC 6890), and Oracle's metadata
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays that are no more (RFC 7526)
)
"""What Python, or an older one, takes for public. Other clouds' metadata is link-local, private or
shared.
"""

LOOKING_UP = 16
"""Threads that wait for the name server, beside those that the process needs itself."""


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may be there, in whichever form the address is written."""
    inner = inner_of(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_6:
        return False
    special = address.is_multicast or any(address in network for network in SPECIAL)
    return address.is_global and not special


def inner_of(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4 or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


class Rules:
    """What may be called: public addresses, and those in the networks that are allowed."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def allow(self, address: Address) -> bool:
        """Whether a connection may go there."""
        forms = [form for form in (address, inner_of(address)) if form is not None]
        named = any(form in network for form in forms for network in self._allowed)
        return named or is_public(address)

    def check_literal(self, host: str) -> None:
        """An address in place of a name is never looked up, so it is checked here.

        Raises `OutboundError`, also for a number that is none but might be taken for one, such as
        127.1.
        """
        if ":" not in host and not host.replace(".", "").isdigit():
            return
        try:
            address = ipaddress.ip_address(host)
        except ValueError as error:
            raise OutboundError("bad_url", f"{host} is no address and no name") from error
        if not self.allow(address):
            raise refused(host)


class Resolver(AbstractResolver):
    """Looks names up, and gives only addresses that may be called: those that it gives are what
    connections go to, whatever the name says a moment later.
    """

    def __init__(self, rules: Rules, look_up: LookUp | None = None) -> None:
        self._rules = rules
        self._threads = ThreadPoolExecutor(LOOKING_UP, "names")
        self._look_up = look_up or self._ask

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises `OutboundError` if there are addresses and none may be called."""
        found = [(text, ipaddress.ip_address(text)) for text in await self._look_up(host)]
        good = [(text, address) for text, address in found if self._rules.allow(address)]
        if found and not good:
            raise refused(host)
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for text, address in good
        ]

    async def close(self) -> None:
        """Wait for no name server."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, addresses_of, host)


def addresses_of(host: str) -> list[str]:
    """What the system says, in its order. Raises `OSError`, or `OutboundError` for what can be no
    name.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OutboundError("bad_url", f"{host[:80]} can be no name: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refused(host: str) -> OutboundError:
    """The no to an address."""
    text = (
        f"{host} is not a public address: this server calls it only if its operator allows that "
        "network (the setting outbound.allow)"
    )
    return OutboundError("refused_address", text)
