"""Passages, found by meaning and by words. Meanings are made up here: points on axes."""

import asyncio
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import numpy as np
import pytest

from storage import accounts, knowledge, passages, unfinished
from storage.backup import backup, restore
from storage.database import Database, connect
from storage.errors import ExtensionMissing, Missing, Unfit
from storage.knowledge import Upload
from storage.migrating import migrate
from storage.passages import DIMENSIONS, INDEX, Passage
from tests.folder import folder
from tests.storage.conftest import new_database
from tests.storage.postgres import Debian, Embedded, Pooler, free_port, listens, until

SAID = (
    "We are open until six o'clock.",
    "Rye bread costs four euros.",
    "Parcels are sent within two days.",
)


def point(axis: int, beside: int | None = None) -> list[float]:
    """On an axis, or between two of them."""
    made = [0.0] * DIMENSIONS
    made[axis] = 1.0 if beside is None else 0.8
    if beside is not None:
        made[beside] = 0.6
    return made


def passage(number: int) -> Passage:
    return Passage(number, "Shop", number * 100, SAID[number])


async def collection(connection: asyncpg.Connection, name: str, hash_of: str = "") -> str:
    """One with a document of three passages, each on an axis of its own."""
    account = (await accounts.first(connection)).id
    made = (await knowledge.create(connection, account, name)).id
    upload = Upload(f"{name}.txt", "text/plain", (hash_of or name).encode(), [b"x"])
    document, _ = await knowledge.add(connection, made, upload)
    some = [passage(number) for number in range(3)]
    await passages.add(connection, document.id, some, [point(axis) for axis in range(3)], 3)
    await unfinished.finish(connection, document.id, 3)
    return made


@pytest.fixture
async def prepared(connection: asyncpg.Connection) -> asyncpg.Connection:
    async with connection.transaction():
        await passages.prepare(connection)
    return connection


async def texts(
    connection: asyncpg.Connection, question: str, meaning: list[float], *collections: str
) -> list[str]:
    async with connection.transaction():
        found = await passages.search(
            connection, question, meaning, collections, account_id=None, most=5
        )
    return [one.text for one in found]


async def test_what_means_the_same_comes_first(prepared: asyncpg.Connection) -> None:
    shop = await collection(prepared, "Shop")
    async with prepared.transaction():
        first, second, third = await passages.search(
            prepared, "", point(1, beside=2), [shop], account_id=accounts.FIRST, most=5
        )
    assert (first.text, second.text, third.text) == (SAID[1], SAID[2], SAID[0])
    assert (first.document, first.heading, first.number, first.position) == (
        "Shop.txt",
        "Shop",
        1,
        100,
    )
    assert first.similarity == pytest.approx(0.8)
    assert (second.similarity, third.similarity) == pytest.approx((0.6, 0.0), abs=1e-6)
    assert first.score > second.score > third.score


async def test_words_find_what_meanings_miss_and_both_together_win(
    prepared: asyncpg.Connection,
) -> None:
    shop = await collection(prepared, "Shop")
    assert (await texts(prepared, "What does a parcel cost?", point(5), shop))[0] in SAID[1:]
    found = await texts(prepared, "sending parcels", point(2, beside=0), shop)
    assert found[0] == SAID[2]
    assert await texts(prepared, "the of and", point(0), shop)  # stop words alone find nothing more
    odd = "it's | & !('\\' <-> :* \u2028 parcels"
    assert SAID[2] in await texts(prepared, odd, point(0), shop)


async def test_only_the_collections_that_are_named_are_searched(
    prepared: asyncpg.Connection,
) -> None:
    one, other = [await collection(prepared, name) for name in ("One", "Other")]
    async with prepared.transaction():
        found = await passages.search(prepared, "bread", point(1), [other], account_id=None, most=9)
    assert {each.document for each in found} == {"Other.txt"}
    assert len(await texts(prepared, "bread", point(1), one, other)) == 5
    assert await texts(prepared, "bread", point(1)) == []
    stranger = (await accounts.create(prepared, "Stranger")).id
    for asked, account in (([one], stranger), (["col_none"], None)):
        with pytest.raises(Missing, match="there is no collection"):
            async with prepared.transaction():
                await passages.search(prepared, "x", point(1), asked, account_id=account, most=1)


