"""What was used: when, whose it was, and how much. Hours are UTC's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from storage.columns import unnested
from storage.database import Connection
from storage.writers import is_new

Group = Literal["day", "hour", "key", "agent", "model", "session"]

COLUMNS: Mapping[Group, str] = {
    "day": "date_trunc('day', hour, 'UTC')",
    "hour": "hour",
    "key": "key_id",
    "agent": "agent_id",
    "model": "model",
    "session": "session_id",
}

MOST_ROWS = 10_000


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose it was, and what of. What is empty is nobody's: the `model` of a session's own audio,
    the `session_id` of what was summed up. `dropped`: it was prepared, and never heard or read.
    """

    account_id: str
    hour: datetime
    session_id: str = ""
    key_id: str = ""
    agent_id: str = ""
    model: str = ""
    dropped: bool = False


class Amounts(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much. `input_tokens` count the `cached_tokens` too."""

    characters: int = 0
    audio_in_ms: float = 0.0
    audio_out_ms: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    compute_ms: float = 0.0

    def __add__(self, more: "Amounts") -> "Amounts":
        return Amounts(
            *(getattr(self, name) + getattr(more, name) for name in self.__struct_fields__)
        )


NOTHING = Amounts()

_SUBJECT, _AMOUNTS = Subject.__struct_fields__, Amounts.__struct_fields__
_SUMS = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in _AMOUNTS)

ADD = f"""
    insert into usage ({", ".join(_SUBJECT + _AMOUNTS)})
    select {", ".join(f"u.{name}" for name in _SUBJECT + _AMOUNTS)}
    from {unnested("u", Subject, Amounts)}
    join accounts on accounts.id = u.account_id
    on conflict ({", ".join(_SUBJECT)}) do update set
    {", ".join(f"{name} = usage.{name} + excluded.{name}" for name in _AMOUNTS)}
"""
"""What an account used that has been deleted meanwhile is gone with it."""


async def add(
    connection: Connection, writer: str, batch: int, used: Mapping[Subject, Amounts]
) -> bool:
    """Add what `writer` says in its batch of this number, each higher than the one before.

    False, and nothing is added, if it was written down before: it may be said again for as long as
    nobody knows.
    """
    if not await is_new(connection, writer, batch):
        return False
    rows = [(*msgspec.structs.astuple(s), *msgspec.structs.astuple(a)) for s, a in used.items()]
    if rows:
        await connection.execute(ADD, *map(list, zip(*rows, strict=True)))
    return True


class Sum(msgspec.Struct, frozen=True):
    """A group's: the value of each thing it was grouped by. `sessions` had a part in it."""

    group: dict[Group, str | datetime]
    dropped: bool
    sessions: int
    amounts: Amounts


async def sums(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    account_id: str | None,
    key_id: str | None = None,
    session_id: str | None = None,
    by: Sequence[Group] = (),
    most: int = MOST_ROWS,
) -> list[Sum]:
    """What was used from `since` on and before `until`, by an account (None: by all): the first
    `most` groups, in order, what was dropped apart.
    """
    grouped = [f"{COLUMNS[group]} as g_{group}" for group in by]
    keys = ", ".join([*(f"g_{group}" for group in by), "dropped"])
    rows = await connection.fetch(
        f"select {', '.join([*grouped, 'dropped'])}, {_SUMS},"
        " count(distinct nullif(session_id, '')) as sessions"
        " from usage where hour >= $1 and hour < $2"
        " and ($3::text is null or account_id = $3)"
        " and ($4::text is null or key_id = $4)"
        " and ($5::text is null or session_id = $5)"
        f" group by {keys} order by {keys} limit $6",
        since,
        until,
        account_id,
        key_id,
        session_id,
        most,
    )
    return [
        Sum({g: row[f"g_{g}"] for g in by}, row["dropped"], row["sessions"], _amounts(row))
        for row in rows
    ]


def _amounts(row: asyncpg.Record) -> Amounts:
    fields = msgspec.structs.fields(Amounts)
    return Amounts(*(field.type(row[field.name]) for field in fields))
