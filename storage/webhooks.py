"""Webhooks: the addresses at which accounts want to be told of what happens. The secrets that sign
what is sent there come here sealed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.ids import new_id
from storage.rows import as_struct, as_structs

COLUMNS = "id, account_id, url, events, enabled, trouble, created_at"

MOST = 50
"""Of one account: each event is written down once for each."""


class Webhook(msgspec.Struct, frozen=True):
    """It is told of `events` while it is `enabled`; `trouble` says why it was disabled, if that was
    not its owner's wish.
    """

    id: str
    account_id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    trouble: str | None
    created_at: datetime


def new() -> str:
    """An id for another: what is sealed for it is bound to that."""
    return new_id("wh")


async def create(
    connection: Connection,
    webhook_id: str,
    account_id: str,
    url: str,
    events: Sequence[str],
    enabled: bool,
    sealed: bytes,
) -> Webhook:
    """A new one. Raises `Missing` if there is no such account, `TooMany` if it has `MOST`."""
    held = await connection.fetchval(
        "select count(*) from webhooks where account_id = $1", account_id
    )
    if held >= MOST:
        raise TooMany(f"account {account_id} has {held} webhooks: delete some")
    row = await connection.fetchrow(
        "insert into webhooks (id, account_id, url, events, enabled, sealed)"
        f" select $1, id, $3, $4, $5, $6 from accounts where id = $2 returning {COLUMNS}",
        webhook_id,
        account_id,
        url,
        events,
        enabled,
        sealed,
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Webhook)


async def get(
    connection: Connection, webhook_id: str, account_id: str, *, lock: bool = False
) -> Webhook:
    """Raises `Missing`. With `lock` nobody else changes it before the transaction ends."""
    ending = " for update" if lock else ""
    row = await connection.fetchrow(
        f"select {COLUMNS} from webhooks where id = $1 and account_id = $2{ending}",
        webhook_id,
        account_id,
    )
    if row is None:
        raise Missing(f"there is no webhook {webhook_id!r}")
    return as_struct(row, Webhook)


async def listed(connection: Connection, account_id: str) -> list[Webhook]:
    """Oldest first."""
    rows = await connection.fetch(
        f"select {COLUMNS} from webhooks where account_id = $1 order by created_at, id", account_id
    )
    return as_structs(rows, Webhook)


async def told(connection: Connection, account_id: str, event: str) -> list[str]:
    """The ids of those that want to be told of this."""
    rows = await connection.fetch(
        "select id from webhooks where account_id = $1 and enabled and $2 = any(events)",
        account_id,
        event,
    )
    return [row["id"] for row in rows]


async def secrets(connection: Connection, webhook: Webhook) -> list[bytes]:
    """What signs for it, sealed: the newest, and the one before as long as that is good."""
    row = await connection.fetchrow(
        "select sealed, case when old_until > now() then old_sealed end as old from webhooks"
        " where id = $1",
        webhook.id,
    )
    if row is None:
        raise Missing(f"there is no webhook {webhook.id!r}")
    return [row["sealed"]] if row["old"] is None else [row["sealed"], row["old"]]


async def update(connection: Connection, webhook: Webhook) -> None:
    """Write its URL, events, state and trouble; it should come from `get` with `lock`."""
    await connection.execute(
        "update webhooks set url = $2, events = $3, enabled = $4, trouble = $5 where id = $1",
        webhook.id,
        webhook.url,
        webhook.events,
        webhook.enabled,
        webhook.trouble,
    )


async def rotate(
    connection: Connection, webhook_id: str, account_id: str, sealed: bytes, grace: timedelta
) -> Webhook:
    """Another secret signs for it, and for the time of `grace` the old one. Raises `Missing`."""
    row = await connection.fetchrow(
        "update webhooks set old_sealed = sealed, old_until = now() + $4, sealed = $3"
        f" where id = $1 and account_id = $2 returning {COLUMNS}",
        webhook_id,
        account_id,
        sealed,
        grace,
    )
    if row is None:
        raise Missing(f"there is no webhook {webhook_id!r}")
    return as_struct(row, Webhook)


async def disable(connection: Connection, webhook_id: str, trouble: str) -> None:
    """It is told of nothing any more, and its owner why."""
    await connection.execute(
        "update webhooks set enabled = false, trouble = $2 where id = $1", webhook_id, trouble
    )


async def delete(connection: Connection, webhook_id: str, account_id: str) -> None:
    """Raises `Missing`."""
    gone = await connection.fetchval(
        "delete from webhooks where id = $1 and account_id = $2 returning id",
        webhook_id,
        account_id,
    )
    if gone is None:
        raise Missing(f"there is no webhook {webhook_id!r}")
