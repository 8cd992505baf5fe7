"""Brings the tables to what this release needs.

Each migration is a file of `migrations/versions` (Alembic), whose statements are written out first
and then run in one transaction, under a lock that ends with it: machines that start at once wait
for the first, one that fails leaves everything as it was, and a pooler may stand between.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import asyncpg
import msgspec

from storage.database import BROKEN, translated
from storage.errors import StorageError

log = logging.getLogger(__name__)

FOLDER = Path(__file__).with_name("migrations")
WRITER = Path(__file__).with_name("written.py")

NEWEST = "heads"
"""Alembic's name for it."""

LOCK = 0x766F696365  # "voice": any number that no other program takes
"""Of PostgreSQL's advisory locks."""

WAIT_S = 600.0
"""For another machine's migration, and for our own."""


async def migrate(
    connection: asyncpg.Connection, folder: Path = FOLDER, to: str = NEWEST
) -> list[str]:
    """Run what is missing, up to the one named `to`. Returns the names of those that ran.

    Raises `StorageError` if one fails or the tables are a newer release's.
    """
    with translated():
        return await _migrate(connection, folder, to)


async def _migrate(connection: asyncpg.Connection, folder: Path, to: str) -> list[str]:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK, timeout=WAIT_S)
        revision = await current(connection)
        if revision == await asyncio.to_thread(_newest, folder):
            return []
        written = await _written(folder, revision, to)
        names = written.names
        if not names:
            return []
        log.info("the tables are brought up to date", extra={"migrations": names})
        try:
            await connection.execute(written.script, timeout=WAIT_S)
        except BROKEN:
            raise
        except asyncpg.PostgresError as error:
            raise StorageError(
                f"migrating the database to {names[-1]} failed, and it stays as it was at "
                f"{revision or 'nothing'}: {error}"
            ) from error
    return names


async def current(connection: asyncpg.Connection) -> str | None:
    """The last migration that ran; None for an empty database."""
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("select version_num from alembic_version")
    return revision


class _Written(msgspec.Struct):
    """What `storage/written.py` prints."""

    names: list[str] = []
    script: str = ""
    unknown: str = ""


async def _written(folder: Path, revision: str | None, to: str) -> _Written:
    """The statements that lead from `revision` to `to`, and the migrations' names."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", WRITER, folder, revision or "base", to),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    told, wrong = await process.communicate()
    if process.returncode != 0:
        last = wrong.decode(errors="replace").strip().rpartition("\n")[2]
        raise StorageError(f"the migrations in {folder} cannot be read: {last}")
    written = msgspec.json.decode(told, type=_Written)
    if written.unknown:
        raise StorageError(
            f"the tables are at {revision if to == NEWEST else to}, which this release does not "
            "know: they are a newer one's; use that, or another database"
        )
    return written


def _newest(folder: Path) -> str:
    """The last migration there is: their names begin with numbers."""
    return max(path.stem for path in (folder / "versions").glob("*.py"))
