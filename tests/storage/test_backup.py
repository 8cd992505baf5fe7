"""All records in a file."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import accounts, keys
from storage.backup import backup, restore
from storage.database import Database, connect
from storage.errors import StorageError
from storage.keys import Terms, hashed
from storage.migrating import current, migrate
from tests.storage.conftest import files, new_database
from tests.storage.postgres import Debian
from tests.storage.test_migrating import more


async def filled(url: str) -> str:
    """Some records; returns a key."""
    connection = await connect(url)
    account = await accounts.create(connection, "Bäckerei")
    terms = Terms(("realtime",), expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    _, secret = await keys.create(connection, account.id, "shop", terms)
    await connection.close()
    return secret


async def test_what_was_backed_up_comes_back(url: str, debian: Debian, tmp_path: Path) -> None:
    secret = await filled(url)
    written = await backup(url, tmp_path / "records")
    assert {table: rows for table, rows in written.items() if rows} == {"accounts": 1, "keys": 1}
    assert (tmp_path / "records").stat().st_mode & 0o77 == 0
    assert files(tmp_path) == {"records"}
    other = await new_database(debian.url(sslmode="require"))
    assert await restore(other, tmp_path / "records") == written
    async with Database(url) as before, Database(other) as after:
        assert await after.run(accounts.listed) == await before.run(accounts.listed)
        key = await after.run(lambda each: keys.find(each, hashed(secret)))
        assert key is not None
        assert key == await before.run(lambda each: keys.find(each, hashed(secret)))


async def test_an_older_releases_backup_is_brought_up_to_date(
    url: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(url)
    await backup(url, tmp_path / "records")
    newer = more(tmp_path, "alter table accounts add column city text default 'Wien'")
    monkeypatch.setattr(migrate, "__defaults__", (newer, "heads"))
    await restore(empty, tmp_path / "records")
    connection = await connect(empty)
    assert await connection.fetchval("select city from accounts") == "Wien"
    assert await current(connection) == "9999_more"
    await connection.close()


async def test_a_newer_releases_backup_is_refused(url: str, empty: str, tmp_path: Path) -> None:
    await backup(url, tmp_path / "records")
    rewrite(tmp_path / "records", "revision", b"9999_more")
    with pytest.raises(StorageError, match="at 9999_more, which this release does not know"):
        await restore(empty, tmp_path / "records")


async def test_records_are_never_written_over(url: str, tmp_path: Path) -> None:
    await backup(url, tmp_path / "records")
    with pytest.raises(StorageError, match="the database has records: restore into an empty one"):
        await restore(url, tmp_path / "records")


async def test_a_damaged_backup_changes_nothing(url: str, empty: str, tmp_path: Path) -> None:
    await filled(url)
    await backup(url, tmp_path / "records")
    rewrite(tmp_path / "records", "keys.rows", b"key_1\tacc_of_nobody\n")
    with pytest.raises(StorageError, match="records is damaged: missing data for column"):
        await restore(empty, tmp_path / "records")
    connection = await connect(empty)
    assert await current(connection) is None
    await connection.close()


async def test_a_flipped_bit_is_noticed(url: str, empty: str, tmp_path: Path) -> None:
    await filled(url)
    await backup(url, tmp_path / "records")
    whole = (tmp_path / "records").read_bytes()
    with zipfile.ZipFile(tmp_path / "records") as archive:
        at = archive.getinfo("keys.rows").header_offset + len("keys.rows") + 60
    (tmp_path / "records").write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    with pytest.raises(StorageError, match="records is damaged"):
        await restore(empty, tmp_path / "records")


async def test_nothing_that_lies_in_the_way_is_written_to(url: str, tmp_path: Path) -> None:
    (tmp_path / "others").write_text("precious")
    (tmp_path / "records.part").symlink_to(tmp_path / "others")
    await backup(url, tmp_path / "records")
    assert (tmp_path / "others").read_text() == "precious"
    assert files(tmp_path) == {"others", "records"}


async def test_a_file_that_is_no_backup_is_named(empty: str, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear sirs,")
    with pytest.raises(StorageError, match="letter is no backup of VoiceForge"):
        await restore(empty, tmp_path / "letter")
    with pytest.raises(StorageError, match="nothing: No such file or directory"):
        await restore(empty, tmp_path / "nothing")


async def test_a_backup_that_fails_leaves_the_last_one(empty: str, tmp_path: Path) -> None:
    (tmp_path / "records").write_text("the last one")
    with pytest.raises(StorageError, match="there is nothing to back up"):
        await backup(empty, tmp_path / "records")
    assert (tmp_path / "records").read_text() == "the last one"
    assert files(tmp_path) == {"records"}
    with pytest.raises(StorageError, match="No such file or directory"):
        await backup(empty, tmp_path / "no folder" / "records")


def rewrite(archive: Path, name: str, content: bytes) -> None:
    """Put something else into a file of a zip."""
    with zipfile.ZipFile(archive) as before:
        files = {each: before.read(each) for each in before.namelist()}
    with zipfile.ZipFile(archive, "w") as after:
        for each, was in files.items():
            after.writestr(each, content if each == name else was)
