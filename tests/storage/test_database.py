"""Connections that come back, to any PostgreSQL."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from storage import accounts
from storage.database import Connection, Database, connect, for_asyncpg
from storage.errors import StorageError, Unavailable, Unfit
from storage.migrating import migrate
from tests.folder import folder
from tests.storage.conftest import new_database
from tests.storage.postgres import Debian, Embedded, Pooler


@pytest.fixture
def pooler(debian: Debian) -> Iterator[Pooler]:
    with Pooler(debian) as pooler:
        yield pooler


@asynccontextmanager
async def migrated(url: str) -> AsyncIterator[Database]:
    connection = await connect(url)
    await migrate(connection)
    await connection.close()
    async with Database(url) as database:
        yield database


async def test_many_ask_at_once_over_few_connections(url: str) -> None:
    async with Database(url, most_connections=3) as database:

        async def work(connection: Connection) -> str:
            return (await accounts.create(connection, "busy")).id

        made = await asyncio.gather(*(database.run(work) for _ in range(50)))
        found = await database.run(accounts.listed)
    assert {account.id for account in found} == set(made)


async def test_what_fails_in_a_transaction_leaves_nothing(database: Database) -> None:
    async def half(connection: Connection) -> None:
        await accounts.create(connection, "half")
        raise RuntimeError("after all")

    with pytest.raises(RuntimeError, match="after all"):
        await database.run(half)
    assert await database.run(accounts.listed) == []


async def test_an_error_of_the_question_is_not_asked_again(database: Database) -> None:
    asked = 0

    async def work(connection: Connection) -> None:
        nonlocal asked
        asked += 1
        await connection.execute("select nothing from nowhere")

    with pytest.raises(StorageError, match='relation "nowhere" does not exist'):
        await database.run(work)
    assert asked == 1


async def test_a_server_that_hangs_is_given_up_and_holds_nobody_else_up(
    database: Database,
) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"does not answer within 0\.2 s"):
        await database.once(lambda c: c.execute("select pg_sleep(3)"), within_s=0.2)
    assert await database.once(lambda c: c.fetchval("select 7")) == 7
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_a_value_that_cannot_be_kept_is_told_apart(database: Database, text: str) -> None:
    with pytest.raises(Unfit, match="cannot hold a value"):
        await database.run(lambda connection: accounts.create(connection, text))


async def test_connections_that_the_server_closed_are_opened_again(
    database: Database, url: str
) -> None:
    await database.run(lambda connection: accounts.create(connection, "kept"))
    [account] = await database.run(accounts.listed)

    killer = await connect(url)
    await killer.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await killer.close()
    assert await database.run(accounts.listed) == [account]


async def test_a_server_that_was_killed_is_asked_until_it_is_back() -> None:
    with folder() as path, Embedded(path / "postgres") as server:
        async with migrated(server.url) as database:
            kept = await database.run(lambda each: accounts.create(each, "before"))
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.to_thread(server.stop)
            with pytest.raises(Unavailable, match="the database does not answer"):
                await database.run(accounts.listed, patience_s=0.3)
            waiting = asyncio.create_task(database.run(accounts.listed, patience_s=30))
            with await asyncio.to_thread(Embedded, path / "postgres"):
                assert await waiting == [kept]


async def test_debians_server_by_password_and_tls(debian: Debian) -> None:
    url = debian.url(sslmode="verify-full", sslrootcert=str(debian.certificate))
    async with migrated(await new_database(url)) as database:
        encrypted = await database.run(
            lambda each: each.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        )
        assert encrypted
        made = await database.run(lambda each: accounts.create(each, "Grüße"))
        assert await database.run(accounts.listed) == [made]


async def test_a_certificate_that_nobody_vouches_for_is_refused(debian: Debian) -> None:
    stranger = debian.url(sslmode="verify-full", sslrootcert="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(Unavailable, match="certificate"):
        await connect(stranger)


async def test_an_address_as_hosts_give_it_out_works(debian: Debian) -> None:
    url = debian.url(sslmode="require", channel_binding="require")
    connection = await connect(url)
    assert await connection.fetchval("select 1") == 1
    await connection.close()


async def test_a_pooler_lends_another_connection_each_time(pooler: Pooler) -> None:
    async with migrated(pooler.url()) as database:

        async def work(connection: Connection) -> tuple[str, int]:
            made = await accounts.create(connection, "pooled")
            again = await accounts.get(connection, made.id)
            assert again == made
            return made.id, await connection.fetchval("select pg_backend_pid()")

        done = await asyncio.gather(*(database.run(work) for _ in range(60)))
        assert len({backend for _, backend in done}) == 2
        assert {account.id for account in await database.run(accounts.listed)} >= {
            account_id for account_id, _ in done
        }


async def test_migrations_go_through_a_pooler_at_once(pooler: Pooler) -> None:
    connections = [await connect(pooler.url()) for _ in range(4)]
    await connections[0].execute("drop schema public cascade")
    await connections[0].execute("create schema public")
    ran = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(map(len, ran))[:3] == [0, 0, 0]
    assert max(map(len, ran)) > 0
    for connection in connections:
        await connection.close()


async def test_a_wrong_password_is_told_and_not_shown(debian: Debian) -> None:
    with pytest.raises(StorageError, match="refuses us: password authentication failed") as told:
        await connect(debian.url().replace("word", "mellon"))
    assert "mellon" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@host/name",
        "secret",
        "http://secret",
        "postgresql://u:secret/1@127.0.0.1:1/name",
        "postgresql://u:secret#1@127.0.0.1:1/name",
    ],
)
def test_an_address_of_something_else_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(StorageError, match="must look like postgresql://") as told:
        for_asyncpg(url)
    assert "secret" not in str(told.value)


def test_without_a_certificate_those_that_the_system_trusts_vouch() -> None:
    told = for_asyncpg("postgresql://u:p@host/name?sslmode=verify-full")
    assert Path(dict(parse_qsl(urlsplit(told).query))["sslrootcert"]).exists()


async def test_a_certificate_that_is_not_there_is_named(debian: Debian) -> None:
    url = debian.url(sslmode="verify-full", sslrootcert="/no/such")
    with pytest.raises(StorageError, match="names /no/such: no such file"):
        await connect(url)


def test_only_what_asyncpg_does_not_know_is_left_out() -> None:
    given = "postgresql://u:p%40w@host/name?sslmode=require&channel_binding=require&host=/a/b"
    assert for_asyncpg(given) == "postgresql://u:p%40w@host/name?sslmode=require&host=/a/b"
