"""Passages of documents, found by what they mean and by the words in them.

Embeddings are plain arrays. The index over them needs pgvector, and is made when it is first
needed, as is the function that searches: a server without it keeps all other records, and backups
can be read anywhere.
"""

import hashlib
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
    if await connection.fetchval("select to_regproc($1)", _SEARCH) is not None:
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
    await connection.execute(f"create or replace function {_SEARCH} {_BODY}")


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


_DISTANCE = f"{_POINT} <=> point"

_QUERY = f"""
    with near as materialized (
        select document_id, number, row_number() over (order by distance) as rank from (
            select document_id, number, ({_DISTANCE}) {{how}} as distance
            from passages where collection_id = any(there)
            order by distance limit {CONSIDERED}
        ) as nearest
    ), spoken as materialized (
        select word, document_id, number
        from unnest(words) as asked (word) cross join lateral (
            select document_id, number from passages
            where collection_id = any(there) and passages.words @@ word::tsquery
            limit {RARE}
        ) as speaking
    ), rare as (
        select word, ln(1 + total / count(*)) as weight
        from spoken group by word having count(*) < {RARE}
    ), said as (
        select document_id, number, row_number() over (order by fit desc) as rank from (
            select document_id, number, sum(weight) as fit from spoken join rare using (word)
            group by document_id, number order by fit desc, document_id, number limit {CONSIDERED}
        ) as fitting
    ), fused as (
        select document_id, number, sum(1.0 / ({RANK_OFFSET} + rank))::float8 as score
        from (select * from near union all select * from said) as found
        group by document_id, number order by score desc, document_id, number limit most
    )
    select document_id, documents.name, number, heading, position, text, score,
        1 - ({_DISTANCE})
    from fused join passages using (document_id, number) join documents on id = document_id
    order by score desc, document_id, number
"""

_TERM = r"""'''' || replace(replace(word, '\', '\\'), '''', '''''') || ''''"""
"""The word as a query of PostgreSQL's."""

_BODY = f"""(
    question text, meaning real[], collection_ids text[], owner text, most integer
) returns table (
    document_id text, document text, number integer, heading text, "position" integer, text text,
    score float8, similarity float8
) language plpgsql stable
set hnsw.ef_search = {EF_SEARCH}
set hnsw.iterative_scan = strict_order
as $$
#variable_conflict use_column
declare
    point vector({DIMENSIONS}) := meaning;
    there text[];
    total float8;
    words text[];
begin
    select array_agg(id), sum((select sum(embedded) from documents where collection_id = c.id))
        into there, total
        from collections c
        where id = any(collection_ids) and (owner is null or account_id = owner);
    if there is null and cardinality(collection_ids) > 0 then
        raise no_data_found;
    end if;
    select array_agg({_TERM}) into words from (
        select distinct word from collections c,
            unnest(tsvector_to_array(to_tsvector(c.dictionary::regconfig, question))) as word
        where id = any(there) order by word limit {MOST_WORDS}
    ) as asked;
    if total > {COMPARED_UP_TO} then
        return query {_QUERY.format(how="")};
    else
        return query {_QUERY.format(how="+ 0")};  -- no index orders by that
    end if;
end
$$"""

_SEARCH = "find_passages_" + hashlib.sha256(_BODY.encode()).hexdigest()[:8]
"""A function, whose plans the server keeps, where a statement of ours is planned each time. It is
named by what it does: machines of two versions may share a database."""


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
    try:
        found = await connection.fetch(
            f"select * from {_SEARCH}($1, $2, $3, $4, $5)",
            question,
            embedding,
            collection_ids,
            account_id,
            most,
        )
    except asyncpg.NoDataFoundError:
        raise Missing(f"there is no collection {collection_ids[0]!r}") from None
    return as_structs(found, Found)
