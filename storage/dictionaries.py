"""Pronunciation dictionaries of accounts. Each change of their rules makes a new version; earlier
ones stay as they were. What a rule is, is not known here: rules are a list in JSON.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.ids import new_id
from storage.rows import as_struct, as_structs

COLUMNS = (
    "d.id, d.account_id, d.name, d.description, v.id as version_id, v.version,"
    " v.rules_count, d.created_at, d.archived_at"
)

JOINED = "dictionaries d join dictionary_versions v on v.dictionary_id = d.id"

MOST = 1000
"""Of one account."""

MOST_VERSIONS = 1000
"""Of one dictionary."""

MOST_BYTES = 256 << 20
"""Of the rules of one account, in all versions, as the database stores them."""

Order = Literal["created_at", "name"]


class Dictionary(msgspec.Struct, frozen=True):
    """One at one of its versions, without its rules."""

    id: str
    account_id: str
    name: str
    description: str | None
    version_id: str
    version: int
    rules_count: int
    created_at: datetime
    archived_at: datetime | None


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where one stands, or stood, in either order."""

    created_at: Annotated[datetime, Meta(tz=True)]
    name: str
    id: str


async def create(
    connection: Connection, account_id: str, name: str, description: str | None, rules: str
) -> Dictionary:
    """A new one. Raises `Missing` if there is no such account, `TooMany`."""
    await _lock(connection, account_id)
    held = await connection.fetchval(
        "select count(*) from dictionaries where account_id = $1", account_id
    )
    if held >= MOST:
        raise TooMany(f"{account_id} has {held} pronunciation dictionaries: delete some")
    made = await connection.fetchval(
        "insert into dictionaries (id, account_id, name, description, version)"
        " select $1, id, $3, $4, 1 from accounts where id = $2 returning id",
        new_id("dict"),
        account_id,
        name,
        description,
    )
    if made is None:
        raise Missing(f"there is no account {account_id!r}")
    await _keep(connection, account_id, made, 1, rules)
    return await get(connection, account_id, made)


async def get(
    connection: Connection,
    account_id: str,
    dictionary_id: str,
    version_id: str | None = None,
    *,
    lock: bool = False,
) -> Dictionary:
    """At its latest version, or at the one that is named. With `lock` nobody else changes it before
    the transaction ends, or makes versions for this account. Raises `Missing`.
    """
    if lock:  # on its own: who has waited in a join sees the version before, and finds none
        await _lock(connection, account_id)
        await connection.execute(
            "select from dictionaries where account_id = $1 and id = $2 for update",
            account_id,
            dictionary_id,
        )
    row = await connection.fetchrow(
        f"select {COLUMNS} from {JOINED} where d.account_id = $1 and d.id = $2 and"
        " case when $3::text is null then v.version = d.version else v.id = $3 end",
        account_id,
        dictionary_id,
        version_id,
    )
    if row is None:
        at = "" if version_id is None else f" with a version {version_id!r}"
        raise Missing(f"there is no pronunciation dictionary {dictionary_id!r}{at}")
    return as_struct(row, Dictionary)


async def rules_of(connection: Connection, version_id: str) -> str:
    """The rules of a version. Raises `Missing`."""
    rules: str | None = await connection.fetchval(
        "select rules from dictionary_versions where id = $1", version_id
    )
    if rules is None:
        raise Missing(f"there is no version {version_id!r} of a pronunciation dictionary")
    return rules


async def listed(
    connection: Connection,
    account_id: str,
    after: Place | None = None,
    most: int | None = None,
    *,
    order: Order = "created_at",
    descending: bool = False,
    archived: bool = False,
) -> list[Dictionary]:
    """At their latest versions; those `after` this place in this order, and the `archived` ones
    only where they are wanted, too.
    """
    behind, way = ("<", "desc") if descending else (">", "asc")
    kind = "text" if order == "name" else "timestamptz"
    rows = await connection.fetch(
        f"select {COLUMNS} from {JOINED} where v.version = d.version and d.account_id = $1"
        f" and ($2::text is null or (d.{order}, d.id) {behind} ($3::{kind}, $2))"
        " and ($5 or d.archived_at is null)"
        f" order by d.{order} {way}, d.id {way} limit $4",
        account_id,
        after and after.id,
        after and getattr(after, order),
        most,
        archived,
    )
    return as_structs(rows, Dictionary)


async def change(
    connection: Connection, dictionary: Dictionary, name: str, archived: bool
) -> Dictionary:
    """All but its rules. One that is archived stays so since when it was."""
    await connection.execute(
        "update dictionaries set name = $2,"
        " archived_at = case when $3 then coalesce(archived_at, now()) end where id = $1",
        dictionary.id,
        name,
        archived,
    )
    return await get(connection, dictionary.account_id, dictionary.id)


async def set_rules(connection: Connection, dictionary: Dictionary, rules: str) -> Dictionary:
    """A new version of it, unless these are its rules already. It should come from `get` with
    `lock` in the same transaction. Raises `TooMany`.
    """
    same = await connection.fetchval(
        "select rules = $2::jsonb from dictionary_versions where id = $1",
        dictionary.version_id,
        rules,
    )
    if same:
        return dictionary
    if dictionary.version >= MOST_VERSIONS:
        text = f"{dictionary.id} has {dictionary.version} versions: make another dictionary"
        raise TooMany(text)
    version = dictionary.version + 1
    await _keep(connection, dictionary.account_id, dictionary.id, version, rules)
    await connection.execute(
        "update dictionaries set version = $2 where id = $1", dictionary.id, version
    )
    return await get(connection, dictionary.account_id, dictionary.id)


async def delete(connection: Connection, account_id: str, dictionary_id: str) -> None:
    """With all its versions. Raises `Missing`."""
    gone = await connection.fetchval(
        "delete from dictionaries where account_id = $1 and id = $2 returning id",
        account_id,
        dictionary_id,
    )
    if gone is None:
        raise Missing(f"there is no pronunciation dictionary {dictionary_id!r}")


async def _lock(connection: Connection, account_id: str) -> None:
    """The account, before any dictionary, as who deletes it does; records that name it are still
    written.
    """
    await connection.execute("select from accounts where id = $1 for no key update", account_id)


async def _keep(
    connection: Connection, account_id: str, dictionary_id: str, version: int, rules: str
) -> None:
    held = await connection.fetchval(
        "select coalesce(sum(pg_column_size(v.rules)), 0) from dictionaries d"
        " join dictionary_versions v on v.dictionary_id = d.id where d.account_id = $1",
        account_id,
    )
    size = len(rules.encode())
    if held + size > MOST_BYTES:
        raise TooMany(
            f"{account_id} has {held} bytes of rules in all versions of its pronunciation"
            f" dictionaries, and {MOST_BYTES} at most, too few for {size} more: delete some"
            " dictionaries"
        )
    await connection.execute(
        "insert into dictionary_versions (id, dictionary_id, version, rules, rules_count)"
        " values ($1, $2, $3, $4::jsonb, jsonb_array_length($4::jsonb))",
        new_id("dictver"),
        dictionary_id,
        version,
        rules,
    )
