"""What follows when a session begins and ends: written down in the transaction that records it."""

from server.agents import afterwards
from storage.database import Connection
from storage.sessions import News


async def announce(connection: Connection, news: News) -> None:
    """Satisfies `server.records.journal.Announce`."""
    for session in news.ended:
        await afterwards.order(connection, session)
