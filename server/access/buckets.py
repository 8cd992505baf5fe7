"""How many requests each key and account may make now, counted for all gateways in one place.

A bucket holds as many as are allowed in a minute and fills again evenly (a token bucket), so that
nobody is shut out for a whole minute.
"""

import time
from collections.abc import Callable

from server.control import Granted, Take

MINUTE_S = 60.0

MOST = 10_000
"""Buckets that are kept; beyond that those that are full are forgotten, which changes nothing."""


class Bucket:
    """One owner's."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._level = float(per_minute)
        self._at = now

    def level(self, now: float) -> float:
        """What is in it."""
        filled = self._level + max(0.0, now - self._at) * self.per_minute / MINUTE_S
        return min(float(self.per_minute), filled)

    def change(self, by: int, now: float) -> None:
        """Take out, or put back."""
        self._level, self._at = min(self.level(now) + by, float(self.per_minute)), now

    def allow(self, per_minute: int, now: float) -> None:
        """The owner may make so many from now on."""
        spent = self.per_minute - self.level(now)
        self.per_minute, self._level, self._at = per_minute, per_minute - spent, now

    def wait_s(self, now: float) -> float:
        """Until there is one to take."""
        return max(0.0, 1.0 - self.level(now)) * MINUTE_S / self.per_minute


class Buckets:
    """Everybody's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take(self, asked: Take) -> Granted:
        """Lease up to so many requests to a gateway."""
        now = self._clock()
        bucket = self._buckets.get(asked.owner)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[asked.owner] = Bucket(asked.per_minute, now)
        elif bucket.per_minute != asked.per_minute:
            bucket.allow(asked.per_minute, now)
        count = max(0, min(asked.most, int(bucket.level(now))))
        bucket.change(-count, now)
        wait_s = 0.0 if count else bucket.wait_s(now)
        return Granted(asked.number, count, max(0, int(bucket.level(now))), wait_s)

    def put_back(self, owner: str, count: int) -> None:
        """A gateway did not need them."""
        if owner in self._buckets:
            self._buckets[owner].change(count, self._clock())

    def _make_room(self, now: float) -> None:
        if len(self._buckets) >= MOST:
            kept = {o: b for o, b in self._buckets.items() if b.level(now) < b.per_minute}
            self._buckets = kept
