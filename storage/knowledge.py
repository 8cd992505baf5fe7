"""What agents may look up: an account's collections of documents.

A document's bytes are kept in pieces until they are read; what stays are its passages
(`storage.passages`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.ids import new_id
from storage.rows import as_struct, as_structs

State = Literal["waiting", "reading", "ready", "failed"]

MOST_COLLECTIONS = 1_000
"""Of an account."""

MOST_DOCUMENTS = 10_000
"""Of a collection."""

DICTIONARIES = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""How PostgreSQL finds the stems of words."""

NO_STEMS = "simple"
"""Of other languages it compares words as they are."""

OF_COLLECTION = "id, account_id, name, language, created_at"
COLUMNS = (
    "id, collection_id, name, media_type, size_bytes, state, error, passages, embedded, created_at"
)


class Collection(msgspec.Struct, frozen=True):
    """`language` is the BCP-47 tag of what its documents are written in."""

    id: str
    account_id: str
    name: str
    language: str
    created_at: datetime


class Document(msgspec.Struct, frozen=True):
    """`passages` are those that it was cut into, `embedded` those that can be found by now. `error`
    says why it failed, or what it waits for.
    """

    id: str
    collection_id: str
    name: str
    media_type: str
    size_bytes: int
    state: State
    error: str | None
    passages: int
    embedded: int
    created_at: datetime


async def create(
    connection: Connection, account_id: str, name: str, language: str = "en"
) -> Collection:
    """A new collection. Raises `Missing` if there is no such account, `TooMany`."""
    held = await connection.fetchval(
        "select count(*) from collections where account_id = $1", account_id
    )
    if held >= MOST_COLLECTIONS:
        raise TooMany(f"account {account_id} has {held} collections: delete some")
    row = await connection.fetchrow(
        "insert into collections (id, account_id, name, language, dictionary)"
        f" select $1, id, $3, $4, $5 from accounts where id = $2 returning {OF_COLLECTION}",
        new_id("col"),
        account_id,
        name,
        language,
        DICTIONARIES.get(language.partition("-")[0].lower(), NO_STEMS),
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Collection)


async def get(
    connection: Connection, collection_id: str, account_id: str | None = None
) -> Collection:
    """By its id, if it is `account_id`'s (None: whose ever). Raises `Missing`."""
    row = await connection.fetchrow(
        f"select {OF_COLLECTION} from collections where id = $1"
        " and ($2::text is null or account_id = $2)",
        collection_id,
        account_id,
    )
    if row is None:
        raise Missing(f"there is no collection {collection_id!r}")
    return as_struct(row, Collection)


async def listed(
    connection: Connection,
    account_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[Collection]:
    """Those of an account, or all; oldest first, those `after` the one with this id, `most`."""
    rows = await connection.fetch(
        f"select {OF_COLLECTION} from collections where ($1::text is null or account_id = $1)"
        " and ($2::text is null or"
        " (created_at, id) > (select created_at, id from collections where id = $2))"
        " order by created_at, id limit $3",
        account_id,
        after,
        most,
    )
    return as_structs(rows, Collection)


async def delete(connection: Connection, collection_id: str, account_id: str | None = None) -> None:
    """With its documents. Raises `Missing`."""
    gone = await connection.fetchval(
        "delete from collections where id = $1 and ($2::text is null or account_id = $2)"
        " returning id",
        collection_id,
        account_id,
    )
    if gone is None:
        raise Missing(f"there is no collection {collection_id!r}")


class Upload(msgspec.Struct, frozen=True):
    """A document as it came: `pieces` together are its bytes, `hash` their SHA-256."""

    name: str
    media_type: str
    hash: bytes
    pieces: Sequence[bytes]


async def add(
    connection: Connection, collection_id: str, upload: Upload, account_id: str | None = None
) -> tuple[Document, bool]:
    """The document, waiting to be read, and whether it is new: what is in the collection already
    stays as it is, but for what failed, which is tried again. Raises `Missing`, `TooMany`.
    """
    collection = await get(connection, collection_id, account_id)
    held = await connection.fetchval(
        "select count(*) from documents where collection_id = $1", collection.id
    )
    if held >= MOST_DOCUMENTS:
        raise TooMany(f"collection {collection.id} has {held} documents: use another one")
    row = await connection.fetchrow(
        "insert into documents (id, collection_id, name, media_type, size_bytes, hash)"
        " values ($1, $2, $3, $4, $5, $6) on conflict (collection_id, hash, media_type) do update"
        " set state = 'waiting', error = null, name = excluded.name, passages = 0, free_at = now()"
        f" where documents.state = 'failed' returning {COLUMNS}",
        new_id("doc"),
        collection.id,
        upload.name,
        upload.media_type,
        sum(map(len, upload.pieces)),
        upload.hash,
    )
    if row is None:
        same = await connection.fetchrow(
            f"select {COLUMNS} from documents where collection_id = $1 and hash = $2"
            " and media_type = $3",
            collection.id,
            upload.hash,
            upload.media_type,
        )
        if same is None:
            raise Missing(f"there is no collection {collection.id!r}")
        return as_struct(same, Document), False
    document = as_struct(row, Document)
    for number, piece in enumerate(upload.pieces):
        await connection.execute(
            "insert into document_pieces (document_id, number, content) values ($1, $2, $3)",
            document.id,
            number,
            piece,
        )
    return document, True


async def document(
    connection: Connection, document_id: str, collection_id: str, account_id: str | None = None
) -> Document:
    """One of a collection. Raises `Missing`."""
    await get(connection, collection_id, account_id)
    row = await connection.fetchrow(
        f"select {COLUMNS} from documents where id = $1 and collection_id = $2",
        document_id,
        collection_id,
    )
    if row is None:
        raise Missing(f"there is no document {document_id!r} in collection {collection_id!r}")
    return as_struct(row, Document)


async def documents(
    connection: Connection,
    collection_id: str,
    account_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[Document]:
    """Those of a collection; oldest first, those `after` the one with this id, `most`. Raises
    `Missing`.
    """
    await get(connection, collection_id, account_id)
    rows = await connection.fetch(
        f"select {COLUMNS} from documents where collection_id = $1 and ($2::text is null or"
        " (created_at, id) > (select created_at, id from documents where id = $2))"
        " order by created_at, id limit $3",
        collection_id,
        after,
        most,
    )
    return as_structs(rows, Document)


async def delete_document(
    connection: Connection, document_id: str, collection_id: str, account_id: str | None = None
) -> None:
    """With its passages. Raises `Missing`."""
    await document(connection, document_id, collection_id, account_id)
    await connection.execute("delete from documents where id = $1", document_id)
