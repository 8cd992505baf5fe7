"""How many requests this gateway may still serve for each key and account.

The supervisor counts for all gateways and lends each a few at a time, so that most requests ask
nobody. What is lent and not used goes back after a second: the count is exact to that.
"""

import asyncio
import time
from collections.abc import Callable

from server.access.caller import Caller
from server.access.denied import retry
from server.asking import Asking
from server.control import Granted, PutBack, Take

PATIENCE_S = 5.0
RETRY_UNANSWERED_S = 5
IDLE_S = 1.0

SHARE, LARGEST = 20, 50
"""A lease is a twentieth of what is allowed in a minute, 1 to 50 requests. Another is asked for
when half of it is used."""


class Lease:
    """What is lent for one owner; `elsewhere` is what the supervisor had left then."""

    def __init__(self, owner: str, per_minute: int) -> None:
        self.owner = owner
        self.per_minute = per_minute
        self.left = 0
        self.elsewhere = 0
        self.again_at = 0.0
        self.used_at = 0.0
        self.borrowing: asyncio.Task[None] | None = None


class Leases:
    """Satisfies the guard: every request takes one of its key's and one of its account's."""

    def __init__(self, asking: Asking, clock: Callable[[], float] = time.monotonic) -> None:
        self._asking = asking
        self._clock = clock
        self._leases: dict[str, Lease] = {}

    async def take(self, caller: Caller) -> dict[str, str]:
        """Count a request; the headers that say what is left. Raises `Denied`."""
        told: dict[str, str] = {}
        tightest: int | None = None
        taken: list[Lease] = []
        for owner, per_minute in limits_of(caller):
            try:
                lease = await self._take(owner, per_minute)
            except BaseException:
                for other in taken:
                    self._untake(other)
                raise
            taken.append(lease)
            left = lease.left + lease.elsewhere
            if tightest is None or left < tightest:
                tightest, told = left, headers(per_minute, left)
        return told

    async def _take(self, owner: str, per_minute: int) -> Lease:
        while True:
            lease = self._leases.setdefault(owner, Lease(owner, per_minute))
            if lease.per_minute != per_minute:
                self._return(lease)
                lease.per_minute, lease.again_at = per_minute, 0.0
            if lease.left:
                break
            wait_s = lease.again_at - self._clock()
            if wait_s > 0:
                raise retry(
                    429,
                    "rate_limit_exceeded",
                    f"{owner} may make {per_minute} requests a minute: try again in {wait_s:.1f} s",
                    wait_s,
                    headers(per_minute, 0),
                )
            await asyncio.shield(self._borrowing(lease, per_minute))
        lease.left -= 1
        lease.used_at = self._clock()
        if lease.left < size_of(per_minute) // 2 and lease.used_at >= lease.again_at:
            self._borrowing(lease, per_minute)  # so that nobody has to wait for it
        return lease

    def _untake(self, lease: Lease) -> None:
        if self._leases.get(lease.owner) is lease:
            lease.left += 1
        else:
            self._asking.send(PutBack(lease.owner, 1))

    def _borrowing(self, lease: Lease, per_minute: int) -> "asyncio.Task[None]":
        """Those who wait for the same owner's share one question, and its failure."""
        if lease.borrowing is None:
            lease.borrowing = asyncio.create_task(self._borrow(lease, per_minute))
            lease.borrowing.add_done_callback(heard)
        return lease.borrowing

    async def _borrow(self, lease: Lease, per_minute: int) -> None:
        question = Take(self._asking.number(), lease.owner, per_minute, size_of(per_minute))
        try:
            granted = await self._asking.ask(question, PATIENCE_S)
        except TimeoutError:
            busy = "the server is too busy to answer"
            raise retry(503, "overloaded", busy, RETRY_UNANSWERED_S) from None
        finally:
            lease.borrowing = None
        assert isinstance(granted, Granted)
        if lease.per_minute != per_minute:  # it was asked for under another limit
            self._asking.send(PutBack(lease.owner, granted.count))
            return
        lease.left += granted.count
        lease.elsewhere = granted.left
        lease.used_at = self._clock()
        lease.again_at = lease.used_at + granted.wait_s

    async def give_back(self) -> None:
        """Return what was not used for a second, until cancelled."""
        while True:
            await asyncio.sleep(IDLE_S)
            self.return_idle()

    def return_idle(self) -> None:
        """Return what was not used for a second."""
        before = self._clock() - IDLE_S
        for owner, lease in list(self._leases.items()):
            if lease.used_at <= before and lease.borrowing is None:
                self._return(lease)
                del self._leases[owner]

    def _return(self, lease: Lease) -> None:
        if lease.left:
            self._asking.send(PutBack(lease.owner, lease.left))
            lease.left = 0


def size_of(per_minute: int) -> int:
    """How many requests are borrowed at a time."""
    return max(1, min(LARGEST, per_minute // SHARE))


def heard(task: "asyncio.Task[None]") -> None:
    """Whoever waited has its failure; they may all be gone."""
    if not task.cancelled():
        task.exception()


def limits_of(caller: Caller) -> list[tuple[str, int]]:
    """Whose requests are counted, and how many a minute they may be."""
    both = (
        (caller.key_id, caller.key_limits.requests_per_minute),
        (caller.account_id, caller.account_limits.requests_per_minute),
    )
    return [(owner, most) for owner, most in both if owner is not None and most is not None]


def headers(per_minute: int, left: int) -> dict[str, str]:
    """As OpenAI names them; `reset` is when all of them may be made again."""
    full_s = (per_minute - left) * 60 / per_minute
    return {
        "x-ratelimit-limit-requests": str(per_minute),
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": f"{full_s:.1f}s",
    }
