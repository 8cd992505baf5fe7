"""All records as one file, and back.

A zip with the migration that the tables stood at, and each table's rows as PostgreSQL copies them
out, all of one moment. (`pg_dump` would have to be that of the server's release or later, and the
one that comes along knows no TLS.)
"""

import asyncio
import os
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path
from typing import BinaryIO, cast

import asyncpg

from storage.database import connect
from storage.errors import StorageError
from storage.migrating import current, migrate

REVISION = "revision"
ROWS = ".rows"

LONG_S = 24 * 3600.0
"""For one table. There is no hurry."""


async def backup(url: str, to: Path) -> dict[str, int]:
    """Write everything to the file `to`, which nobody else may read, while others go on.

    Returns how many rows each table had. Raises `StorageError`.
    """
    part = to.with_name(to.name + ".part")
    connection = await connect(url)
    try:
        with _private(part) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            rows = await _backup(connection, archive)
        await asyncio.to_thread(part.replace, to)
    except OSError as error:
        raise StorageError(f"{part}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
        await connection.close()
    return rows


async def _backup(connection: asyncpg.Connection, archive: zipfile.ZipFile) -> dict[str, int]:
    rows = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revision = await current(connection)
        if revision is None:
            raise StorageError("the database is empty: there is nothing to back up")
        archive.writestr(REVISION, revision)
        for table in await tables(connection):
            with archive.open(table + ROWS, "w", force_zip64=True) as file:
                output = cast(BinaryIO, file)
                told = await connection.copy_from_table(table, output=output, timeout=LONG_S)
            rows[table] = int(told.split()[-1])
    return rows


async def restore(url: str, source: Path) -> dict[str, int]:
    """Read a backup, of this release or an older one, into an empty database: all or nothing.

    Returns how many rows each table has got. Raises `StorageError`.
    """
    try:
        archive = zipfile.ZipFile(source)
        revision = archive.read(REVISION).decode()
    except OSError as error:
        raise StorageError(f"{source}: {error.strerror}") from error
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise StorageError(f"{source} is no backup of VoiceForge, or a damaged one") from error
    connection = await connect(url)
    try:
        with archive:
            async with connection.transaction():
                return await _restore(connection, archive, revision)
    except (zipfile.BadZipFile, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as e:
        raise StorageError(f"{source} is damaged: {e}") from e
    finally:
        await connection.close()


async def _restore(
    connection: asyncpg.Connection, archive: zipfile.ZipFile, revision: str
) -> dict[str, int]:
    if await current(connection) is not None:
        raise StorageError(
            "the database has records: restore into an empty one (another folder as `state`, or "
            "another database at VOICEFORGE_DATABASE_URL)"
        )
    await migrate(connection, to=revision)
    rows = {}
    for table in await tables(connection):
        if table + ROWS in archive.namelist():
            with archive.open(table + ROWS) as file:
                source = cast(BinaryIO, file)
                told = await connection.copy_to_table(table, source=source, timeout=LONG_S)
            rows[table] = int(told.split()[-1])
    await migrate(connection)
    return rows


async def tables(connection: asyncpg.Connection) -> list[str]:
    """All but the migrations', each behind those that its rows refer to."""
    found = await connection.fetch(
        "select c.relname as name, coalesce(array_agg(o.relname) filter (where o.relname is not"
        " null), '{}') as needs from pg_class c"
        " left join pg_constraint r on r.conrelid = c.oid and r.contype = 'f'"
        " left join pg_class o on o.oid = r.confrelid and o.oid <> c.oid"
        " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
        " and c.relname <> 'alembic_version' group by c.relname order by c.relname"
    )
    return list(TopologicalSorter({row["name"]: row["needs"] for row in found}).static_order())


def _private(path: Path) -> BinaryIO:
    """A new file for our own eyes."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b")
