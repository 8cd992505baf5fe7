"""Passages of documents, found by what they mean and by the words in them.

Embeddings are plain arrays. The index over them needs pgvector, and is made when it is first
needed: a server without it keeps all other records, and backups can be read anywhere.
"""

from collections.abc import Sequence

import asyncpg
import msgspec

from storage.database import Connection
from storage.errors import ExtensionMissing, Missing
from storage.rows import as_structs

DIMENSIONS = 384
"""Of all-MiniLM-L6-v2 (`actors.minilm`)."""

INDEX = "passages_by_meaning"

LEAST_VERSION = (0, 8)
"""Of pgvector: since then a search goes on until enough is found in the collections asked for."""

LOCK = 0x6B6E6F77  # "know"
"""Of PostgreSQL's advisory locks: two that prepare at once."""

PREPARING_S = 600.0
"""An index over passages that are there already, after a backup was restored, takes a while."""

CONSIDERED = 40
"""So many of each kind are fused."""

EF_SEARCH = 100
"""How many points the index keeps in view (bench/knowledge.py: at 40, pgvector's own default, a
part of the nearest is missed)."""

COMPARED_UP_TO = 2_000
"""Passages of the collections asked for: so many are compared one by one, in some 5 ms. The index
holds everybody's, and finds little of what is a small part of it."""

RANK_OFFSET = 10
"""Of reciprocal ranks (Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion": 60, for runs a
thousand long). Here 10 has the answer among five more often, 0.640 of 300 instead of 0.623."""

RARE = 301
"""A word that so many passages have says nothing; the others count by how few have them (Spärck
Jones 1972), as PostgreSQL's own ranks do not. With this the answer is among five for 0.640 of 300
questions of bench/knowledge.py, with 101 for 0.593, without words for 0.553; with `ts_rank_cd` over
all words for fewer than without, in eight times the time."""

MOST_WORDS = 40
"""Of a question."""

INSTALL = (
    "the database lacks the extension pgvector, which knowledge needs: install it on its machine"
    " (Debian: apt-get install postgresql-17-pgvector, with the number of your PostgreSQL), or use"
    " the embedded server"
)

_POINT = f"embedding::vector({DIMENSIONS})"


class Passage(msgspec.Struct, frozen=True):
    """A piece of a document. `heading` is the way to it ("Prices > Bread"), `position` where it
    begins in the document's plain text, in characters.
    """

    number: int
    heading: str
    position: int
    text: str


class Found(msgspec.Struct, frozen=True):
    """A passage, its document, and how well it fits: `score` orders what was found, `similarity` is
    the cosine of both meanings (below 0.2 they have little to do with each other).
    """

    document_id: str
    document: str
    number: int
    heading: str
    position: int
    text: str
    score: float
    similarity: float


async def prepare(connection: Connection) -> None:
    """See to it that meanings can be searched. Idempotent.

    Raises `ExtensionMissing` with what to do. May take as long as `PREPARING_S`.
    """
    if await connection.fetchval("select to_regclass($1)", INDEX) is not None:
        return
    await connection.execute("select pg_advisory_xact_lock($1)", LOCK, timeout=PREPARING_S)
    if await connection.fetchval(
        "select not exists (select from pg_available_extensions where name = 'vector')"
    ):
        raise ExtensionMissing(INSTALL)
    try:
        await connection.execute("create extension if not exists vector")
    except asyncpg.InsufficientPrivilegeError as error:
        raise ExtensionMissing(
            "our user may not create the extension pgvector, which knowledge needs: have the"
            " database's owner or a superuser run `create extension vector` in it"
        ) from error
    version = await connection.fetchval(
        "select extversion from pg_extension where extname = 'vector'"
    )
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_VERSION:
        raise ExtensionMissing(
            f"the database has pgvector {version}, and knowledge needs 0.8 or later: install that,"
            " and run `alter extension vector update`"
        )
    await connection.execute(
        f"create index if not exists {INDEX} on passages using hnsw (({_POINT}) vector_cosine_ops)",
        timeout=PREPARING_S,
    )


async def add(
    connection: Connection,
    document_id: str,
    passages: Sequence[Passage],
    embeddings: Sequence[Sequence[float]],
    of: int,
) -> None:
    """Add the next passages of a document that has `of` them; those that are there already stay.
    Nothing is added to one that is gone.
    """
    await connection.executemany(
        "insert into passages (document_id, number, collection_id, heading, position, text, words,"
        " embedding) select d.id, $2, c.id, $3, $4, $5,"
        " to_tsvector(c.dictionary::regconfig, $3 || ' ' || $5), $6"
        " from documents d join collections c on c.id = d.collection_id where d.id = $1"
        " on conflict do nothing",
        [
            (document_id, *msgspec.structs.astuple(passage), embedding)
            for passage, embedding in zip(passages, embeddings, strict=True)
        ],
    )
    await connection.execute(
        "update documents set embedded = greatest(embedded, $2), passages = $3 where id = $1",
        document_id,
        passages[-1].number + 1,
        of,
    )


