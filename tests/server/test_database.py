"""The server and its records: kept running, named, lost and back, saved and restored."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from storage import accounts
from storage.database import Database, connect
from storage.embedded import EmbeddedPostgres
from tests.folder import folder
from tests.server.program import Server, voiceforge
from tests.server.undisturbed import undisturbed
from tests.server.wire import until
from tests.storage.postgres import Debian

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server.until_ready()


@pytest.fixture(scope="module")
def debian() -> Iterator[Debian]:
    with folder() as path, Debian(path) as debian:
        yield debian


def shown(server: Server) -> dict[str, Any]:
    """What the live view says of the database."""
    database: dict[str, Any] = json.loads(server.get("/v1/system")[1])["database"]
    return database


def metric(server: Server, name: str) -> float:
    line = next(line for line in server.get("/metrics")[1].splitlines() if line.startswith(name))
    return float(line.split()[-1])


def postgres(server: Server) -> list[psutil.Process]:
    return [process for process in server.family() if process.name() == "postgres"]


async def comes_up(server: Server, restarts: int) -> None:
    async def up() -> bool:
        told = await asyncio.to_thread(shown, server)
        return bool(told["up"]) and told["restarts"] == restarts

    await until(up, 30)


async def test_the_embedded_one_has_all_tables_once_the_server_serves(server: Server) -> None:
    assert shown(server) == {"embedded": True, "up": True, "restarts": 0}
    assert metric(server, "voiceforge_database_up") == 1
    async with Database(EmbeddedPostgres(server.state / "postgres").url) as database:
        [first] = await database.run(accounts.listed)
    assert first.id == accounts.FIRST


async def test_one_that_is_killed_is_back_and_no_conversation_notices(server: Server) -> None:
    before = shown(server)["restarts"]
    [first] = postgres(server)
    async with undisturbed(server):
        os.kill(first.pid, signal.SIGKILL)
        await comes_up(server, before + 1)
    assert metric(server, "voiceforge_database_restarts_total") == before + 1
    assert postgres(server) != [first]
    told = [line["event"] for line in server.logged()]
    assert "the database has ended and is started again" in told
    assert "the database has been started again" in told


async def test_a_named_one_is_used_and_its_absence_survived(debian: Debian) -> None:
    url = debian.url(sslmode="verify-full", sslrootcert=str(debian.certificate))
    with Server(VOICEFORGE_DATABASE_URL=url) as server:
        await asyncio.to_thread(server.until_ready)
        assert postgres(server) == []
        assert shown(server) == {"embedded": False, "up": True, "restarts": 0}
        connection = await connect(url)
        [first] = await accounts.listed(connection)
        await connection.close()
        assert first.id == accounts.FIRST
        async with undisturbed(server):
            await asyncio.to_thread(debian.stop)

            async def down() -> bool:
                return not (await asyncio.to_thread(shown, server))["up"]

            await until(down, 30)
            debian.start()
            await comes_up(server, 0)
        assert debian.PASSWORD not in json.dumps(server.logged())
        assert debian.url().split("@")[0] not in json.dumps(server.logged())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://voice:hush@127.0.0.1:1/x", "the database does not answer"),
        ("mysql://voice:hush@127.0.0.1/x", "must look like postgresql://"),
    ],
)
def test_one_that_cannot_be_used_ends_the_start_with_a_reason(url: str, told: str) -> None:
    ended = voiceforge("serve", "--port", "0", VOICEFORGE_DATABASE_URL=url)
    assert ended.status == 1
    assert told in ended.err
    assert "hush" not in ended.out + ended.err


async def test_a_backup_of_a_server_that_runs_fills_a_new_one(server: Server) -> None:
    async with Database(EmbeddedPostgres(server.state / "postgres").url) as database:
        made = await database.run(lambda connection: accounts.create(connection, "Bakery"))
    with folder() as path:
        file = path / "records.zip"
        saved = voiceforge("backup", str(file), VOICEFORGE_STATE=str(server.state))
        told = saved.out.removeprefix(f"{file}: ").strip()
        assert (saved.status, {"2 accounts", "1 keys"} <= set(told.split(", "))) == (0, True)
        state = path / "state"
        for status, said in ((0, f"restored {told}"), (1, "the database has records")):
            ended = voiceforge("restore", str(file), VOICEFORGE_STATE=str(state))
            assert ended.status == status, ended.err
            assert said in ended.out + ended.err
        with Server(VOICEFORGE_STATE=str(state)) as other:
            await asyncio.to_thread(other.until_ready)
            async with Database(EmbeddedPostgres(state / "postgres").url) as database:
                assert made in await database.run(accounts.listed)
            assert other.key != server.key
            for key in (other.key, server.key):  # and the old one is among the records
                status, _ = await asyncio.to_thread(other.ask, "GET", "/v1/realtime", None, key)
                assert status == 426
