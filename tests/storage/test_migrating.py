"""The tables, brought to what the release needs."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from storage.database import connect
from storage.errors import StorageError, Unavailable
from storage.migrating import FOLDER, current, migrate


def more(tmp_path: Path, *statements: str) -> Path:
    """The migrations, and one more with these statements."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    last = sorted((folder / "versions").glob("*.py"))[-1].stem
    body = "".join(f"    op.execute({statement!r})\n" for statement in statements)
    (folder / "versions" / "9999_more.py").write_text(
        "from alembic import op\n"
        f"revision = '9999_more'\ndown_revision = {last!r}\n"
        f"def upgrade():\n{body}"
    )
    return folder


async def tables(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


def names() -> list[str]:
    return sorted(path.stem for path in (FOLDER / "versions").glob("*.py"))


async def test_all_run_once_and_in_order(empty: str) -> None:
    connection = await connect(empty)
    assert await current(connection) is None
    assert await migrate(connection) == names()
    assert await current(connection) == names()[-1]
    assert await migrate(connection) == []
    assert {"accounts", "keys"} <= await tables(connection)
    await connection.close()


async def test_machines_that_start_at_once_wait_for_the_first(empty: str) -> None:
    connections = [await connect(empty) for _ in range(5)]
    ran = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(ran) == [[], [], [], [], names()]
    for connection in connections:
        await connection.close()


async def test_the_newest_alone_runs_on_tables_that_are_there(url: str, tmp_path: Path) -> None:
    connection = await connect(url)
    folder = more(tmp_path, "create table extra (id integer)")
    assert await migrate(connection, folder) == ["9999_more"]
    assert "extra" in await tables(connection)
    await connection.close()


async def test_one_that_fails_half_way_leaves_everything_as_it_was(
    url: str, tmp_path: Path
) -> None:
    connection = await connect(url)
    await connection.execute("insert into accounts (id, name) values ('acc_1', 'kept')")
    before = await tables(connection)
    folder = more(tmp_path, "create table extra (id integer)", "drop table keys", "drop table no")
    with pytest.raises(StorageError, match="9999_more failed, and it stays as it was at 0"):
        await migrate(connection, folder)
    assert await tables(connection) == before
    assert await current(connection) == names()[-1]
    assert await connection.fetchval("select name from accounts") == "kept"
    assert await migrate(connection) == []  # and the lock is free
    await connection.close()


async def test_the_tables_of_a_newer_release_are_left_alone(url: str, tmp_path: Path) -> None:
    connection = await connect(url)
    await migrate(connection, more(tmp_path, "create table extra (id integer)"))
    with pytest.raises(
        StorageError, match="the tables are at 9999_more, which this release does not know"
    ):
        await migrate(connection)
    assert "extra" in await tables(connection)
    await connection.close()


async def test_a_machine_that_dies_while_it_migrates_frees_the_others(
    empty: str, tmp_path: Path
) -> None:
    first, second = await connect(empty), await connect(empty)
    slow = more(tmp_path, "select pg_sleep(3)")
    dying = asyncio.create_task(migrate(first, slow))
    await asyncio.sleep(0.5)
    waiting = asyncio.create_task(migrate(second))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    first.terminate()
    with pytest.raises(Unavailable):
        await dying
    async with asyncio.timeout(30):
        assert await waiting == names()
    await second.close()
