"""Webhooks, as they are kept."""

from datetime import timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from storage import accounts, webhooks
from storage.errors import Missing, TooMany
from storage.webhooks import Webhook

URL = "https://shop.example/told"


@pytest.fixture
async def account(connection: asyncpg.Connection) -> str:
    return (await accounts.create(connection, "Bakery")).id


async def made(connection: asyncpg.Connection, account: str, *events: str) -> Webhook:
    ident = webhooks.new()
    return await webhooks.create(connection, ident, account, URL, events, True, ident.encode())


async def test_one_is_told_of_what_it_wants_while_it_is_enabled(
    connection: asyncpg.Connection, account: str
) -> None:
    one = await made(connection, account, "session.started", "session.ended")
    two = await made(connection, account, "session.ended")
    assert await webhooks.told(connection, account, "session.started") == [one.id]
    assert set(await webhooks.told(connection, account, "session.ended")) == {one.id, two.id}
    await webhooks.update(connection, replace(two, events=("session.started",)))
    await webhooks.disable(connection, one.id, "410")
    assert await webhooks.told(connection, account, "session.started") == [two.id]
    shown = await webhooks.listed(connection, account)
    assert [(hook.enabled, hook.trouble) for hook in shown] == [(False, "410"), (True, None)]


async def test_the_old_secret_signs_too_for_a_while(
    connection: asyncpg.Connection, account: str
) -> None:
    one = await made(connection, account, "session.ended")
    assert await webhooks.secrets(connection, one) == [one.id.encode()]
    await webhooks.rotate(connection, one.id, account, b"2", timedelta(hours=1))
    assert await webhooks.secrets(connection, one) == [b"2", one.id.encode()]
    await webhooks.rotate(connection, one.id, account, b"3", timedelta())
    assert await webhooks.secrets(connection, one) == [b"3"]


async def test_another_account_does_not_reach_it(
    connection: asyncpg.Connection, account: str
) -> None:
    one = await made(connection, account, "session.ended")
    mill = (await accounts.create(connection, "Mill")).id
    for reach in (webhooks.get, webhooks.delete):
        with pytest.raises(Missing, match="there is no webhook"):
            await reach(connection, one.id, mill)
    with pytest.raises(Missing):
        await webhooks.rotate(connection, one.id, mill, b"", timedelta())
    assert await webhooks.listed(connection, mill) == []
    assert await webhooks.told(connection, mill, "session.ended") == []
    await webhooks.delete(connection, one.id, account)
    with pytest.raises(Missing):
        await webhooks.get(connection, one.id, account)


async def test_there_are_so_many_and_they_go_with_their_account(
    connection: asyncpg.Connection, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST", 1)
    await made(connection, account, "session.ended")
    with pytest.raises(TooMany):
        await made(connection, account, "session.ended")
    with pytest.raises(Missing, match="no account"):
        await made(connection, "acc_none", "session.ended")
    await accounts.delete(connection, account)
    assert await webhooks.listed(connection, account) == []
