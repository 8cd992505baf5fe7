"""Accounts: who owns keys, and all else that is kept."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from storage.database import Connection
from storage.errors import Missing
from storage.ids import new_id
from storage.rows import as_struct, as_structs

FIRST = "acc_default"
"""Whose a new installation's keys are, until somebody makes other accounts."""

COLUMNS = "id, name, created_at, limits, retention_days"


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What may be used; None is no limit. Months begin at midnight UTC. Audio is what comes from
    callers and what goes to them, compute the time of model workers, for what nobody heard too.
    """

    requests_per_minute: Annotated[int, Meta(ge=1)] | None = None
    concurrent_sessions: Annotated[int, Meta(ge=0)] | None = None
    characters_per_month: Annotated[int, Meta(ge=0)] | None = None
    audio_seconds_per_month: Annotated[int, Meta(ge=0)] | None = None
    compute_seconds_per_month: Annotated[int, Meta(ge=0)] | None = None


NO_LIMITS = Limits()


class Account(msgspec.Struct, frozen=True):
    """`retention_days`: records older than that are deleted; None keeps them."""

    id: str
    name: str
    created_at: datetime
    limits: Limits
    retention_days: int | None


async def create(
    connection: Connection, name: str, limits: Limits = NO_LIMITS, retention_days: int | None = None
) -> Account:
    """A new one."""
    row = await connection.fetchrow(
        "insert into accounts (id, name, limits, retention_days)"
        f" values ($1, $2, $3::jsonb, $4) returning {COLUMNS}",
        new_id("acc"),
        name,
        msgspec.json.encode(limits).decode(),
        retention_days,
    )
    assert row is not None
    return as_struct(row, Account)


async def first(connection: Connection) -> Account:
    """The account `FIRST`, made if there is none."""
    await connection.execute(
        "insert into accounts (id, name) values ($1, 'Default') on conflict do nothing", FIRST
    )
    return await get(connection, FIRST)


async def get(connection: Connection, account_id: str, *, lock: bool = False) -> Account:
    """Raises `Missing`. With `lock` nobody else changes it before the transaction ends."""
    ending = " for update" if lock else ""
    row = await connection.fetchrow(
        f"select {COLUMNS} from accounts where id = $1{ending}", account_id
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Account)


async def listed(
    connection: Connection, after: str | None = None, most: int | None = None
) -> list[Account]:
    """Oldest first; those `after` the account with this id, `most` of them."""
    rows = await connection.fetch(
        f"select {COLUMNS} from accounts where $1::text is null or"
        " (created_at, id) > (select created_at, id from accounts where id = $1)"
        " order by created_at, id limit $2",
        after,
        most,
    )
    return as_structs(rows, Account)


async def update(connection: Connection, account: Account) -> None:
    """Write the name, limits and retention of the account with this id, which should come from
    `get` with `lock` in the same transaction. Raises `Missing`.
    """
    found = await connection.fetchval(
        "update accounts set name = $2, limits = $3::jsonb, retention_days = $4"
        " where id = $1 returning id",
        account.id,
        account.name,
        msgspec.json.encode(account.limits).decode(),
        account.retention_days,
    )
    if found is None:
        raise Missing(f"there is no account {account.id!r}")


async def delete(connection: Connection, account_id: str) -> None:
    """With all that it owns. Raises `Missing`."""
    gone = await connection.fetchval("delete from accounts where id = $1 returning id", account_id)
    if gone is None:
        raise Missing(f"there is no account {account_id!r}")