async def test_what_is_left_is_searched_where_a_collection_was_deleted(
    prepared: asyncpg.Connection,
) -> None:
    gone, kept, strangers = [await collection(prepared, name) for name in ("1", "Kept", "3")]
    account = (await accounts.first(prepared)).id
    stranger = (await accounts.create(prepared, "Stranger")).id
    await prepared.execute(
        "update collections set account_id = $1 where id = $2", stranger, strangers
    )
    await knowledge.delete(prepared, gone, account)
    asked = [gone, kept, strangers]
    async with prepared.transaction():
        found = await passages.search(
            prepared, "bread", point(1), asked, account_id=account, most=9
        )
    assert {each.document for each in found} == {"Kept.txt"}


async def crowded(connection: asyncpg.Connection) -> tuple[str, str]:
    """A small collection, and one of 2,000 passages all over the place."""
    small = await collection(connection, "Small")
    large = await collection(connection, "Large")
    (document,) = await knowledge.documents(connection, large)
    draw = np.random.default_rng(0)
    crowd = [Passage(number, "", 0, f"crowd {number}") for number in range(3, 2003)]
    points = draw.normal(size=(2000, DIMENSIONS)).tolist()
    await passages.add(connection, document.id, crowd, points, 2003)
    await unfinished.finish(connection, document.id, 2003)
    return small, large


async def test_a_small_collection_is_found_beside_a_large_one(
    prepared: asyncpg.Connection,
) -> None:
    small, large = await crowded(prepared)
    assert set(await texts(prepared, "", point(0), small)) == set(SAID)
    assert SAID[0] in (await texts(prepared, "", point(0), small, large))[:2]
    await prepared.execute("analyze passages")  # as autovacuum does
    plan = await prepared.fetch("explain " + by_index("'{" + large + "}'"))
    assert any(INDEX in row[0] for row in plan)
    many = "update documents set embedded = $1 where collection_id = $2"  # as if: by the index, too
    await prepared.execute(many, passages.COMPARED_UP_TO + 1, small)
    assert (await texts(prepared, "", point(0), small))[0] == SAID[0]


def by_index(collections: str) -> str:
    """The query of a search in many passages, with values in place of variables."""
    statement = passages._QUERY.format(how="")
    for name, value in (
        ("point", f"'{point(0)}'::vector"),
        ("any(there)", f"any({collections}::text[])"),
        ("unnest(words)", "unnest('{bread}'::text[])"),
        ("total", "2003"),
        ("limit most", "limit 5"),
    ):
        assert name in statement
        statement = statement.replace(name, value)
    return statement


async def test_passages_that_are_there_already_stay_as_they_are(
    prepared: asyncpg.Connection,
) -> None:
    shop = await collection(prepared, "Shop")
    (document,) = await knowledge.documents(prepared, shop)
    await passages.add(prepared, document.id, [Passage(0, "", 0, "again")], [point(0)], 3)
    assert SAID[0] in await texts(prepared, "", point(0), shop)
    await passages.add(prepared, "doc_none", [Passage(0, "", 0, "of nothing")], [point(0)], 1)
    assert await passages.count(prepared, document.id) == 3
    assert await prepared.fetchval("select count(*) from passages") == 3


async def test_the_same_document_in_another_collection_takes_its_passages(
    prepared: asyncpg.Connection,
) -> None:
    await collection(prepared, "Shop", hash_of="same")
    account = (await accounts.first(prepared)).id
    other = (await knowledge.create(prepared, account, "Other", "de")).id
    upload = Upload("copy.txt", "text/plain", b"same", [b"x"])
    document, _ = await knowledge.add(prepared, other, upload)
    found = await passages.same(prepared, document.id)
    assert found is not None
    assert found[1] == 3
    for first in (0, 2):
        await passages.copy(prepared, document.id, found[0], first, 2)
    assert (await texts(prepared, "", point(1), other))[0] == SAID[1]
    stranger = (await accounts.create(prepared, "Stranger")).id
    theirs = (await knowledge.create(prepared, stranger, "Theirs")).id
    document, _ = await knowledge.add(prepared, theirs, upload)
    assert await passages.same(prepared, document.id) is None


async def test_a_deleted_document_is_found_no_more(prepared: asyncpg.Connection) -> None:
    shop = await collection(prepared, "Shop")
    (document,) = await knowledge.documents(prepared, shop)
    await knowledge.delete_document(prepared, document.id, shop)
    assert await texts(prepared, "bread", point(1), shop) == []


