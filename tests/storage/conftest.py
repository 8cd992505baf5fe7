"""One embedded server for all tests of the records, and a database in it for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from storage.database import Database, connect
from storage.migrating import migrate
from tests.folder import folder
from tests.storage.postgres import Debian, Embedded


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    with folder() as path, Embedded(path / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def debian() -> Iterator[Debian]:
    with folder() as path, Debian(path) as server:
        yield server


@pytest.fixture
async def empty(embedded: Embedded) -> str:
    """The address of a database with nothing in it."""
    return await new_database(embedded.url)


@pytest.fixture
async def url(embedded: Embedded) -> str:
    """The address of another, with all tables."""
    made = await new_database(embedded.url)
    connection = await connect(made)
    await migrate(connection)
    await connection.close()
    return made


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url) as database:
        yield database


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url)
    yield connection
    await connection.close()


async def new_database(url: str) -> str:
    """Makes one in the server at `url`; returns its address."""
    name = f"t{uuid4().hex}"
    connection = await connect(url)
    await connection.execute(f"create database {name}")
    await connection.close()
    return url.replace("/postgres?", f"/{name}?")


def files(at: Path) -> set[str]:
    return {path.name for path in at.iterdir()}
