"""What was used."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from storage import accounts, usage
from storage.database import Connection, Database
from storage.usage import Amounts, Subject

HOUR = datetime(2026, 11, 28, 23, tzinfo=UTC)
NEXT = HOUR + timedelta(hours=1)
LATER = HOUR + timedelta(days=9)


async def test_what_is_added_is_summed_up_by_anything(connection: asyncpg.Connection) -> None:
    bakery, other = [(await accounts.create(connection, name)).id for name in ("Bakery", "Other")]
    said = Subject(bakery, HOUR, "s1", "k1", "a1", "piper")
    used = {
        said: Amounts(characters=40, compute_ms=1.5),
        Subject(bakery, HOUR, "s1", "k1", "a1", "qwen"): Amounts(
            input_tokens=100, output_tokens=9, cached_tokens=60, compute_ms=20.25
        ),
        Subject(bakery, HOUR, "s1", "k1", "a1", "qwen", dropped=True): Amounts(output_tokens=3),
        Subject(bakery, NEXT, "s2", "k2"): Amounts(audio_in_ms=1000.5, audio_out_ms=500),
        Subject(other, HOUR, "s3"): Amounts(characters=7),
    }
    assert await usage.add(connection, "w", 1, used)
    assert await usage.add(connection, "w", 2, {said: Amounts(characters=2)})

    async def sums(
        account_id: str | None, *by: usage.Group, until: datetime = LATER
    ) -> list[tuple[object, ...]]:
        found = await usage.sums(connection, HOUR, until, account_id=account_id, by=by)
        return [(*one.group.values(), one.dropped, one.sessions, one.amounts) for one in found]

    qwen = Amounts(input_tokens=100, output_tokens=9, cached_tokens=60, compute_ms=20.25)
    piper = Amounts(characters=42, compute_ms=1.5)
    audio = Amounts(audio_in_ms=1000.5, audio_out_ms=500)
    dropped = Amounts(output_tokens=3)
    assert await sums(bakery) == [
        (False, 2, qwen + piper + audio),
        (True, 1, dropped),
    ]
    assert await sums(bakery, "model") == [
        ("", False, 1, audio),
        ("piper", False, 1, piper),
        ("qwen", False, 1, qwen),
        ("qwen", True, 1, dropped),
    ]
    assert [row[:2] for row in await sums(bakery, "day")] == [
        (datetime(2026, 11, 28, tzinfo=UTC), False),
        (datetime(2026, 11, 28, tzinfo=UTC), True),
        (datetime(2026, 11, 29, tzinfo=UTC), False),
    ]
    assert [row[:2] for row in await sums(bakery, "key", "session", until=NEXT)] == [
        ("k1", "s1")
    ] * 2
    assert (await sums(None))[0] == (False, 3, qwen + piper + audio + Amounts(characters=7))
    assert await sums("acc_nobody") == []


async def test_a_batch_that_is_said_again_counts_once(connection: asyncpg.Connection) -> None:
    account = (await accounts.create(connection, "Bakery")).id
    used = {Subject(account, HOUR): Amounts(characters=5)}
    written = [await usage.add(connection, "w", batch, used) for batch in (1, 1, 2, 1, 2)]
    assert written == [True, False, True, False, False]
    assert await usage.add(connection, "another", 1, used)
    [total] = await usage.sums(connection, HOUR, LATER, account_id=account)
    assert total.amounts.characters == 15


async def test_a_batch_that_fails_is_not_written_down(database: Database) -> None:
    account = (await database.once(lambda c: accounts.create(c, "Bakery"))).id
    used = {Subject(account, HOUR): Amounts(characters=5)}

    async def torn(connection: Connection) -> None:
        await usage.add(connection, "w", 1, used)
        raise RuntimeError("the machine dies before the transaction ends")

    with pytest.raises(RuntimeError):
        await database.once(torn)
    assert await database.once(lambda c: usage.add(c, "w", 1, used))
    [total] = await database.once(lambda c: usage.sums(c, HOUR, LATER, account_id=account))
    assert total.amounts.characters == 5


async def test_what_a_deleted_account_used_goes_and_stops_nobody_else(
    connection: asyncpg.Connection,
) -> None:
    gone, here = [(await accounts.create(connection, name)).id for name in ("Gone", "Here")]
    used = {Subject(account, HOUR): Amounts(characters=5) for account in (gone, here)}
    await usage.add(connection, "w", 1, used)
    await accounts.delete(connection, gone)
    assert await usage.add(connection, "w", 2, used)
    [total] = await usage.sums(connection, HOUR, LATER, account_id=None)
    assert total.amounts.characters == 10
