"""Brings the tables to what this release needs.

Each migration is a file of `migrations/versions` (Alembic), whose statements are written out first
and then run in one transaction, under a lock that ends with it: machines that start at once wait
for the first, one that fails leaves everything as it was, and a pooler may stand between.
"""

import io
import logging
from pathlib import Path

import asyncpg

from storage.errors import StorageError

log = logging.getLogger(__name__)

FOLDER = Path(__file__).with_name("migrations")

LOCK = 0x766F696365  # "voice": any number that no other program takes
"""Of PostgreSQL's advisory locks."""

WAIT_S = 600.0
"""For another machine's migration, and for our own."""


async def migrate(
    connection: asyncpg.Connection, folder: Path = FOLDER, to: str = "heads"
) -> list[str]:
    """Run what is missing, up to the one named `to`. Returns the names of those that ran.

    Raises `StorageError` if one fails or the tables are a newer release's.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK, timeout=WAIT_S)
        revision = await current(connection)
        script, names = _script(folder, revision, to)
        if not names:
            return []
        log.info("the tables are brought up to date", extra={"migrations": names})
        try:
            await connection.execute(script, timeout=WAIT_S)
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


def _script(folder: Path, revision: str | None, to: str) -> tuple[str, list[str]]:
    """The statements that lead from `revision` to `to`, and the migrations' names."""
    from alembic import command  # late: with SQLAlchemy 30 MB, for a second at the start
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)
    try:
        missing = list(directory.iterate_revisions(to, revision or "base"))
    except (CommandError, RevisionError) as error:
        raise StorageError(
            f"the tables are at {revision if to == 'heads' else to}, which this release does not "
            "know: they are a newer one's; use that, or another database"
        ) from error
    names = [step.revision for step in reversed(missing)]
    if names:
        command.upgrade(config, f"{revision or 'base'}:{to}", sql=True)
    return written.getvalue(), names
