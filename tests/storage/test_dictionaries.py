"""Pronunciation dictionaries, in all their versions."""

import asyncio
import json
import os
from collections.abc import Awaitable
from pathlib import Path

import asyncpg
import pytest

from storage import accounts, dictionaries
from storage.backup import backup, restore
from storage.database import Database, connect
from storage.dictionaries import Dictionary, Order, Place
from storage.errors import Missing, TooMany

FIRST = '[{"string_to_replace": "NASA", "alias": "nassa 🚀"}]'
SECOND = '[{"string_to_replace": "b"}, {"string_to_replace": "a"}]'


async def test_each_change_of_rules_is_a_version_and_the_earlier_ones_stay(
    connection: asyncpg.Connection,
) -> None:
    owner = (await accounts.create(connection, "Bakery")).id
    made = await dictionaries.create(connection, owner, "Bread", "How it is said", FIRST)
    assert (made.version, made.rules_count, made.archived_at) == (1, 1, None)
    assert (made.name, made.description) == ("Bread", "How it is said")
    async with connection.transaction():
        locked = await dictionaries.get(connection, owner, made.id, lock=True)
        changed = await dictionaries.set_rules(connection, locked, SECOND)
    assert (changed.version, changed.rules_count) == (2, 2)
    assert changed.version_id != made.version_id
    spaced = SECOND.replace(" ", "  ")
    assert await dictionaries.set_rules(connection, changed, spaced) == changed
    assert await dictionaries.get(connection, owner, made.id) == changed
    assert await dictionaries.get(connection, owner, made.id, made.version_id) == made
    for version, rules in ((made, FIRST), (changed, SECOND)):
        kept = await dictionaries.rules_of(connection, version.version_id)
        assert json.loads(kept) == json.loads(rules)


async def test_it_is_renamed_archived_and_brought_back(connection: asyncpg.Connection) -> None:
    owner = (await accounts.create(connection, "Bakery")).id
    made = await dictionaries.create(connection, owner, "Bread", None, FIRST)
    archived = await dictionaries.change(connection, made, "Rolls", archived=True)
    assert archived.name == "Rolls"
    assert archived.archived_at is not None
    assert archived.version_id == made.version_id
    again = await dictionaries.change(connection, archived, "Rolls", archived=True)
    assert again.archived_at == archived.archived_at
    assert await dictionaries.listed(connection, owner) == []
    assert await dictionaries.listed(connection, owner, archived=True) == [archived]
    back = await dictionaries.change(connection, archived, "Bread", archived=False)
    assert back == made


async def test_no_account_reaches_another_s(connection: asyncpg.Connection) -> None:
    bakery, mill = [(await accounts.create(connection, name)).id for name in ("Bakery", "Mill")]
    made = await dictionaries.create(connection, bakery, "Bread", None, FIRST)
    other = await dictionaries.create(connection, bakery, "Rolls", None, FIRST)
    for refused in (
        dictionaries.get(connection, mill, made.id),
        dictionaries.get(connection, bakery, made.id, other.version_id),
        dictionaries.get(connection, bakery, "dict_none"),
        dictionaries.delete(connection, mill, made.id),
        dictionaries.create(connection, "acc_none", "Bread", None, FIRST),
        dictionaries.rules_of(connection, "dictver_none"),
    ):
        with pytest.raises(Missing):
            await refused
    assert await dictionaries.listed(connection, mill) == []
    assert (
        await dictionaries.listed(
            connection, mill, after=Place(made.created_at, made.name, made.id)
        )
        == []
    )


@pytest.mark.parametrize(
    ("order", "descending", "names"),
    [
        ("created_at", False, "cabd"),
        ("created_at", True, "dbac"),
        ("name", False, "abcd"),
        ("name", True, "dcba"),
    ],
)
async def test_they_are_listed_in_order_and_in_pages(
    connection: asyncpg.Connection, order: Order, descending: bool, names: str
) -> None:
    owner = (await accounts.create(connection, "Bakery")).id
    for name in "cabd":
        await dictionaries.create(connection, owner, name, None, FIRST)
    found = ""
    after: Place | None = None
    for _ in names:
        (one,) = await dictionaries.listed(
            connection, owner, after, 1, order=order, descending=descending
        )
        found += one.name
        after = Place(one.created_at, one.name, one.id)
    assert found == names
    options = {"descending": descending}
    assert await dictionaries.listed(connection, owner, after, order=order, **options) == []


async def test_an_account_has_so_many_and_each_so_many_versions(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dictionaries, "MOST", 2)
    monkeypatch.setattr(dictionaries, "MOST_VERSIONS", 2)
    owner = (await accounts.create(connection, "Bakery")).id
    made = await dictionaries.create(connection, owner, "a", None, FIRST)
    await dictionaries.create(connection, owner, "b", None, FIRST)
    with pytest.raises(TooMany, match="has 2 pronunciation dictionaries"):
        await dictionaries.create(connection, owner, "c", None, FIRST)
    made = await dictionaries.set_rules(connection, made, SECOND)
    with pytest.raises(TooMany, match="has 2 versions"):
        await dictionaries.set_rules(connection, made, FIRST)
    await dictionaries.delete(connection, owner, made.id)
    await dictionaries.create(connection, owner, "c", None, FIRST)
    await accounts.delete(connection, owner)
    assert await connection.fetchval("select count(*) from dictionary_versions") == 0


async def test_the_rules_of_an_account_have_so_many_bytes_in_all_versions(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = [(await accounts.create(connection, name)).id for name in ("Bakery", "Mill")]
    noise = os.urandom(50_000).hex()  # which PostgreSQL does not compress
    rules = [json.dumps([{"string_to_replace": letter, "alias": noise}]) for letter in "abcd"]
    monkeypatch.setattr(dictionaries, "MOST_BYTES", 350_000)
    made = await dictionaries.create(connection, owner, "a", None, rules[0])
    made = await dictionaries.set_rules(connection, made, rules[1])
    second = await dictionaries.create(connection, owner, "b", None, rules[2])
    for refused in (
        dictionaries.set_rules(connection, made, rules[3]),
        dictionaries.create(connection, owner, "c", None, rules[3]),
    ):
        with pytest.raises(TooMany, match=r"has 3\d{5} bytes of rules .* 350000 at most"):
            await refused
    await dictionaries.create(connection, other, "c", None, rules[3])
    await dictionaries.delete(connection, owner, second.id)
    assert (await dictionaries.set_rules(connection, made, rules[3])).version == 3


async def test_those_who_make_one_at_once_make_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dictionaries, "MOST", 2)
    owner = (await database.once(lambda c: accounts.create(c, "Bakery"))).id

    def make() -> Awaitable[Dictionary]:
        return database.once(lambda c: dictionaries.create(c, owner, "a", None, FIRST))

    made = await asyncio.gather(*(make() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, Dictionary) for one in made) == 2
    assert sum(isinstance(one, TooMany) for one in made) == 6


async def test_they_are_in_a_backup(url: str, empty: str, tmp_path: Path) -> None:
    connection = await connect(url)
    owner = (await accounts.create(connection, "Bakery")).id
    made = await dictionaries.create(connection, owner, "a", None, FIRST)
    await connection.close()
    written = await backup(url, tmp_path / "records")
    assert (written["dictionaries"], written["dictionary_versions"]) == (1, 1)
    await restore(empty, tmp_path / "records")
    connection = await connect(empty)
    assert await dictionaries.get(connection, owner, made.id) == made
    assert "🚀" in await dictionaries.rules_of(connection, made.version_id)
    await connection.close()
