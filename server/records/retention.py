"""Deletes records that are older than their account keeps them, and recordings of no record.

By the database's clock: one of a machine may be wrong, and what is deleted does not come back.
"""

import asyncio
import logging
from functools import partial

from server.recording.store import Recordings
from storage import sessions
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

FIRST_S, EVERY_S = 60.0, 3600.0

AT_ONCE = 500
"""Sessions in one transaction: a second or so of the database's time."""

PAUSE_S = 0.2
"""Between two transactions, for those that people wait for."""


class Retention:
    """One for all gateways of a machine."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._strays: set[tuple[str, str]] = set()

    async def keep(self, database: Database) -> None:
        """Look once an hour, until cancelled."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                await self.look(database)
            except (StorageError, OSError) as error:
                log.warning("old records are not deleted", extra={"error": str(error)})
            await asyncio.sleep(EVERY_S)

    async def look(self, database: Database) -> None:
        """Delete what is due. Raises `StorageError` or `OSError`."""
        gone = 0
        while expired := await database.once(lambda c: sessions.expire(c, AT_ONCE)):
            gone += len(expired)
            for account_id, session_id in expired:
                self._recordings.delete(account_id, session_id)
            await asyncio.sleep(PAUSE_S)
        if gone:
            log.info("old records are deleted", extra={"sessions": gone})
        await self._delete_strays(database)

    async def _delete_strays(self, database: Database) -> None:
        """Recordings whose session is gone, with its account perhaps. A new one's record may be on
        its way: it is one only if it was the last time too.
        """
        kept = await asyncio.to_thread(lambda: list(self._recordings.kept()))
        known: set[str] = set()
        for start in range(0, len(kept), AT_ONCE):
            some = [session_id for _, session_id in kept[start : start + AT_ONCE]]
            known |= await database.once(partial(sessions.known, session_ids=some))
        strays = {one for one in kept if one[1] not in known}
        for account_id, session_id in strays & self._strays:
            self._recordings.delete(account_id, session_id)
        self._strays = strays - self._strays
        self._recordings.tidy()
