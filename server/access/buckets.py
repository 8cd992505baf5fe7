"""How many requests each key and account may make now, counted for all gateways in one place.

A bucket holds as many as are allowed in a minute and fills again evenly (a token bucket), so that
nobody is shut out for a whole minute.
"""

import time
from collections.abc import Callable

from server.control import Granted, Take

MINUTE_S = 60.0

MOST = 10_000
"""From so many buckets on those that are full are forgotten now and then, which changes nothing:
after a minute without requests one is full."""


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
        """The owner may make so many from now on: what was left stays left in proportion."""
        level = self.level(now) * per_minute / self.per_minute
        self.per_minute, self._level, self._at = per_minute, level, now

    def wait_s(self, now: float) -> float:
        """Until there is one to take."""
        return max(0.0, 1.0 - self.level(now)) * MINUTE_S / self.per_minute


class Buckets:
    """Everybody's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._room = MOST

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
        return Granted(asked.number, asked.owner, count, max(0, int(bucket.level(now))), wait_s)

    def put_back(self, owner: str, count: int) -> None:
        """A gateway did not need them."""
        if owner in self._buckets:
            self._buckets[owner].change(count, self._clock())

    def _make_room(self, now: float) -> None:
        if len(self._buckets) < self._room:
            return
        self._buckets = {o: b for o, b in self._buckets.items() if b.level(now) < b.per_minute}
        self._room = max(MOST, 2 * len(self._buckets))
