"""Where a request comes from."""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any


def address_of(scope: Mapping[str, Any]) -> str:
    """The client's IP address, one of IPv4 as such though an IPv6 socket took it; or empty."""
    client: Any = scope.get("client")
    text = str(client[0]) if client else ""
    try:
        mapped = getattr(ipaddress.ip_address(text), "ipv4_mapped", None)
    except ValueError:
        return text
    return str(mapped) if mapped else text


def within(address: str, networks: Collection[str]) -> bool:
    """Whether it is in one of these; what is no address is in none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in networks)
