"""What was made of a session after its end: a summary, and what was to be extracted."""

from datetime import datetime
from typing import Any

import msgspec

from storage.database import Connection
from storage.rows import as_struct


class Digest(msgspec.Struct, frozen=True):
    """`extracted` is as the agent's schema wants it; None if it wants nothing."""

    summary: str
    extracted: dict[str, Any] | None
    made_at: datetime


async def put(
    connection: Connection, session_id: str, summary: str, extracted: dict[str, Any] | None
) -> bool:
    """In place of what was made before. False, and nothing is kept, if the session was deleted."""
    kept = await connection.fetchval(
        "insert into digests (session_id, summary, extracted)"
        " select id, $2, $3::jsonb from sessions where id = $1"
        " on conflict (session_id) do update set summary = excluded.summary,"
        " extracted = excluded.extracted, made_at = now() returning session_id",
        session_id,
        summary,
        None if extracted is None else msgspec.json.encode(extracted).decode(),
    )
    return kept is not None


async def of(connection: Connection, session_id: str) -> Digest | None:
    """That of a session, if there is one."""
    row = await connection.fetchrow(
        "select summary, extracted, made_at from digests where session_id = $1", session_id
    )
    return None if row is None else as_struct(row, Digest)
