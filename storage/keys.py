"""API keys. The key itself is shown once, to whoever makes it; kept is its hash.

A key has 190 random bits, so that a plain SHA-256 says nothing about it, and finding one costs a
look into an index.
"""

import hashlib
import secrets
import string
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from storage.accounts import Limits
from storage.database import Connection
from storage.errors import Missing
from storage.ids import new_id
from storage.rows import as_struct, as_structs

ALPHABET = string.ascii_letters + string.digits
PREFIX = "vf_"
LETTERS = 32
SHOWN = 7
"""Letters by which people tell keys apart, "vf_" included; 166 random bits stay hidden."""

COLUMNS = (
    "id, account_id, name, prefix, scopes, origins, addresses, limits,"
    " created_at, expires_at, revoked_at, last_used_at"
)


class Terms(msgspec.Struct, frozen=True):
    """What a key may do: its `scopes`; from which `origins` of web pages and `addresses`
    (networks such as 10.0.0.0/8), where none is any; until when; and how much.
    """

    scopes: tuple[str, ...]
    origins: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    expires_at: datetime | None = None
    limits: Limits = Limits()


class Key(msgspec.Struct, frozen=True):
    """What is known of a key. `revoked_at` may lie ahead: until then it is good."""

    id: str
    account_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    origins: tuple[str, ...]
    addresses: tuple[str, ...]
    limits: Limits
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def terms(self) -> Terms:
        """For another that may do the same."""
        return Terms(self.scopes, self.origins, self.addresses, self.expires_at, self.limits)

    def good_at(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        ends = [at for at in (self.expires_at, self.revoked_at) if at is not None]
        return all(now < at for at in ends)


def random_secret(prefix: str) -> str:
    """The prefix and 190 random bits."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))


def hashed(secret: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(secret.encode()).digest()


async def create(
    connection: Connection, account_id: str, name: str, terms: Terms
) -> tuple[Key, str]:
    """A new key, and what to send: nobody can read that again. Raises `Missing`."""
    secret = random_secret(PREFIX)
    row = await connection.fetchrow(
        "insert into keys (id, account_id, name, prefix, hash, scopes, origins, addresses, limits,"
        " expires_at) select $1, id, $3, $4, $5, $6, $7, $8, $9::jsonb, $10 from accounts"
        f" where id = $2 returning {COLUMNS}",
        new_id("key"),
        account_id,
        name,
        secret[:SHOWN],
        hashed(secret),
        terms.scopes,
        terms.origins,
        terms.addresses,
        msgspec.json.encode(terms.limits).decode(),
        terms.expires_at,
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Key), secret


async def find(connection: Connection, hash: bytes) -> Key | None:  # noqa: A002 - the column
    """The key with this hash, good or not."""
    row = await connection.fetchrow(f"select {COLUMNS} from keys where hash = $1", hash)
    return None if row is None else as_struct(row, Key)


async def get(connection: Connection, key_id: str, account_id: str | None = None) -> Key:
    """By its id, if it is `account_id`'s (None: whose ever). Raises `Missing`."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from keys where id = $1 and ($2::text is null or account_id = $2)",
        key_id,
        account_id,
    )
    if row is None:
        raise Missing(f"there is no key {key_id!r}")
    return as_struct(row, Key)


async def listed(
    connection: Connection,
    account_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[Key]:
    """Those of an account, or all; oldest first, those `after` the key with this id, `most`."""
    rows = await connection.fetch(
        f"select {COLUMNS} from keys where ($1::text is null or account_id = $1)"
        " and ($2::text is null or"
        " (created_at, id) > (select created_at, id from keys where id = $2))"
        " order by created_at, id limit $3",
        account_id,
        after,
        most,
    )
    return as_structs(rows, Key)


async def revoke(
    connection: Connection,
    key_id: str,
    account_id: str | None = None,
    grace: timedelta = timedelta(),
) -> Key:
    """After `grace`, or sooner if it was to be, it opens nothing. Raises `Missing`."""
    row = await connection.fetchrow(
        "update keys set revoked_at = least(revoked_at, clock_timestamp() + $3)"
        f" where id = $1 and ($2::text is null or account_id = $2) returning {COLUMNS}",
        key_id,
        account_id,
        grace,
    )
    if row is None:
        raise Missing(f"there is no key {key_id!r}")
    return as_struct(row, Key)


async def rotate(
    connection: Connection,
    key_id: str,
    account_id: str | None = None,
    grace: timedelta = timedelta(),
) -> tuple[Key, str]:
    """A new key that may do the same; the old one is revoked after `grace`.

    Raises `Missing`, also for one that is good no more: whoever stole it shall not get another.
    """
    async with connection.transaction():
        good = await connection.fetchval(
            "select least(revoked_at, expires_at) > clock_timestamp() is not false from keys"
            " where id = $1 for update",  # now() is when the transaction began, before it waited
            key_id,
        )
        old = await revoke(connection, key_id, account_id, grace)
        if not good:
            raise Missing(f"key {key_id!r} is revoked or has expired: create another")
        return await create(connection, old.account_id, old.name, old.terms)


async def used(connection: Connection, at: Mapping[str, datetime]) -> None:
    """Note when keys (by id) were last used; a later note stays."""
    ids: Sequence[str] = sorted(at)  # two that lock rows in different orders wait for each other
    await connection.execute(
        "update keys set last_used_at = greatest(last_used_at, told.at)"
        " from unnest($1::text[], $2::timestamptz[]) as told (id, at) where keys.id = told.id",
        ids,
        [at[ident] for ident in ids],
    )


async def revoked(connection: Connection, key_ids: Sequence[str]) -> list[str]:
    """Those of the keys that are revoked by now, or gone with their account."""
    rows = await connection.fetch(
        "select id from unnest($1::text[]) as asked (id) where not exists"
        " (select from keys where keys.id = asked.id and (revoked_at > now()) is not false)",
        key_ids,
    )
    return [row["id"] for row in rows]
