"""What a gateway does about keys every few seconds, beside the requests."""

import asyncio
import logging
from functools import partial
from typing import Protocol

from server.access.keyring import Keyring
from storage import keys
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

REVOKED_EVERY_S = 5.0
"""Sessions of a key that was revoked on another machine, or whose grace is over, end by then."""

USED_EVERY_S = 30.0
LAST_S = 2.0
"""For the writing of it, also when the gateway ends."""


class Sessions(Protocol):
    """The sessions of a gateway."""

    def keys(self) -> set[str]:
        """The keys that they began with."""
        ...

    def revoke(self, key_ids: list[str]) -> None:
        """End those of these keys."""
        ...


async def end_revoked(database: Database, keyring: Keyring, sessions: Sessions) -> None:
    """End the sessions of keys that are revoked, until cancelled. While the database is away they
    go on.
    """
    while True:
        await asyncio.sleep(REVOKED_EVERY_S)
        asked = sorted(sessions.keys())
        if not asked:
            continue
        try:
            gone = await database.once(partial(keys.revoked, key_ids=asked))
        except StorageError as error:
            log.warning("revoked keys are not known", extra={"error": str(error)})
            continue
        if gone:
            log.info("keys were revoked", extra={"keys": gone})
            keyring.forget(gone)
            sessions.revoke(gone)


async def note_uses(database: Database, keyring: Keyring) -> None:
    """Write down when keys were last used, until cancelled, and once more then."""
    try:
        while True:
            await asyncio.sleep(USED_EVERY_S)
            await write_uses(database, keyring)
    finally:
        await write_uses(database, keyring)


async def write_uses(database: Database, keyring: Keyring) -> None:
    """Write down what is not yet."""
    used = keyring.used
    if not used:
        return
    keyring.used = {}
    try:
        await database.once(partial(keys.used, at=used), LAST_S)
    except BaseException as error:
        keyring.used = used | keyring.used
        if not isinstance(error, StorageError):
            raise
        log.warning("the last use of keys is not written", extra={"error": str(error)})
