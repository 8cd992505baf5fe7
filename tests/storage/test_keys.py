"""Accounts and their keys."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from storage import accounts, keys
from storage.accounts import Limits
from storage.errors import Missing
from storage.keys import Terms, hashed, random_secret

SPEAK = Terms(scopes=("realtime",))


async def test_a_key_is_found_by_its_hash_and_kept_as_nothing_else(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.create(connection, "Bakery")
    terms = Terms(
        scopes=("realtime", "speech"),
        origins=("https://bakery.example",),
        addresses=("10.0.0.0/8",),
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        limits=Limits(concurrent_sessions=3),
    )
    made, secret = await keys.create(connection, account.id, "shop", terms)
    assert await keys.find(connection, hashed(secret)) == made
    assert await keys.find(connection, hashed(secret + "x")) is None
    assert (made.account_id, made.name, made.terms) == (account.id, "shop", terms)
    assert secret.startswith(made.prefix)
    assert len(made.prefix) < len(secret) / 4
    everything = str(await connection.fetch("select * from keys"))
    assert secret not in everything
    assert secret[10:] not in everything


def test_keys_are_long_and_never_the_same() -> None:
    made = {random_secret("vf_") for _ in range(1000)}
    assert len(made) == 1000
    assert {len(secret) for secret in made} == {35}  # 32 of 62 letters: 190 bits
    assert len({letter for secret in made for letter in secret[3:]}) == 62


async def test_a_revoked_or_expired_key_is_good_no_more(connection: asyncpg.Connection) -> None:
    account = await accounts.create(connection, "Bakery")
    key, secret = await keys.create(connection, account.id, "shop", SPEAK)
    now = datetime.now(UTC)
    assert key.good_at(now)
    await keys.revoke(connection, key.id)
    found = await keys.find(connection, hashed(secret))
    assert found is not None
    assert not found.good_at(datetime.now(UTC) + timedelta(seconds=1))
    ending = Terms(scopes=("realtime",), expires_at=now + timedelta(hours=1))
    key, _ = await keys.create(connection, account.id, "guest", ending)
    assert key.good_at(now + timedelta(minutes=59))
    assert not key.good_at(now + timedelta(minutes=60))


async def test_a_rotated_key_may_do_the_same_and_the_old_one_lasts_the_grace(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.create(connection, "Bakery")
    terms = Terms(scopes=("realtime",), limits=Limits(requests_per_minute=60))
    old, before = await keys.create(connection, account.id, "shop", terms)
    new, after = await keys.rotate(connection, old.id, grace=timedelta(minutes=5))
    assert before != after
    assert (new.terms, new.name, new.account_id) == (terms, "shop", account.id)
    ending = await keys.get(connection, old.id)
    assert ending.good_at(datetime.now(UTC))
    assert not ending.good_at(datetime.now(UTC) + timedelta(minutes=6))
    sooner = await keys.revoke(connection, old.id, grace=timedelta(hours=9))
    assert sooner.revoked_at == ending.revoked_at


async def test_a_key_that_is_good_no_more_is_not_rotated_into_one_that_is(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.create(connection, "Bakery")
    stolen, _ = await keys.create(connection, account.id, "shop", SPEAK)
    await keys.revoke(connection, stolen.id)
    past = Terms(("realtime",), expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    expired, _ = await keys.create(connection, account.id, "shop", past)
    for key in (stolen, expired):
        with pytest.raises(Missing, match="is revoked or has expired"):
            await keys.rotate(connection, key.id)
    assert len(await keys.listed(connection)) == 2


async def test_no_account_reaches_anothers_key(connection: asyncpg.Connection) -> None:
    bakery = await accounts.create(connection, "Bakery")
    thief = await accounts.create(connection, "Thief")
    key, _ = await keys.create(connection, bakery.id, "shop", SPEAK)
    for way in (keys.get, keys.revoke, keys.rotate):
        with pytest.raises(Missing, match=f"there is no key '{key.id}'"):
            await way(connection, key.id, thief.id)
    assert await keys.listed(connection, thief.id) == []
    assert await keys.listed(connection, bakery.id) == [key]
    assert (await keys.get(connection, key.id, bakery.id)).revoked_at is None


async def test_an_account_takes_its_keys_with_it(connection: asyncpg.Connection) -> None:
    bakery = await accounts.create(connection, "Bakery", retention_days=30)
    other = await accounts.create(connection, "Other")
    _, secret = await keys.create(connection, bakery.id, "shop", SPEAK)
    await keys.create(connection, other.id, "shop", SPEAK)
    await accounts.delete(connection, bakery.id)
    assert await accounts.listed(connection) == [other]
    assert await keys.find(connection, hashed(secret)) is None
    assert len(await keys.listed(connection)) == 1
    with pytest.raises(Missing, match="there is no account"):
        await accounts.delete(connection, bakery.id)
    with pytest.raises(Missing, match="there is no account"):
        await accounts.get(connection, bakery.id)


async def test_no_account_has_no_key(connection: asyncpg.Connection) -> None:
    with pytest.raises(Missing, match="there is no account 'acc_none'"):
        await keys.create(connection, "acc_none", "shop", SPEAK)


async def test_the_last_use_is_noted_and_never_goes_back(connection: asyncpg.Connection) -> None:
    account = await accounts.create(connection, "Bakery")
    one, _ = await keys.create(connection, account.id, "one", SPEAK)
    two, _ = await keys.create(connection, account.id, "two", SPEAK)
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    await keys.used(connection, {one.id: noon, "key_gone": noon})
    await keys.used(connection, {one.id: noon - timedelta(hours=1)})
    assert (await keys.get(connection, one.id)).last_used_at == noon
    assert (await keys.get(connection, two.id)).last_used_at is None


@pytest.mark.parametrize("name", ["", "'; drop table keys; --", "Ünïcode 🥐", "x" * 10_000])
async def test_names_are_only_names(connection: asyncpg.Connection, name: str) -> None:
    account = await accounts.create(connection, name)
    assert (await accounts.get(connection, account.id)).name == name


async def test_of_keys_in_use_those_are_told_that_open_nothing_any_more(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.create(connection, "Bakery")
    made = [(await keys.create(connection, account.id, "shop", SPEAK))[0] for _ in range(3)]
    good, revoked, ending = (key.id for key in made)
    await keys.revoke(connection, revoked)
    await keys.revoke(connection, ending, grace=timedelta(minutes=5))
    asked = [good, revoked, ending, "key_gone"]
    assert set(await keys.revoked(connection, asked)) == {revoked, "key_gone"}
    assert await keys.revoked(connection, []) == []


async def test_an_account_is_changed_as_a_whole_or_not_at_all(
    connection: asyncpg.Connection,
) -> None:
    first = await accounts.first(connection)
    assert await accounts.first(connection) == first
    changed = replace(first, name="Bakery", limits=Limits(requests_per_minute=9), retention_days=7)
    await accounts.update(connection, changed)
    assert await accounts.listed(connection) == [changed]
    with pytest.raises(Missing):
        await accounts.update(connection, replace(changed, id="acc_none"))
