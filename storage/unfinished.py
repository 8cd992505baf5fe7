"""Documents that are not read yet, and who reads them: whoever claimed one last, for a while."""

from datetime import timedelta

from storage.database import Connection
from storage.errors import Missing
from storage.knowledge import COLUMNS, Document
from storage.rows import as_struct


async def claim(connection: Connection, lease: timedelta) -> str | None:
    """The id of a document that nobody else gets during `lease`: of the account whose turn was the
    longest time ago, the one that has waited longest. Who brings a library keeps nobody waiting.
    """
    found: str | None = await connection.fetchval(
        "with served as materialized ("
        " select account_id, max(free_at) as at from documents"
        " join collections c on c.id = collection_id"
        " where state <> 'waiting' and exists (select from documents"
        "  where state in ('waiting', 'reading') and free_at <= now()) group by account_id)"
        " update documents set state = 'reading', error = null, free_at = now() + $1 where id ="
        " (select d.id from documents d join collections c on c.id = d.collection_id"
        " left join served using (account_id)"
        " where d.state in ('waiting', 'reading') and d.free_at <= now()"
        " order by served.at nulls first, d.created_at limit 1 for update of d skip locked)"
        " returning id",
        lease,
    )
    return found


async def renew(connection: Connection, document_id: str, lease: timedelta) -> None:
    """Whoever claimed it still reads."""
    await connection.execute(
        "update documents set free_at = now() + $2 where id = $1", document_id, lease
    )


async def postpone(
    connection: Connection, document_id: str, why: str, pause: timedelta = timedelta()
) -> None:
    """It is no fault of the document: it can be claimed again after `pause`, and goes on."""
    await connection.execute(
        "update documents set state = 'waiting', error = $2, free_at = now() + $3"
        " where id = $1 and state = 'reading'",
        document_id,
        why,
        pause,
    )


async def get(connection: Connection, document_id: str) -> Document:
    """Raises `Missing`."""
    row = await connection.fetchrow(f"select {COLUMNS} from documents where id = $1", document_id)
    if row is None:
        raise Missing(f"there is no document {document_id!r}")
    return as_struct(row, Document)


async def piece(connection: Connection, document_id: str, number: int) -> bytes | None:
    """The bytes of this number; None behind the last."""
    content: bytes | None = await connection.fetchval(
        "select content from document_pieces where document_id = $1 and number = $2",
        document_id,
        number,
    )
    return content


async def finish(connection: Connection, document_id: str, passages: int) -> None:
    """It is read: so many passages can be found. Its bytes go."""
    await _end(connection, document_id)
    await connection.execute(
        "update documents set state = 'ready', error = null, passages = $2, embedded = $2"
        " where id = $1",
        document_id,
        passages,
    )


async def fail(connection: Connection, document_id: str, error: str) -> None:
    """It cannot be read. Its bytes go, and what was read of it."""
    await _end(connection, document_id)
    await connection.execute("delete from passages where document_id = $1", document_id)
    await connection.execute(
        "update documents set state = 'failed', error = $2, embedded = 0 where id = $1",
        document_id,
        error,
    )


async def _end(connection: Connection, document_id: str) -> None:
    await connection.execute("delete from document_pieces where document_id = $1", document_id)