async def test_a_point_of_another_model_is_unfit(database: Database) -> None:
    await database.once(passages.prepare)
    with pytest.raises(Unfit, match="384"):
        await database.once(lambda c: passages.search(c, "x", [1.0], [], account_id=None, most=1))


async def test_preparing_is_done_once_by_whoever_comes_first(url: str) -> None:
    async with Database(url) as database:
        await asyncio.gather(*(database.once(passages.prepare) for _ in range(4)))
        index = await database.run(lambda c: c.fetchval("select to_regclass($1)::text", INDEX))
    assert index == INDEX


async def test_without_pgvector_everything_else_works(debian: Debian) -> None:
    connection = await connect(debian.url())
    await connection.execute("drop schema public cascade; create schema public")
    await migrate(connection)
    if await connection.fetchval(
        "select exists (select from pg_available_extensions where name = 'vector')"
    ):
        pytest.skip("Debian's server has pgvector")
    shop = await collection(connection, "Shop")
    assert [document.state for document in await knowledge.documents(connection, shop)] == ["ready"]
    await connection.close()
    async with Database(debian.url()) as database:
        with pytest.raises(ExtensionMissing, match=r"apt-get install postgresql-.*-pgvector"):
            await database.once(passages.prepare)


async def test_a_user_who_may_not_make_extensions_is_told_who_may(embedded: Embedded) -> None:
    url = await new_database(embedded.url)
    connection = await connect(url)
    await migrate(connection)
    await connection.execute(
        "do $$ begin create role plain login; exception when duplicate_object then null; end $$;"
        " grant all on all tables in schema public to plain;"
        " grant create on schema public to plain"
    )
    try:
        await connection.execute("set role plain")
        with pytest.raises(ExtensionMissing, match="superuser run `create extension vector`"):
            async with connection.transaction():
                await passages.prepare(connection)
    finally:
        await connection.close()


async def test_a_backup_holds_what_was_embedded(
    prepared: asyncpg.Connection, url: str, empty: str, tmp_path: Path
) -> None:
    shop = await collection(prepared, "Shop")
    await backup(url, tmp_path / "records.zip")
    assert "passages.rows" in zipfile.ZipFile(tmp_path / "records.zip").namelist()
    await restore(empty, tmp_path / "records.zip")
    connection = await connect(empty)
    async with connection.transaction():
        await passages.prepare(connection)
    assert (await texts(connection, "", point(2), shop))[0] == SAID[2]
    await connection.close()


async def test_it_is_searched_through_a_pooler(embedded: Embedded) -> None:
    """PgBouncer lends a connection for a transaction: what a search sets is gone with it."""
    url = await new_database(embedded.url)
    connection = await connect(url)
    await migrate(connection)
    async with connection.transaction():
        await passages.prepare(connection)
    _, large = await crowded(connection)
    await connection.close()
    with EmbeddedPooler(embedded) as pooler:
        async with Database(pooler.url(urlsplit(url).path)) as database:
            found = await asyncio.gather(
                *(
                    database.run(
                        lambda c: passages.search(
                            c, "bread", point(0), [large], account_id=None, most=3
                        )
                    )
                    for _ in range(20)
                )
            )
            left = await database.run(lambda c: c.fetchval("show hnsw.ef_search"))
    assert {each[0].text for each in found} == {SAID[0]}
    assert left == "40"


class EmbeddedPooler(Pooler):
    """PgBouncer before the embedded server, as whose user it runs."""

    def __init__(self, embedded: Embedded) -> None:
        self.port = free_port()
        self._embedded = embedded
        self._folder = folder()

    def __enter__(self) -> "EmbeddedPooler":
        settings = self._folder.__enter__() / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={self._embedded.data} port=5432 user=voiceforge\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            "unix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
            "default_pool_size = 2\n"
        )
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        user = "nobody" if os.getuid() == 0 else None
        self._process = subprocess.Popen(
            [program, "-q", str(settings)], stderr=subprocess.DEVNULL, user=user
        )
        until(lambda: listens(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._folder.__exit__(None, None, None)

    def url(self, database: str = "/postgres") -> str:
        return f"postgresql://voiceforge@127.0.0.1:{self.port}{database}"
