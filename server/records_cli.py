"""`voiceforge backup` and `voiceforge restore`: all records as one file."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter

from server.database import database_url
from server.settings import Settings
from server.settings_sources import SettingsError, load
from storage import backup as storing
from storage.errors import StorageError

Config = Annotated[Path | None, Parameter(help="TOML file, as for `serve`")]


def backup(
    to: Annotated[Path, Parameter(help="the file to write, such as records.zip")],
    /,
    *,
    config: Config = None,
) -> None:
    """Write all records to a file, which nobody else may read.

    While the server runs or not; what is written meanwhile is left out. Models are not records, and
    neither is the key that opens accounts' secrets: keep `secret.key` of the state folder, or the
    setting `secret_key`, with the backup's care and apart from it.
    """
    rows = asyncio.run(_backup(_settings(config), to))
    print(f"{to}: {_counted(rows)}")


def restore(
    source: Annotated[Path, Parameter(help="a file that `voiceforge backup` wrote")],
    /,
    *,
    config: Config = None,
) -> None:
    """Read the records of a backup, of this release or an older one, into an empty database.

    All or nothing. A server that has run once has a database that is not empty: restore before the
    first `serve`, or name another place (VOICEFORGE_STATE or VOICEFORGE_DATABASE_URL).
    """
    rows = asyncio.run(_restore(_settings(config), source))
    print(f"restored {_counted(rows)}")


async def _backup(settings: Settings, to: Path) -> dict[str, int]:
    try:
        async with database_url(settings) as url:
            return await storing.backup(url, to)
    except StorageError as error:
        _fail(str(error))


async def _restore(settings: Settings, source: Path) -> dict[str, int]:
    try:
        async with database_url(settings) as url:
            return await storing.restore(url, source)
    except StorageError as error:
        _fail(str(error))


def _settings(config: Path | None) -> Settings:
    try:
        return load(config=config).settings
    except SettingsError as error:
        _fail(str(error))


def _counted(rows: dict[str, int]) -> str:
    return ", ".join(f"{count} {table}" for table, count in rows.items())


def _fail(message: str) -> NoReturn:
    print(f"voiceforge: {message}", file=sys.stderr)
    sys.exit(1)
