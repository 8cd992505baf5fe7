"""Whoever shows wrong keys must wait. A key that was good before is looked at meanwhile."""

import ipaddress
import time
from collections.abc import Callable

AT_ONCE = 20
"""Wrong keys that an address may show before it must wait: a program that was configured wrongly
tries again some times, and many people may share an address."""

EACH_S = 3.0
"""So long does one more take. A key has 190 random bits: this is about the load, not the luck."""

MOST_ADDRESSES = 10_000
"""Remembered; beyond that those are forgotten that have waited longest."""


class Guesses:
    """Counts wrong keys by address; IPv6 by the /64 that one customer gets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_at: dict[str, float] = {}
        """When an address has made up for all its wrong keys."""

    def wait_s(self, address: str) -> float:
        """How long it must wait before another unknown key is looked at; 0 if not at all."""
        owed_s = self._paid_at.get(_network(address), 0.0) - self._clock()
        return max(0.0, owed_s - (AT_ONCE - 1) * EACH_S)

    def wrong(self, address: str) -> None:
        """It shows a key that is taken for wrong, until it is known to be right."""
        network, now = _network(address), self._clock()
        paid_at = max(now, self._paid_at.pop(network, now)) + EACH_S
        self._paid_at[network] = paid_at
        if len(self._paid_at) > MOST_ADDRESSES:
            del self._paid_at[next(iter(self._paid_at))]

    def right(self, address: str) -> None:
        """It was not wrong after all, or nobody can say."""
        network = _network(address)
        if network in self._paid_at:
            self._paid_at[network] -= EACH_S


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False))
