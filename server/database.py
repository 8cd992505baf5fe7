"""Where the records are: a PostgreSQL that the settings name, or the embedded one, kept running."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
from msgspec.structs import replace

from server.access.admin_key import key_file, make_if_missing
from server.beside import beside
from server.control import DatabaseStatus
from server.learning import state_folder
from server.settings import Settings
from storage.database import Database, connect, for_asyncpg, translated
from storage.embedded import ROOTS_FOLDER, EmbeddedPostgres
from storage.errors import StorageError
from storage.migrating import migrate

log = logging.getLogger(__name__)

FOLDER = "postgres"

LOOK_EVERY_S, ANSWER_S = 5.0, 3.0
"""Between two questions whether it answers, and for the answer."""

FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 30.0
"""Before the embedded server is started again; twice as long each time that it fails."""


def database_folder(settings: Settings) -> Path:
    """Of the embedded server. Root's own folders are closed to the user that it runs as then."""
    if settings.state is None and os.getuid() == 0:
        return ROOTS_FOLDER / FOLDER
    return state_folder(settings) / FOLDER


@contextlib.asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The database's address, for a command beside a server that runs or does not: the embedded
    one is started for as long as the block lasts. Raises `StorageError`.
    """
    if settings.database_url is not None:
        yield settings.database_url.reveal()
        return
    embedded = EmbeddedPostgres(database_folder(settings))
    if await asyncio.to_thread(embedded.in_use):
        yield embedded.url
        return
    await embedded.start()
    try:
        yield embedded.url
    finally:
        await embedded.stop()


class KeptDatabase:
    """The database of a server that runs; `tell` has lines for a person."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        named = settings.database_url
        self._embedded = None if named else EmbeddedPostgres(database_folder(settings))
        self.status = DatabaseStatus(embedded=named is None)

    @property
    def url(self) -> str:
        """Its address, which may hold a password."""
        if self._embedded is not None:
            return self._embedded.url
        assert self._settings.database_url is not None
        return self._settings.database_url.reveal()

    def check(self) -> None:
        """Raises `StorageError` for an address that cannot be one."""
        for_asyncpg(self.url)

    async def start(self) -> None:
        """Start the embedded server, bring the tables up to date, and see that there is an
        administrator's key. Raises `StorageError`.
        """
        if self._embedded is not None:
            await self._embedded.start()
        connection = await connect(self.url)
        try:
            await migrate(connection)
            await self._see_to_key(connection)
        finally:
            await connection.close()
        self.status = replace(self.status, up=True)

    async def _see_to_key(self, connection: asyncpg.Connection) -> None:
        file = key_file(self._settings)
        with translated():
            async with connection.transaction():
                made = await make_if_missing(connection, file)
        if made is not None:
            self._tell(f"admin key: {made}\n  kept in {file}, where `voiceforge` reads it")

    async def keep(self) -> None:
        """Look how it is, and start the embedded server again when it ends, until cancelled."""
        async with Database(self.url, most_connections=1) as database:
            if self._embedded is None:
                await self._watch(database)
            else:
                async with beside(self._watch(database)):
                    await self._restart(self._embedded)

    async def aclose(self) -> None:
        """Stop the embedded server."""
        if self._embedded is not None:
            await self._embedded.stop()

    async def _watch(self, database: Database) -> None:
        while True:
            await self._look(database)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, database: Database) -> None:
        up = True
        try:
            async with asyncio.timeout(ANSWER_S):
                await database.run(lambda connection: connection.fetchval("select 1"), patience_s=0)
        except (StorageError, TimeoutError) as error:
            up = False
            if self.status.up:
                log.error("the database does not answer", extra={"error": str(error)})
        if up and not self.status.up:
            log.info("the database answers again")
        self.status = replace(self.status, up=up)

    async def _restart(self, embedded: EmbeddedPostgres) -> None:
        while True:
            ended = await embedded.wait()
            self.status = replace(self.status, up=False)
            log.error("the database has ended and is started again", extra={"status": ended})
            delay_s = FIRST_DELAY_S
            while not await self._started(embedded, delay_s):
                delay_s = min(LONGEST_DELAY_S, delay_s * 2)
            self.status = replace(self.status, up=True, restarts=self.status.restarts + 1)
            log.info("the database has been started again")

    async def _started(self, embedded: EmbeddedPostgres, delay_s: float) -> bool:
        await asyncio.sleep(delay_s)
        try:
            await embedded.start()
        except StorageError as error:
            log.error("the database does not start", extra={"error": str(error)})
            return False
        return True
