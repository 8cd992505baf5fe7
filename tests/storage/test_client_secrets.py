"""Secrets for browsers."""

from datetime import UTC, datetime, timedelta

import asyncpg

from storage import accounts, client_secrets, keys
from storage.keys import Key, Terms, hashed

SESSION = {"type": "realtime", "instructions": "Sell bread. 🥐", "tools": [{"name": "x"}]}


async def made_key(connection: asyncpg.Connection) -> Key:
    account = await accounts.create(connection, "Bakery")
    return (await keys.create(connection, account.id, "shop", Terms(("realtime",))))[0]


async def test_one_opens_its_session_with_its_key_and_is_kept_as_a_hash(
    connection: asyncpg.Connection,
) -> None:
    key = await made_key(connection)
    secret, expires_at = await client_secrets.create(connection, key.id, SESSION, 600)
    assert secret.startswith("ek_")
    assert abs(expires_at - datetime.now(UTC) - timedelta(minutes=10)) < timedelta(minutes=1)
    found = await client_secrets.find(connection, hashed(secret))
    assert found == (client_secrets.ClientSecret(key.id, SESSION, expires_at), key)
    assert await client_secrets.find(connection, hashed(secret + "x")) is None
    assert secret not in str(await connection.fetch("select * from client_secrets"))


async def test_those_long_expired_are_forgotten(connection: asyncpg.Connection) -> None:
    key = await made_key(connection)
    old, _ = await client_secrets.create(connection, key.id, {}, -3601)
    recent, _ = await client_secrets.create(connection, key.id, {}, -3500)
    await client_secrets.create(connection, key.id, {}, 600)
    assert await client_secrets.find(connection, hashed(old)) is None
    assert await client_secrets.find(connection, hashed(recent)) is not None


async def test_they_go_with_their_account(connection: asyncpg.Connection) -> None:
    key = await made_key(connection)
    secret, _ = await client_secrets.create(connection, key.id, SESSION, 600)
    await accounts.delete(connection, key.account_id)
    assert await client_secrets.find(connection, hashed(secret)) is None
