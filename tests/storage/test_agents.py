"""Agents, in all their versions."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
import pytest

from storage import accounts, agents
from storage.database import Connection, Database
from storage.errors import Missing, TooMany

FIRST: dict[str, Any] = {"session": {"instructions": "Sell bread. 🥐"}}
SECOND: dict[str, Any] = {"session": {}}


async def test_each_change_is_a_version_and_the_earlier_ones_stay(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.create(connection, "Bakery")
    made = await agents.create(connection, account.id, "Baker", FIRST)
    assert (made.version, made.config, made.account_id) == (1, FIRST, account.id)
    async with connection.transaction():
        locked = await agents.get(connection, made.id, lock=True)
        changed = await agents.change(connection, locked, "Cook", SECOND)
    assert (changed.version, changed.config, changed.name) == (2, SECOND, "Cook")
    same = await agents.change(connection, changed, "Chef", SECOND)
    assert (same.version, same.name) == (2, "Chef")
    assert (await agents.get(connection, made.id, version=1)).config == FIRST
    assert [one.version for one in await agents.versions(connection, made.id)] == [2, 1]
    with pytest.raises(Missing, match="at version 3"):
        await agents.get(connection, made.id, version=3)


async def test_changes_at_the_same_time_follow_each_other(database: Database) -> None:
    account = await database.run(lambda c: accounts.create(c, "Bakery"))
    made = await database.run(lambda c: agents.create(c, account.id, "Baker", FIRST))

    async def changed(connection: Connection, number: int) -> None:
        async with connection.transaction():
            locked = await agents.get(connection, made.id, lock=True)
            await agents.change(connection, locked, "Cook", {"session": {"n": number}})

    await asyncio.gather(*(database.run(partial(changed, number=n)) for n in range(6)))
    assert (await database.run(lambda c: agents.get(c, made.id))).version == 7


async def test_no_account_reaches_another_s(connection: asyncpg.Connection) -> None:
    bakery, other = [await accounts.create(connection, name) for name in ("Bakery", "Other")]
    made = await agents.create(connection, bakery.id, "Baker", {})
    assert [agent.id for agent in await agents.listed(connection, bakery.id)] == [made.id]
    assert await agents.listed(connection, other.id) == []
    assert await agents.get(connection, made.id, bakery.id) == made
    for refused in (
        agents.get(connection, made.id, other.id),
        agents.delete(connection, made.id, other.id),
        agents.create(connection, "acc_none", "Baker", {}),
    ):
        with pytest.raises(Missing):
            await refused
    await agents.delete(connection, made.id, bakery.id)
    with pytest.raises(Missing):
        await agents.get(connection, made.id)


async def test_they_are_listed_in_pages_and_go_with_their_account(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await accounts.create(connection, "Bakery")
    made = [await agents.create(connection, account.id, str(n), {}) for n in range(5)]
    page = await agents.listed(connection, account.id, made[1].id, 2)
    assert [agent.name for agent in page] == ["2", "3"]
    monkeypatch.setattr(agents, "MOST", 5)
    with pytest.raises(TooMany, match="has 5 agents"):
        await agents.create(connection, account.id, "one more", {})
    await accounts.delete(connection, account.id)
    assert await agents.listed(connection) == []
