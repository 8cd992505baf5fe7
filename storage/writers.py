"""Who writes batches of records, each with a name of its own, and how far each has come."""

from storage.database import Connection

CLOSED = 2**62
"""A batch that no other follows."""


async def is_new(connection: Connection, writer: str, batch: int) -> bool:
    """Note in the batch's own transaction that it is written; the numbers of a writer rise.

    False if it, or a later one, was written before: a batch may be said again for as long as
    nobody knows.
    """
    new = await connection.fetchval(
        "insert into writers (id, batch) values ($1, $2) on conflict (id) do update"
        " set batch = excluded.batch, at = now() where writers.batch < excluded.batch"
        " returning id",
        writer,
        batch,
    )
    return new is not None
