"""Limits for the month: what counts, and from when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.control import Owner
from server.metering.books import Books
from server.metering.months import Months, month_of, next_month
from storage import accounts
from storage.accounts import Limits
from storage.database import Database
from storage.usage import Amounts, Subject
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

NOW = datetime(2026, 11, 28, 23, 10, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


class Supervisor:
    """The books and the months of one server, at a time that the test sets."""

    def __init__(self, database: Database, account: str, folder: Path) -> None:
        self.database = database
        self.account = account
        self.now = NOW
        self.books = Books(folder)
        self.spent: list[str] = []
        self.months = Months(self.books, self.spent.append, lambda: self.now.timestamp())

    def owner(self, limits: Limits, key: str | None = None) -> Owner:
        return Owner(key or self.account, self.account, limits)

    def use(self, key: str = "k1", *, dropped: bool = False, **amounts: float) -> None:
        hour = self.now.replace(minute=0)
        subject = Subject(self.account, hour, "s", key, dropped=dropped)
        used = {subject: Amounts(**amounts)}  # type: ignore[arg-type]
        self.books.add(used)
        self.months.add(used)

    async def refusal(self, owner: Owner) -> str | None:
        await self.months.learn(self.months.unknown([owner]), self.database)
        refusal = self.months.refusal([owner])
        return refusal[0] if refusal else None


@pytest.fixture
async def supervisor(database: Database, tmp_path: Path) -> Supervisor:
    account = await database.once(lambda c: accounts.create(c, "Bakery"))
    return Supervisor(database, account.id, tmp_path)


async def test_who_has_no_limit_is_not_counted(supervisor: Supervisor) -> None:
    assert supervisor.months.unknown([supervisor.owner(Limits(concurrent_sessions=1))]) == []


async def test_what_is_in_the_database_and_what_is_not_yet_count(supervisor: Supervisor) -> None:
    account = supervisor.owner(Limits(characters_per_month=100))
    supervisor.use(characters=60)
    await supervisor.books.write(supervisor.database)
    supervisor.use(characters=39)
    assert await supervisor.refusal(account) is None
    assert supervisor.spent == []
    supervisor.use(characters=1)
    assert supervisor.spent == [supervisor.account]
    assert await supervisor.refusal(account) == (
        f"the 100 characters a month of {supervisor.account} are used up: "
        "an administrator can allow more"
    )
    more = supervisor.owner(Limits(characters_per_month=101))
    assert await supervisor.refusal(more) is None


async def test_a_key_has_what_is_its_own(supervisor: Supervisor) -> None:
    key = supervisor.owner(Limits(audio_seconds_per_month=2), key="k1")
    supervisor.use("k2", audio_in_ms=9000)
    supervisor.use("k1", audio_in_ms=1000)
    assert await supervisor.refusal(key) is None
    supervisor.use("k1", audio_out_ms=1000)
    assert supervisor.spent == ["k1"]


async def test_only_compute_counts_what_nobody_heard(supervisor: Supervisor) -> None:
    limits = Limits(characters_per_month=10, compute_seconds_per_month=3)
    account = supervisor.owner(limits)
    supervisor.use(dropped=True, characters=50, compute_ms=2999.0)
    assert await supervisor.refusal(account) is None
    supervisor.use(dropped=True, compute_ms=1.0)
    refusal = await supervisor.refusal(account)
    assert refusal is not None
    assert refusal.startswith("the 3 seconds of compute a month")


async def test_a_new_month_begins_at_nothing(supervisor: Supervisor) -> None:
    account = supervisor.owner(Limits(characters_per_month=10))
    supervisor.use(characters=10)
    assert await supervisor.refusal(account) is not None
    refused = supervisor.months.refusal([account])
    assert refused is not None
    assert refused[1] == 2 * 86_400 + 50 * 60
    supervisor.now = NOW + timedelta(days=3)
    assert await supervisor.refusal(account) is None
    supervisor.use(characters=9)
    assert await supervisor.refusal(account) is None
    supervisor.now = NOW  # the clock is set back: that month is as it was
    assert await supervisor.refusal(account) is not None


async def test_while_the_database_is_away_sessions_are_let_in(
    supervisor: Supervisor, database: Database
) -> None:
    account = supervisor.owner(Limits(characters_per_month=0))
    nowhere = Database("postgresql://127.0.0.1:1/none")
    async with nowhere:
        await supervisor.months.learn(supervisor.months.unknown([account]), nowhere)
    assert supervisor.months.refusal([account]) is None
    assert await supervisor.refusal(account) is not None


def test_months_begin_at_midnight_utc() -> None:
    assert month_of(NOW.timestamp()) == datetime(2026, 11, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 2, 1, tzinfo=UTC)