async def count(connection: Connection, document_id: str) -> int:
    """How many passages of a document are kept: the first so many."""
    kept: int = await connection.fetchval(
        "select coalesce(max(number) + 1, 0) from passages where document_id = $1", document_id
    )
    return kept


async def same(connection: Connection, document_id: str) -> tuple[str, int] | None:
    """A document of this account that is the same and read already: its id, and how many passages
    it has. None if there is none.
    """
    other = await connection.fetchrow(
        "select other.id, other.passages from documents d"
        " join collections c on c.id = d.collection_id"
        " join documents other on other.hash = d.hash and other.media_type = d.media_type"
        " and other.state = 'ready'"
        " join collections o on o.id = other.collection_id and o.account_id = c.account_id"
        " where d.id = $1 limit 1",
        document_id,
    )
    return None if other is None else (other["id"], other["passages"])


async def copy(
    connection: Connection, document_id: str, other_id: str, first: int, most: int
) -> None:
    """Take so many passages of the other document, from the number `first` on; those that are there
    already stay.
    """
    await connection.execute(
        "insert into passages (document_id, number, collection_id, heading, position, text, words,"
        " embedding) select d.id, p.number, c.id, p.heading, p.position, p.text,"
        " to_tsvector(c.dictionary::regconfig, p.heading || ' ' || p.text), p.embedding"
        " from passages p, documents d join collections c on c.id = d.collection_id"
        " where d.id = $1 and p.document_id = $2 and p.number >= $3 and p.number < $3 + $4"
        " on conflict do nothing",
        document_id,
        other_id,
        first,
        most,
    )


_DISTANCE = f"{_POINT} <=> $1::real[]::vector({DIMENSIONS})"

_STATEMENT = f"""
    with near as materialized (
        select document_id, number, row_number() over (order by distance) as rank from (
            select document_id, number, ({_DISTANCE}) {{how}} as distance
            from passages where collection_id = any($2::text[])
            order by distance limit {CONSIDERED}
        ) as nearest
    ), spoken as materialized (
        select word, document_id, number
        from unnest($3::text[]) as asked (word) cross join lateral (
            select document_id, number from passages
            where collection_id = any($2::text[]) and passages.words @@ word::tsquery
            limit {RARE}
        ) as speaking
    ), rare as (
        select word, ln(1 + $5::float8 / count(*)) as weight
        from spoken group by word having count(*) < {RARE}
    ), said as (
        select document_id, number, row_number() over (order by fit desc) as rank from (
            select document_id, number, sum(weight) as fit from spoken join rare using (word)
            group by document_id, number order by fit desc, document_id, number limit {CONSIDERED}
        ) as fitting
    ), fused as (
        select document_id, number, sum(1.0 / ({RANK_OFFSET} + rank))::float8 as score
        from (select * from near union all select * from said) as found
        group by document_id, number order by score desc, document_id, number limit $4
    )
    select document_id, documents.name as document, number, heading, position, text, score,
        1 - ({_DISTANCE}) as similarity
    from fused join passages using (document_id, number) join documents on id = document_id
    order by score desc, document_id, number
"""

_BY_INDEX = _STATEMENT.format(how="")
_ONE_BY_ONE = _STATEMENT.format(how="+ 0")
"""No index orders by that."""

_FOR_SEARCH = (
    f"set local hnsw.ef_search = {EF_SEARCH}; set local hnsw.iterative_scan = strict_order"
)


async def search(
    connection: Connection,
    question: str,
    embedding: Sequence[float],
    collection_ids: Sequence[str],
    *,
    account_id: str | None,
    most: int,
) -> list[Found]:
    """The passages that fit best, in these collections of an account (None: of whose ever): those
    near in meaning and those with its words, fused. Best first.

    Some of the collections may be gone: what is left is searched. Raises `Missing` if all are. Must
    have been `prepare`d.
    """
    rows = await connection.fetch(
        "select id, tsvector_to_array(to_tsvector(dictionary::regconfig, $3)) as words,"
        " (select sum(embedded) from documents where collection_id = collections.id) as passages"
        " from collections where id = any($1::text[]) and ($2::text is null or account_id = $2)",
        collection_ids,
        account_id,
        question,
    )
    if collection_ids and not rows:
        raise Missing(f"there is no collection {collection_ids[0]!r}")
    there = [row["id"] for row in rows]
    words = sorted({quoted(word) for row in rows for word in row["words"]})
    count = sum(row["passages"] or 0 for row in rows)
    statement = _ONE_BY_ONE
    if count > COMPARED_UP_TO:
        statement = _BY_INDEX
        await connection.execute(_FOR_SEARCH)
    found = await connection.fetch(statement, embedding, there, words[:MOST_WORDS], most, count)
    return as_structs(found, Found)


def quoted(word: str) -> str:
    """The word as a query of PostgreSQL's."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
