"""What is recorded is in the database, whatever happens on the way there."""

import asyncio
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server import spool
from server.beside import beside
from server.records import journal as journal_module
from server.records.journal import Journal
from storage import accounts, sessions, turns
from storage.database import Connection, Database
from storage.errors import Unavailable
from storage.records import Changes
from storage.sessions import News, Session
from storage.turns import Turn
from tests.server.metering.test_books import Fickle
from tests.server.wire import until
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Gateway:
    """An account's one session, and a database that fails on demand."""

    def __init__(self, database: Database, account: str, folder: Path) -> None:
        self.fickle: Any = Fickle(database)
        self.account = account
        self.folder = folder
        self.said = 0
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.folder)
        self.journal.open()

    def say(self, text: str = "word") -> Changes:
        self.said += 1
        writer = self.journal.writer
        session = Session("s", self.account, "k", "websocket", writer, NOON, responses=self.said)
        turn = Turn("s", self.said, self.said, "caller", "completed", text)
        return Changes((session,), (turn,))

    async def write(self, text: str = "word") -> None:
        await self.journal.write(self.fickle, self.say(text))

    async def deliver(self) -> None:
        await self.journal.deliver(self.fickle)

    async def kept(self) -> list[int]:
        found = await self.fickle.database.once(lambda c: turns.of(c, "s"))
        return [turn.number for turn in found]

    async def session(self) -> Session:
        found: Session = await self.fickle.database.once(lambda c: sessions.get(c, "s"))
        return found

    def die(self) -> None:
        """The process is gone, and another takes its place."""
        assert self.journal._files is not None
        self.journal._files.close()
        self.start()

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("0*"))


@pytest.fixture
async def gateway(database: Database, tmp_path: Path) -> Gateway:
    account = await database.once(lambda c: accounts.create(c, "Bakery"))
    return Gateway(database, account.id, tmp_path / "journals")


async def test_what_is_new_is_in_the_database_at_once_and_leaves_no_file(gateway: Gateway) -> None:
    for _ in range(3):
        await gateway.write()
        assert await gateway.kept() == list(range(1, gateway.said + 1))
    assert gateway.files() == []
    await gateway.journal.close(gateway.fickle)
    assert list(gateway.folder.iterdir()) == []


async def test_while_the_database_is_away_it_waits_in_files_and_comes_in_order(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server")
    gateway.fickle.before = True
    for _ in range(5):
        await gateway.write("a secret word")
        await gateway.deliver()
    assert len(gateway.files()) == 5
    gateway.fickle.before = False
    await gateway.write()
    assert await gateway.kept() == []  # nothing overtakes what waits
    await gateway.deliver()
    assert await gateway.kept() == [1, 2, 3, 4, 5, 6]
    assert gateway.files() == []
    assert [record.getMessage() for record in caplog.records] == [
        "records cannot be written",
        "records can be written again",
    ]
    assert "secret" not in caplog.text


async def test_what_was_written_without_an_answer_is_written_once(gateway: Gateway) -> None:
    gateway.fickle.after = True
    for _ in range(3):
        await gateway.write()
        await gateway.deliver()
    gateway.fickle.after = False
    await gateway.deliver()
    assert await gateway.kept() == [1, 2, 3]


async def test_a_dead_gateways_words_are_delivered_and_its_sessions_end(gateway: Gateway) -> None:
    await gateway.write()
    gateway.fickle.before = True
    await gateway.write()
    gateway.die()
    gateway.fickle.before = False
    assert (await gateway.session()).end_reason is None
    await gateway.deliver()
    assert await gateway.kept() == [1, 2]
    assert (await gateway.session()).end_reason == "lost"
    assert len(list(gateway.folder.iterdir())) == 1


async def test_a_gateway_that_lives_is_left_alone(gateway: Gateway) -> None:
    gateway.fickle.before = True
    await gateway.write()
    another = Gateway(gateway.fickle.database, gateway.account, gateway.folder)
    await another.deliver()
    assert await another.kept() == []
    gateway.fickle.before = False
    await gateway.deliver()
    assert await gateway.kept() == [1]
    assert (await gateway.session()).end_reason is None


async def test_a_gateway_that_ends_well_leaves_no_session_open(gateway: Gateway) -> None:
    await gateway.write()
    await gateway.journal.close(gateway.fickle)
    assert (await gateway.session()).end_reason == "lost"
    gateway.fickle.before = True
    gateway.start()
    await gateway.write()
    await gateway.journal.close(gateway.fickle)
    assert len(gateway.files()) == 1  # for the next
    gateway.fickle.before = False
    gateway.start()
    await gateway.deliver()
    assert gateway.files() == []
    assert await gateway.kept() == [1, 2]


async def test_any_order_of_faults_loses_nothing(gateway: Gateway) -> None:
    chance = random.Random(7)
    for _ in range(150):
        gateway.fickle.before = chance.random() < 0.3
        gateway.fickle.after = chance.random() < 0.3
        await gateway.write()
        if chance.random() < 0.5:
            await gateway.deliver()
        if chance.random() < 0.1:
            gateway.die()
    gateway.fickle.before = gateway.fickle.after = False
    await gateway.deliver()
    assert await gateway.kept() == list(range(1, 151))


async def test_too_much_gives_way_from_the_oldest_and_is_told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "MOST_BYTES", 2_000)
    gateway.fickle.before = True
    for _ in range(20):
        await gateway.write("a secret word " * 20)
    assert 1 <= len(gateway.files()) < 6
    gateway.fickle.before = False
    await gateway.deliver()
    kept = await gateway.kept()
    assert kept == list(range(kept[0], 21))
    assert len(kept) < 6
    [dropped] = [r for r in caplog.records if "dropped" in r.getMessage()]
    assert dropped.levelname == "ERROR"
    assert "secret" not in caplog.text


