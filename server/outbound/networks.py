"""Networks as the settings write them."""

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str | None) -> tuple[Network, ...]:
    """Such as "127.0.0.1,10.0.0.0/8". Raises `ValueError`."""
    return tuple(ipaddress.ip_network(part) for part in (text or "").split(",") if part)
