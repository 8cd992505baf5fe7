"""All records as one file, and back.

A zip with the migration that the tables stood at, and each table's rows as PostgreSQL copies them
out, all of one moment. (`pg_dump` would have to be that of the server's release or later, and the
one that comes along knows no TLS.)
"""

import asyncio
import os
import zipfile
import zlib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import BinaryIO, cast

import asyncpg

from storage.database import connect, translated
from storage.errors import StorageError
from storage.migrating import current, migrate

REVISION = "revision"
ROWS = ".rows"

LEAST = "accounts"
"""A table that every release has."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError)
"""What reading a zip may raise that is none, or not whole."""

LONG_S = 24 * 3600.0
"""For one table. There is no hurry."""


async def backup(url: str, to: Path) -> dict[str, int]:
    """Write everything to the file `to`, which nobody else may read, while others go on.

    Returns how many rows each table had. Raises `StorageError`.
    """
    part = to.with_name(to.name + ".part")
    connection = await connect(url)
    try:
        with _private(part) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, translated():
                rows = await _backup(connection, archive)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
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
        found = await tables(connection)
        if LEAST not in found:
            raise StorageError("the tables are not where they are expected: nothing is backed up")
        archive.writestr(REVISION, revision)
        for table in found:
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
        with archive, translated():
            async with connection.transaction():
                return await _restore(connection, archive, revision)
    except DAMAGED as error:
        raise StorageError(f"{source} is damaged: {error}") from error
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
    found = await tables(connection)
    unknown = {name.removesuffix(ROWS) for name in archive.namelist()} - {REVISION, *found}
    if unknown:
        raise StorageError(f"the backup has tables that are not ours: {', '.join(sorted(unknown))}")
    for table in found:
        with archive.open(table + ROWS) as file:
            source = cast(BinaryIO, file)
            try:
                told = await connection.copy_to_table(table, source=source, timeout=LONG_S)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise zipfile.BadZipFile(str(error)) from error
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
        " where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace"
        " and c.relname <> 'alembic_version' group by c.relname order by c.relname"
    )
    return list(TopologicalSorter({row["name"]: row["needs"] for row in found}).static_order())


def _private(path: Path) -> BinaryIO:
    """A new file for our own eyes, and nothing that somebody laid there before."""
    path.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR
    return os.fdopen(os.open(path, flags, 0o600), "w+b")
