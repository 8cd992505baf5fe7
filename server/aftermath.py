"""What follows when a session begins and ends: written down in the transaction that records it, so
that it happens once, and is not lost while the database is away.
"""

from typing import Any

from server.agents import afterwards
from server.webhooks import publish
from storage.database import Connection
from storage.sessions import News, Session


async def announce(connection: Connection, news: News) -> None:
    """Satisfies `server.records.journal.Announce`."""
    for one in news.began:
        await publish(connection, one.account_id, "session.started", begun(one), one.began_at)
    for one in news.ended:
        await publish(connection, one.account_id, "session.ended", ended(one), one.ended_at)
        await afterwards.order(connection, one)


def begun(session: Session) -> dict[str, Any]:
    """What webhooks are told of one that begins."""
    return {
        "session_id": session.id,
        "agent_id": session.agent_id or None,
        "agent_version": session.agent_version,
        "key_id": session.key_id,
        "transport": session.transport,
        "began_at": session.began_at,
    }


def ended(session: Session) -> dict[str, Any]:
    """And of its end: `/v1/sessions/{id}` has what was said."""
    return begun(session) | {
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
        "responses": session.responses,
        "interruptions": session.interruptions,
        "cut_turns": session.cut_turns,
        "errors": session.errors,
    }
