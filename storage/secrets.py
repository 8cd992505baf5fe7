"""Secrets of accounts, by name, such as the key for somebody's calendar. They come here sealed."""

from datetime import datetime

import msgspec

from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.rows import as_struct, as_structs

COLUMNS = "name, created_at, updated_at"

MOST = 1000
"""Of one account."""


class Named(msgspec.Struct, frozen=True):
    """What is shown of one."""

    name: str
    created_at: datetime
    updated_at: datetime


async def put(connection: Connection, account_id: str, name: str, sealed: bytes) -> Named:
    """Keep it under this name, in place of what was there.

    Raises `Missing` if there is no such account, `TooMany` if that has `MOST` already.
    """
    others = await connection.fetchval(
        "select count(*) from secrets where account_id = $1 and name <> $2", account_id, name
    )
    if others >= MOST:
        raise TooMany(f"account {account_id} has {others} secrets: delete some")
    row = await connection.fetchrow(
        "insert into secrets (account_id, name, sealed) select id, $2, $3 from accounts"
        " where id = $1 on conflict (account_id, name) do update"
        f" set sealed = excluded.sealed, updated_at = now() returning {COLUMNS}",
        account_id,
        name,
        sealed,
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Named)


async def get(connection: Connection, account_id: str, name: str) -> bytes:
    """As it was sealed. Raises `Missing`."""
    sealed: bytes | None = await connection.fetchval(
        "select sealed from secrets where account_id = $1 and name = $2", account_id, name
    )
    if sealed is None:
        raise Missing(f"there is no secret {name!r}")
    return sealed


async def listed(connection: Connection, account_id: str) -> list[Named]:
    """By name."""
    rows = await connection.fetch(
        f"select {COLUMNS} from secrets where account_id = $1 order by name", account_id
    )
    return as_structs(rows, Named)


async def delete(connection: Connection, account_id: str, name: str) -> None:
    """Raises `Missing`."""
    gone = await connection.fetchval(
        "delete from secrets where account_id = $1 and name = $2 returning name", account_id, name
    )
    if gone is None:
        raise Missing(f"there is no secret {name!r}")
