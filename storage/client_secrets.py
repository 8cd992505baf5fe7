"""Secrets for browsers: each lets in for some minutes, as the key that it was made with, to the
session that was meant.

Kept as hashes, like keys.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from storage import keys
from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.keys import Key, hashed, random_secret
from storage.rows import as_struct

PREFIX = "ek_"

FORGOTTEN_AFTER = timedelta(hours=1)
"""So long one that has expired is still told from one that never was: a page that was left open
shows it again and again."""

MOST = 1000
"""Of one key at a time: who needs more begins sessions faster than this."""


class ClientSecret(msgspec.Struct, frozen=True):
    """What one opens: `session` is the realtime protocol's session object, in full or in part."""

    key_id: str
    session: dict[str, Any]
    expires_at: datetime


async def create(
    connection: Connection, key_id: str, session: dict[str, Any], seconds: int
) -> tuple[str, datetime]:
    """A new one, as it is to be sent, since nobody can read it again; and its end. Forgets those
    long expired.

    Raises `Missing` if there is no such key, `TooMany` if it has `MOST` already.
    """
    await connection.execute(
        "delete from client_secrets where expires_at < now() - $1::interval", FORGOTTEN_AFTER
    )
    held = await connection.fetchval(
        "select count(*) from client_secrets where key_id = $1 and expires_at > now()", key_id
    )
    if held >= MOST:
        raise TooMany(f"key {key_id} has {held} client secrets: wait until some have expired")
    secret = random_secret(PREFIX)
    expires_at = await connection.fetchval(
        "insert into client_secrets (hash, key_id, session, expires_at)"
        " select $1, id, $3::jsonb, now() + $4::interval from keys where id = $2"
        " returning expires_at",
        hashed(secret),
        key_id,
        msgspec.json.encode(session).decode(),
        timedelta(seconds=seconds),
    )
    if expires_at is None:
        raise Missing(f"there is no key {key_id!r}")
    return secret, expires_at


async def find(
    connection: Connection,
    hash: bytes,  # noqa: A002 - the column
) -> tuple[ClientSecret, Key] | None:
    """The one with this hash, expired or not, and its key."""
    row = await connection.fetchrow(
        "select key_id, session, expires_at from client_secrets where hash = $1", hash
    )
    if row is None:
        return None
    secret = as_struct(row, ClientSecret)
    return secret, await keys.get(connection, secret.key_id)
