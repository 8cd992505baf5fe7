"""What a gateway does about keys every few seconds, beside the requests."""

import asyncio
import contextlib
import logging
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
"""For the last of it, when the gateway ends."""


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
        asked = list(sessions.keys())
        if not asked:
            continue
        try:
            gone = await database.run(lambda c: keys.revoked(c, asked), patience_s=0)  # noqa: B023
        except StorageError:
            continue  # the supervisor tells that it is away
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
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                await write_uses(database, keyring)


async def write_uses(database: Database, keyring: Keyring) -> None:
    """Write down what is not yet."""
    used, keyring.used = keyring.used, {}
    if not used:
        return
    try:
        await database.run(lambda c: keys.used(c, used), patience_s=0)
    except StorageError:
        keyring.used = used | keyring.used
