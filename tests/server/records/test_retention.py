"""What is old is deleted, with its recording, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.recording.store import Recordings
from server.records import retention as module
from server.records.retention import Retention
from storage import accounts, records, sessions
from storage.database import Database
from storage.records import Changes
from storage.sessions import Session
from tests.storage.conftest import database, embedded, url
from tests.storage.test_records import age

__all__ = ["database", "embedded", "url"]

NOON = datetime(2020, 11, 28, 12, tzinfo=UTC)
"""Of a gateway whose clock is years off."""


class House:
    """An account that keeps its records for a day, and its recordings."""

    def __init__(self, database: Database, account: str, state: Path) -> None:
        self.database = database
        self.account = account
        self.recordings = Recordings(state)
        self.retention = Retention(self.recordings)
        self.batch = 0

    async def session(self, ident: str, *, old: bool = False, over: bool = True) -> None:
        self.batch += 1
        ended = NOON if over else None
        told = (ident, self.account, "k", "websocket", "w", NOON, "", None, ended, "left")
        changes = Changes((Session(*told),))
        await self.database.once(lambda c: records.write(c, "w", self.batch, changes))
        if old:
            await self.database.once(lambda c: age(c, ident, days=1.1))
        self.record(ident)

    def record(self, ident: str) -> None:
        self.recordings.make_room(self.account)
        self.recordings.wav(self.account, ident).write_bytes(b"RIFF")

    async def look(self) -> set[str]:
        """The sessions whose recordings are left."""
        await self.retention.look(self.database)
        return {session_id for _, session_id in self.recordings.kept()}

    async def known(self, *idents: str) -> set[str]:
        return await self.database.once(lambda c: sessions.known(c, idents))


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    made = await database.once(lambda c: accounts.create(c, "Short", retention_days=1))
    return House(database, made.id, tmp_path)


async def test_what_is_old_goes_with_its_recording(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "PAUSE_S", 0)
    for number in range(5):
        await house.session(f"old{number}", old=True)
    await house.session("new")
    await house.session("open", over=False)
    assert await house.look() == {"new", "open"}
    assert await house.known("old0", "old4", "new", "open") == {"new", "open"}


async def test_a_recording_without_a_record_goes_the_second_time(house: House) -> None:
    house.record("early")
    house.record("stray")
    assert await house.look() == {"early", "stray"}
    await house.session("early")  # its record was on its way
    assert await house.look() == {"early"}
    assert await house.look() == {"early"}


async def test_a_deleted_accounts_recordings_go(house: House) -> None:
    await house.session("one")
    await house.database.once(lambda c: accounts.delete(c, house.account))
    for _ in range(2):
        left = await house.look()
    assert left == set()
    assert list(house.recordings.folder.iterdir()) == []
