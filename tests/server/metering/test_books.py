"""What was used is in the database once, whatever happens on the way there."""

import asyncio
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server import spool
from server.beside import beside
from server.metering import books as books_module
from server.metering.books import Books
from storage import accounts, usage
from storage.database import Database
from storage.errors import StorageError, Unavailable
from storage.usage import Amounts, Subject
from tests.server.wire import until
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

HOUR = datetime(2026, 11, 28, 23, tzinfo=UTC)


class Fickle:
    """A database that fails when it is told to: before it does anything, or after all is done."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.before = self.after = False

    async def once(self, work: Any, within_s: float = 5) -> Any:
        if self.before:
            raise Unavailable("the database does not answer")
        done = await self.database.once(work, within_s)
        if self.after:
            raise Unavailable("the connection broke before the answer came")
        return done


class Ledger:
    """An account, a database that fails on demand, and what was put into the books."""

    def __init__(self, database: Database, account: str, folder: Path) -> None:
        self.account = account
        self.fickle: Any = Fickle(database)
        self.folder = folder
        self.books = Books(folder)
        self.put = 0

    def use(self, characters: int = 1, session: str = "s") -> None:
        self.put += characters
        self.books.add({Subject(self.account, HOUR, session): Amounts(characters=characters)})

    async def write(self) -> None:
        await self.books.write(self.fickle)

    async def counted(self) -> int:
        sums = await self.fickle.database.once(
            lambda c: usage.sums(c, HOUR, HOUR + timedelta(hours=1), account_id=self.account)
        )
        return sum(one.amounts.characters for one in sums)

    def die(self) -> None:
        """The process is gone; another begins with what is in the folder."""
        if self.books._files is not None:
            self.books._files.close()
        self.books = Books(self.folder)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("0*"))


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> Ledger:
    account = await database.once(lambda c: accounts.create(c, "Bakery"))
    return Ledger(database, account.id, tmp_path / "usage")


async def test_what_is_used_is_written_down_and_leaves_no_file(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.use()
        ledger.use(session="t")
        await ledger.write()
    assert await ledger.counted() == ledger.put == 6
    assert ledger.files() == []
    ledger.books.close()
    assert list(ledger.folder.iterdir()) == []


async def test_while_the_database_is_away_it_waits_in_two_files_at_most(ledger: Ledger) -> None:
    ledger.fickle.before = True
    for session in range(50):
        ledger.use(session=str(session))
        await ledger.write()
    assert len(ledger.files()) == 2
    ledger.fickle.before = False
    await ledger.write()
    assert await ledger.counted() == ledger.put == 50
    assert ledger.files() == []


async def test_what_was_written_without_an_answer_counts_once(ledger: Ledger) -> None:
    ledger.fickle.after = True
    for _ in range(3):
        ledger.use()
        await ledger.write()
    ledger.fickle.after = False
    await ledger.write()
    assert await ledger.counted() == ledger.put == 3


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_the_next_run_delivers_what_one_left_behind(ledger: Ledger, fault: str) -> None:
    setattr(ledger.fickle, fault, True)
    for _ in range(3):
        ledger.use()
        await ledger.write()
    ledger.die()
    ledger.use(10)
    await ledger.write()
    assert len(ledger.files()) == 3
    ledger.die()
    setattr(ledger.fickle, fault, False)
    await ledger.write()
    assert await ledger.counted() == ledger.put == 13
    assert ledger.files() == []


async def test_any_order_of_faults_loses_nothing_and_counts_nothing_twice(ledger: Ledger) -> None:
    chance = random.Random(7)
    for _ in range(300):
        for _ in range(chance.randrange(3)):
            ledger.use(chance.randrange(1, 100), session=str(chance.randrange(5)))
        ledger.fickle.before = chance.random() < 0.3
        ledger.fickle.after = chance.random() < 0.3
        await ledger.write()
        if chance.random() < 0.2:
            ledger.die()
    ledger.fickle.before = ledger.fickle.after = False
    await ledger.write()
    assert await ledger.counted() == ledger.put


async def test_a_writer_that_lives_is_left_alone(ledger: Ledger) -> None:
    ledger.fickle.before = True
    ledger.use()
    await ledger.write()
    another = Ledger(ledger.fickle.database, ledger.account, ledger.folder)
    await another.write()
    assert await ledger.counted() == 0
    ledger.use(2)
    ledger.fickle.before = False
    await ledger.write()
    assert await ledger.counted() == ledger.put == 3


async def test_a_full_disk_costs_only_the_memory(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        ledger.fickle.before = True
        for _ in range(3):
            ledger.use()
            await ledger.write()
        assert ledger.files() == []
    ledger.use()
    await ledger.write()
    assert len(ledger.files()) == 2
    ledger.fickle.before = False
    await ledger.write()
    assert await ledger.counted() == ledger.put == 4
    told = [(record.getMessage(), vars(record)["to"]) for record in caplog.records]
    assert sorted(told) == [
        ("what is used can be written again", "the database"),
        ("what is used can be written again", "the disk"),
        ("what is used cannot be written", "the database"),
        ("what is used cannot be written", "the disk"),
    ]


async def test_a_file_that_cannot_be_read_is_kept_and_stops_nobody(ledger: Ledger) -> None:
    ledger.fickle.before = True
    ledger.use(1)
    await ledger.write()
    ledger.use(2)
    await ledger.write()
    [first, _] = sorted(ledger.folder.rglob("0*"))
    first.write_bytes(b"\xc1 no msgpack")
    ledger.die()
    ledger.fickle.before = False
    await ledger.write()
    assert await ledger.counted() == 2
    assert [path.name.split("-")[0] for path in ledger.folder.iterdir()] == ["unreadable"]


@pytest.mark.parametrize("dies", [False, True])
async def test_what_the_database_can_never_hold_is_put_aside_and_stops_nobody(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, dies: bool
) -> None:
    ledger.fickle.before = dies
    ledger.use(session="a NUL\0 that no name should have")
    await ledger.write()
    ledger.use(2)
    await ledger.write()
    if dies:
        ledger.die()
    ledger.use(2**63, session="more than there is")
    ledger.fickle.before = False
    await ledger.write()
    ledger.use(3)
    await ledger.write()
    assert await ledger.counted() == 5
    names = [path.name.split("-")[0] for path in ledger.folder.iterdir()]
    assert sorted(names) == ["unreadable", "unreadable", ledger.books._writer]
    assert "no name" not in caplog.text


async def test_sessions_are_summed_up_when_there_are_very_many(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_module, "MOST_LINES", 100)
    ledger.fickle.before = True
    for session in range(1000):
        ledger.use(session=str(session))
    assert sum(map(len, ledger.books.unwritten)) <= 100
    ledger.fickle.before = False
    await ledger.write()
    assert await ledger.counted() == ledger.put == 1000


async def test_what_comes_while_it_is_written_is_not_forgotten(ledger: Ledger) -> None:
    async def use() -> None:
        for _ in range(200):
            ledger.use()
            await asyncio.sleep(0.001)

    using = asyncio.create_task(use())
    while not using.done():
        await ledger.write()
        await asyncio.sleep(0)
    await ledger.write()
    assert await ledger.counted() == ledger.put == 200


async def test_a_write_that_is_cancelled_half_way_is_made_good(ledger: Ledger) -> None:
    for _ in range(20):
        ledger.use()
        writing = asyncio.create_task(ledger.write())
        await asyncio.sleep(random.random() * 0.01)
        writing.cancel()
        await asyncio.wait([writing])
    await ledger.write()
    assert await ledger.counted() == ledger.put == 20


async def test_an_error_of_ours_does_not_end_the_books(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_module, "WRITE_EVERY_S", 0.01)
    once, errors = ledger.fickle.once, 0

    async def err(*given: Any) -> Any:
        nonlocal errors
        errors += 1
        if errors < 3:
            raise ZeroDivisionError
        return await once(*given)

    async def written() -> bool:
        return await ledger.counted() == 1

    monkeypatch.setattr(ledger.fickle, "once", err)
    ledger.use()
    async with beside(ledger.books.keep(ledger.fickle)):
        await until(written, 10)


async def test_files_that_cannot_be_removed_hold_up_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frozen(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    ledger.fickle.before = True
    ledger.use()
    await ledger.write()
    ledger.die()
    ledger.use()
    await ledger.write()
    ledger.fickle.before = False
    with monkeypatch.context() as patched:
        patched.setattr(spool.Locked, "drop", frozen)
        patched.setattr(spool.Locked, "remove", frozen)
        await ledger.write()
        assert await ledger.counted() == 2
    ledger.die()
    await ledger.write()  # again
    assert await ledger.counted() == 2
    assert ledger.files() == []


async def test_a_refusal_of_the_database_is_no_end(ledger: Ledger) -> None:
    class Full(Fickle):
        async def once(self, work: Any, within_s: float = 5) -> Any:
            raise StorageError("the database refuses us: disk full")

    ledger.use()
    await ledger.books.write(Full(ledger.fickle.database))  # type: ignore[arg-type]
    await ledger.write()
    assert await ledger.counted() == 1