async def test_a_full_disk_costs_only_the_memory(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        gateway.fickle.before = True
        for _ in range(3):
            await gateway.write()
        assert gateway.files() == []
    await gateway.write()
    gateway.fickle.before = False
    await gateway.deliver()
    assert await gateway.kept() == [1, 2, 3, 4]


async def test_what_the_database_can_never_hold_is_put_aside_and_stops_nobody(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    await gateway.write("a NUL\0 that no text should have")
    await gateway.write()
    await gateway.deliver()
    assert await gateway.kept() == [2]
    names = {path.name.split("-")[0] for path in gateway.folder.iterdir()}
    assert names == {"unreadable", gateway.journal.writer}
    assert "no text" not in caplog.text


async def test_what_nobody_can_announce_is_put_aside_and_stops_nobody(gateway: Gateway) -> None:
    async def announce(connection: Connection, news: News) -> None:
        if news.began:
            raise ZeroDivisionError

    gateway.journal._announce = announce
    await gateway.write()
    await gateway.deliver()
    assert await gateway.kept() == []
    gateway.journal._announce = journal_module.nobody
    await gateway.write()
    assert await gateway.kept() == [2]
    assert any(path.name.startswith("unreadable") for path in gateway.folder.iterdir())


async def test_an_error_of_ours_does_not_end_the_journal(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "EVERY_S", 0.01)

    def take() -> list[Changes]:
        changes = gateway.say()
        if gateway.said == 1:
            raise ZeroDivisionError
        return [changes]

    async def written() -> bool:
        return len(await gateway.kept()) > 1

    async with beside(gateway.journal.keep(gateway.fickle, take)):
        await until(written, 10)
    assert "an error, and work goes on" in caplog.messages


async def test_files_that_cannot_be_removed_hold_up_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frozen(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    gateway.fickle.before = True
    await gateway.write()
    gateway.die()
    await gateway.write()
    gateway.fickle.before = False
    with monkeypatch.context() as patched:
        patched.setattr(spool.Locked, "drop", frozen)
        patched.setattr(spool.Locked, "remove", frozen)
        await gateway.deliver()
        assert await gateway.kept() == [1, 2]
    gateway.die()
    await gateway.deliver()  # again
    assert await gateway.kept() == [1, 2]
    assert gateway.files() == []


async def test_a_database_that_hangs_holds_up_nothing(gateway: Gateway) -> None:
    class Slow(Fickle):
        async def once(self, work: Any, within_s: float = 5) -> Any:
            assert within_s < 0.5
            raise Unavailable(f"the database does not answer within {within_s} s")

    slow: Any = Slow(gateway.fickle.database)
    await gateway.journal.write(slow, gateway.say())
    assert len(gateway.files()) == 1


async def test_a_write_that_is_cancelled_half_way_is_made_good(gateway: Gateway) -> None:
    for _ in range(20):
        writing = asyncio.create_task(gateway.write())
        await asyncio.sleep(random.random() * 0.01)
        writing.cancel()
        await asyncio.wait([writing])
    await gateway.deliver()
    assert await gateway.kept() == list(range(1, gateway.said + 1))
