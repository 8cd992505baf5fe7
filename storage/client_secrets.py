"""Secrets for browsers: each lets in for some minutes, as the key that it was made with, to the
session that was meant.

Kept as hashes, like keys.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from storage import keys
from storage.database import Connection
from storage.keys import Key, hashed, random_secret
from storage.rows import as_struct

PREFIX = "ek_"

FORGOTTEN_AFTER = timedelta(hours=1)
"""How long one that has expired is still known, so that who shows it is told so."""


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
    """
    secret = random_secret(PREFIX)
    await connection.execute(
        "delete from client_secrets where expires_at < now() - $1::interval", FORGOTTEN_AFTER
    )
    expires_at = await connection.fetchval(
        "insert into client_secrets (hash, key_id, session, expires_at)"
        " values ($1, $2, $3::jsonb, now() + $4::interval) returning expires_at",
        hashed(secret),
        key_id,
        msgspec.json.encode(session).decode(),
        timedelta(seconds=seconds),
    )
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
