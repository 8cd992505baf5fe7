"""What keys and accounts with a limit for the month have used of it, counted for all gateways."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from server.control import Owner
from server.metering.books import Books
from storage import usage
from storage.accounts import Limits
from storage.database import Database
from storage.errors import StorageError
from storage.usage import NOTHING, Amounts, Subject

log = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""For what an owner has used this month to be read; while nobody knows, it is let in."""


class Month:
    """One owner's. `heard_or_read` has no part in what was prepared for nothing; `all` has, and of
    it only compute is limited.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._wanted = NOTHING
        self._all = NOTHING

    def add(self, amounts: Amounts, *, dropped: bool) -> None:
        """More of it."""
        self._all += amounts
        if not dropped:
            self._wanted += amounts

    def spent(self) -> str | None:
        """Which limit is used up, in words."""
        limits, used = self.owner.limits, self._wanted
        audio_s = (used.audio_in_ms + used.audio_out_ms) / 1000
        for most, have, what in (
            (limits.characters_per_month, used.characters, "characters"),
            (limits.audio_seconds_per_month, audio_s, "seconds of audio"),
            (limits.compute_seconds_per_month, self._all.compute_ms / 1000, "seconds of compute"),
        ):
            if most is not None and have >= most:
                return f"the {most} {what} a month of {self.owner.id}"
        return None


class Months:
    """Knows who has used up its month. `spent` is told of owners, by their ids, as it happens."""

    def __init__(
        self,
        books: Books,
        spent: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._books = books
        self._tell = spent
        self._wall = wall
        self._known: dict[str, Month] = {}
        self._since = datetime.min.replace(tzinfo=UTC)

    def add(self, lines: Mapping[Subject, Amounts]) -> None:
        """It was used, and stands in the books."""
        self._turn()
        touched: set[str] = set()
        for subject, amounts in lines.items():
            for owner in (subject.key_id, subject.account_id):
                month = self._known.get(owner)
                if month is not None and subject.hour >= self._since:
                    month.add(amounts, dropped=subject.dropped)
                    touched.add(owner)
        for owner in touched:
            if self._known[owner].spent() is not None:
                self._tell(owner)

    def unknown(self, owners: Iterable[Owner]) -> list[Owner]:
        """Those with limits of whom it must be read what they have used."""
        self._turn()
        for owner in owners:
            if owner.id in self._known:
                self._known[owner.id].owner = owner  # its limits may be others now
        return [o for o in owners if limited(o.limits) and o.id not in self._known]

    async def learn(self, owners: Iterable[Owner], database: Database) -> None:
        """Read what they have used, if the database answers in time."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                for owner in owners:
                    await self._learn(owner, database)
        except (StorageError, TimeoutError):
            log.warning("what was used this month is not known: sessions are let in")

    def refusal(self, owners: Iterable[Owner]) -> tuple[str, int] | None:
        """Why a session of these owners cannot begin, and in how many seconds it can."""
        self._turn()
        for owner in owners:
            month = self._known.get(owner.id)
            what = month.spent() if month is not None else None
            if what is not None:
                text = f"{what} are used up: an administrator can allow more"
                return text, round(next_month(self._since).timestamp() - self._wall())
        return None

    async def _learn(self, owner: Owner, database: Database) -> None:
        async with self._books.writing:
            since = self._since
            key_id = None if owner.id == owner.account_id else owner.id
            query = partial(
                usage.sums,
                since=since,
                until=next_month(since),
                account_id=owner.account_id,
                key_id=key_id,
            )
            sums = await database.once(query)
            if since != self._since:
                return
            month = Month(owner)
            for one in sums:
                month.add(one.amounts, dropped=one.dropped)
            for batch in self._books.unwritten:
                for subject, amounts in batch.items():
                    if owner.id in (subject.key_id, subject.account_id) and subject.hour >= since:
                        month.add(amounts, dropped=subject.dropped)
            self._known[owner.id] = month

    def _turn(self) -> None:
        """A new month: everybody begins again."""
        since = month_of(self._wall())
        if since != self._since:
            self._since = since
            self._known = {}


def limited(limits: Limits) -> bool:
    """Whether there is a limit for the month."""
    return any(
        most is not None
        for most in (
            limits.characters_per_month,
            limits.audio_seconds_per_month,
            limits.compute_seconds_per_month,
        )
    )


def month_of(seconds: float) -> datetime:
    """Where the month began, in UTC."""
    now = datetime.fromtimestamp(seconds, UTC)
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(since: datetime) -> datetime:
    """Where the next one begins."""
    return month_of((since + timedelta(days=32)).timestamp())
