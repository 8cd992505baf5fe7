"""The keys that a gateway has seen lately, so that not every request asks the database.

What was asked holds for five seconds; a revocation on this machine is told at once. While the
database is away a key that was good goes on, for an hour.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from server.access.caller import Caller
from storage import accounts, client_secrets, keys
from storage.client_secrets import PREFIX as SECRET_PREFIX
from storage.database import Connection, Database
from storage.errors import Missing, Unavailable
from storage.keys import Key, hashed

FRESH_S = 5.0
STALE_S = 3600.0
MOST = 2_000
"""Keys that are remembered, a client secret's session with it."""

ANSWER_S = 2.0
"""For the database, before a request is told that its key cannot be looked up now."""


class Known(msgspec.Struct, frozen=True):
    """A key, or a client secret and the key behind it. For how long it is good is told by the
    database's clock, and counted by one that nobody sets; if that is not above 0 it is revoked or
    has expired.
    """

    key: Key
    caller: Caller
    good_for_s: float


Look = Callable[[bytes, bool], Awaitable[Known | None]]
"""Finds what has this hash, a client secret or else a key. Raises `StorageError`."""


class Keyring:
    """Keys by their hash. `look` finds those that are not here."""

    def __init__(self, look: Look, clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._seen: dict[bytes, tuple[Known, float]] = {}
        self._looking: dict[bytes, asyncio.Task[Known | None]] = {}
        self._away_until = float("-inf")
        self.used: dict[str, datetime] = {}
        """When each key was last used, until somebody writes it down."""

    def remembered(self, secret: str) -> Known | None:
        """The key, if that needs no look into the database, which may be known to be away."""
        away = self._clock() < self._away_until
        return self._kept(hashed(secret), STALE_S if away else FRESH_S)

    def seen(self, secret: str) -> bool:
        """Whether it was good once: who shows it does not guess."""
        return hashed(secret) in self._seen

    async def find(self, secret: str) -> Known | None:
        """The key, good or ended; None if there is none. Raises `StorageError`."""
        hash_ = hashed(secret)
        task = self._looking.get(hash_)
        if task is None:  # those who ask at the same time share the answer
            task = asyncio.ensure_future(self._look(hash_, secret.startswith(SECRET_PREFIX)))
            self._looking[hash_] = task
            task.add_done_callback(lambda task: self._looked(hash_, task))
        try:
            return await asyncio.shield(task)
        except Unavailable:
            known = self._kept(hash_, STALE_S)
            if known is None:
                raise
            return known

    def note(self, key_id: str) -> None:
        """The key is used now."""
        self.used[key_id] = datetime.now(UTC)

    def forget(self, key_ids: Iterable[str]) -> None:
        """Look these up again before they open anything; what is on its way may be of before."""
        gone = set(key_ids)
        self._seen = {h: seen for h, seen in self._seen.items() if seen[0].key.id not in gone}
        self._looking.clear()

    def _kept(self, hash_: bytes, for_s: float) -> Known | None:
        if hash_ not in self._seen:
            return None
        known, asked_at = self._seen[hash_]
        return known if self._clock() < asked_at + min(for_s, known.good_for_s) else None

    def _looked(self, hash_: bytes, task: "asyncio.Task[Known | None]") -> None:
        current = self._looking.get(hash_) is task
        if current:
            del self._looking[hash_]
        if task.cancelled():
            return
        failed = task.exception()  # whoever waited has it; they may all be gone
        if isinstance(failed, Unavailable):
            self._away_until = self._clock() + FRESH_S
        if failed is None and current:
            self._remember(hash_, task.result())

    def _remember(self, hash_: bytes, known: Known | None) -> None:
        self._seen.pop(hash_, None)
        if known is None or known.good_for_s <= 0:
            return
        self._seen[hash_] = (known, self._clock())
        if len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]


def looking_in(database: Database) -> Look:
    """Finds keys in the database."""

    async def look(hash_: bytes, secret: bool) -> Known | None:
        return await database.once(lambda c: _found(c, hash_, secret=secret), ANSWER_S)

    return look


async def _found(connection: Connection, hash_: bytes, *, secret: bool) -> Known | None:
    try:
        if not secret:
            key = await keys.find(connection, hash_)
            return None if key is None else await _known(connection, key, key.expires_at)
        found = await client_secrets.find(connection, hash_)
        if found is None:
            return None
        made, key = found
        known = await _known(connection, key, made.expires_at)
    except Missing:  # it goes at this moment, with its account
        return None
    narrower = replace(known.caller, scopes=("realtime",), session=made.session)
    anywhere = replace(key, addresses=())  # it is for others than the key's owner
    return Known(anywhere, narrower, known.good_for_s)


async def _known(connection: Connection, key: Key, expires_at: datetime | None) -> Known:
    now = await connection.fetchval("select now()")
    ends = [at for at in (expires_at, key.expires_at, key.revoked_at) if at is not None]
    good_for_s = min(((at - now).total_seconds() for at in ends), default=math.inf)
    account = await accounts.get(connection, key.account_id)
    caller = Caller(account.id, key.id, key.scopes, key.limits, account.limits)
    return Known(key, caller, good_for_s)
