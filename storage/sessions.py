"""Sessions, open and ended: whose they were, when, and how they went."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from storage import jobs
from storage.columns import columns, unnested
from storage.database import Connection
from storage.errors import Missing
from storage.rows import as_struct, as_structs

LOST = "lost"
"""The end of a session whose gateway died."""


class Session(msgspec.Struct, frozen=True):
    """One session. `agent_id` is empty where no agent answered; `writer` is the gateway that keeps
    it. An open one has no `ended_at` and no `end_reason`, which is one of
    `engine.session.EndReason`'s, or `LOST`. `errors` are counted by their codes.

    `interruptions` are the caller's of the agent; `cut_turns` those answers of which it had heard
    less than a second: it had not finished; `false_pauses` the agent's for what was no
    interruption.
    """

    id: str
    account_id: str
    key_id: str
    transport: str
    writer: str
    began_at: datetime
    agent_id: str = ""
    agent_version: int | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    recorded: bool = False
    responses: int = 0
    interruptions: int = 0
    cut_turns: int = 0
    false_pauses: int = 0
    errors: dict[str, int] = {}


FIELDS = Session.__struct_fields__
COLUMNS = ", ".join(FIELDS)

WRITE = f"""
    insert into sessions ({COLUMNS}, closed_at)
    select {", ".join(f"s.{name}" for name in FIELDS)},
    case when s.ended_at is not null then now() end
    from {unnested("s", Session)} join accounts on accounts.id = s.account_id
    on conflict (id) do update set
    {", ".join(f"{name} = excluded.{name}" for name in (*FIELDS, "closed_at"))}
    where sessions.ended_at is null
    returning {COLUMNS}, xmax = 0 as began
"""
"""Those of accounts that have been deleted meanwhile are gone with them. An end is for good. When
it came is told by the gateway's clock, and by the database's, which `closed_at` keeps."""

LOSE = f"""
    update sessions set end_reason = '{LOST}', closed_at = now(), ended_at = began_at +
    interval '1 millisecond' * (select coalesce(max(at_ms), 0) from turns where session_id = id)
    where writer = $1 and ended_at is null returning {COLUMNS}
"""

EXPIRED = """
    delete from sessions where id in (
        select s.id from accounts a join sessions s on s.account_id = a.id
        where s.closed_at < now() - interval '1 day' * a.retention_days limit $1
    ) returning account_id, id
"""
"""By no clock but the database's."""


class Sought(msgspec.Struct, frozen=True):
    """Which sessions are wanted; None is any. Those that began from `since` on and before `until`;
    `words` in any of their turns, as people type them into a search.
    """

    account_id: str | None = None
    agent_id: str | None = None
    key_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None
    end_reason: str | None = None


SOUGHT = """
    ($1::text is null or account_id = $1)
    and ($2::text is null or agent_id = $2)
    and ($3::text is null or key_id = $3)
    and ($4::timestamptz is null or began_at >= $4)
    and ($5::timestamptz is null or began_at < $5)
    and ($6::text is null or exists (select from turns where session_id = sessions.id and
        to_tsvector('simple', coalesce(text, '')) @@ websearch_to_tsquery('simple', $6)))
    and ($7::text is null or end_reason = $7)
"""
"""The fields of a `Sought`, in order."""


class News(msgspec.Struct, frozen=True):
    """Sessions that were not known before, and those that have ended now."""

    began: Sequence[Session] = ()
    ended: Sequence[Session] = ()


async def write(connection: Connection, sessions: Sequence[Session]) -> News:
    """Write these as they are now, each once."""
    if not sessions:
        return News()
    rows = await connection.fetch(WRITE, *columns(sessions))
    began = [row for row in rows if row["began"]]
    ended = [row for row in rows if row["ended_at"] is not None]
    return News(as_structs(began, Session), as_structs(ended, Session))


async def lose(connection: Connection, writer: str) -> list[Session]:
    """End what this writer left open, where the last that is known of it was said."""
    return as_structs(await connection.fetch(LOSE, writer), Session)


async def get(connection: Connection, session_id: str, account_id: str | None = None) -> Session:
    """By its id, if it is `account_id`'s (None: whose ever). Raises `Missing`."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from sessions where id = $1 and ($2::text is null or account_id = $2)",
        session_id,
        account_id,
    )
    if row is None:
        raise Missing(f"there is no session {session_id!r}")
    return as_struct(row, Session)


async def listed(
    connection: Connection, sought: Sought, after: str | None = None, most: int | None = None
) -> list[Session]:
    """Newest first; those `after` the session with this id, `most` of them."""
    rows = await connection.fetch(
        f"select {COLUMNS} from sessions where {SOUGHT} and ($8::text is null or"
        " (began_at, id) < (select began_at, id from sessions where id = $8"
        " and ($1::text is null or account_id = $1)))"
        " order by began_at desc, id desc limit $9",
        *msgspec.structs.astuple(sought),
        after,
        most,
    )
    return as_structs(rows, Session)


async def delete(connection: Connection, session_id: str, account_id: str | None = None) -> Session:
    """With its turns and the jobs about it, if it has ended; what it was. Raises `Missing`."""
    session = await get(connection, session_id, account_id)
    if session.ended_at is not None:
        await connection.execute("delete from sessions where id = $1", session_id)
        await jobs.forget_session(connection, session.account_id, session_id)
    return session


async def expire(connection: Connection, most: int) -> list[tuple[str, str]]:
    """Delete up to `most` of those that ended longer ago than their accounts keep records. The
    account and the id of each.
    """
    return [tuple(row) for row in await connection.fetch(EXPIRED, most)]


async def known(connection: Connection, session_ids: Sequence[str]) -> set[str]:
    """Those of these that there are."""
    rows = await connection.fetch("select id from sessions where id = any($1::text[])", session_ids)
    return {row["id"] for row in rows}
