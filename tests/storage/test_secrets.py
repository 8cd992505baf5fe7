"""Secrets of accounts."""

import asyncpg
import pytest

from storage import accounts, secrets
from storage.errors import Missing, TooMany


async def test_one_is_kept_replaced_and_forgotten(connection: asyncpg.Connection) -> None:
    account = (await accounts.create(connection, "Bakery")).id
    first = await secrets.put(connection, account, "calendar", b"1")
    assert first.created_at == first.updated_at
    again = await secrets.put(connection, account, "calendar", b"2")
    assert again.created_at == first.created_at < again.updated_at
    await secrets.put(connection, account, "all", b"3")
    assert await secrets.get(connection, account, "calendar") == b"2"
    assert [kept.name for kept in await secrets.listed(connection, account)] == ["all", "calendar"]
    await secrets.delete(connection, account, "calendar")
    for gone in (secrets.get, secrets.delete):
        with pytest.raises(Missing, match="no secret 'calendar'"):
            await gone(connection, account, "calendar")


async def test_another_account_has_its_own_and_each_so_many(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "MOST", 2)
    bakery, mill = [(await accounts.create(connection, name)).id for name in ("Bakery", "Mill")]
    for account in (bakery, mill):
        for name in ("a", "b", "a"):
            await secrets.put(connection, account, name, account.encode())
        with pytest.raises(TooMany):
            await secrets.put(connection, account, "c", b"")
    assert await secrets.get(connection, mill, "a") == mill.encode()
    await accounts.delete(connection, bakery)
    assert await secrets.listed(connection, bakery) == []
    with pytest.raises(Missing, match="no account"):
        await secrets.put(connection, bakery, "a", b"")
