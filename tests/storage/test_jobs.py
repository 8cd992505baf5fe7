"""Jobs, as they are kept: who has one, who may have it next, and how it ends."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from storage import accounts, jobs
from storage.database import Database, connect
from storage.errors import Missing, Unfit
from storage.jobs import Job, Step

LEASE = timedelta(seconds=30)
NOW = timedelta()


@pytest.fixture
async def account(connection: asyncpg.Connection) -> str:
    return (await accounts.create(connection, "Bakery")).id


async def made(connection: asyncpg.Connection, account: str, most: int = 3, **payload: Any) -> Job:
    return await jobs.create(connection, account, "bake", payload, most_attempts=most)


async def claimed(connection: asyncpg.Connection, worker: str = "wrk_1") -> Job:
    job = await jobs.claim(connection, worker, LEASE, ["bake"])
    assert job is not None
    return job


async def leases_end(connection: asyncpg.Connection) -> None:
    await connection.execute("update jobs set lease_until = now() - interval '1 second'")


async def test_one_is_begun_renewed_and_done(connection: asyncpg.Connection, account: str) -> None:
    job = await made(connection, account, bread="rye", number=7)
    assert (job.state, job.attempts, job.payload) == ("queued", 0, {"bread": "rye", "number": 7})
    mine = await claimed(connection)
    assert (mine.id, mine.state, mine.attempts) == (job.id, "running", 1)
    assert await jobs.claim(connection, "wrk_2", LEASE, ["bake"]) is None
    assert await jobs.renew(connection, "wrk_1", LEASE, {job.id: Step(1, 0.5)}) == {job.id}
    assert await jobs.renew(connection, "wrk_1", LEASE, {job.id: Step(1, None)}) == {job.id}
    assert (await jobs.get(connection, job.id, account)).progress == 0.5
    assert await jobs.succeed(connection, "wrk_1", mine, {"loaves": 2})
    done = await jobs.get(connection, job.id, account)
    assert (done.state, done.progress, done.result) == ("done", 1, {"loaves": 2})
    assert done.ended_at is not None
    assert not await jobs.fail(connection, "wrk_1", mine, "late")


async def test_the_longest_waiting_of_the_kinds_one_can_do_comes_first(
    connection: asyncpg.Connection, account: str
) -> None:
    other = (await accounts.create(connection, "Mill")).id
    made_ = [await made(connection, account), await made(connection, other)]
    await jobs.create(connection, account, "grind", {}, most_attempts=1)
    first = await claimed(connection)
    assert first.id == made_[0].id
    assert await jobs.claim(connection, "wrk_1", LEASE, ["bake"], [other]) is None
    assert (await claimed(connection)).id == made_[1].id
    assert await jobs.claim(connection, "wrk_1", LEASE, ["bake"]) is None


async def test_two_never_take_the_same(
    connection: asyncpg.Connection, url: str, account: str
) -> None:
    await made(connection, account)
    await made(connection, account)
    other = await connect(url)
    async with connection.transaction(), other.transaction():
        first = await claimed(connection, "wrk_1")
        second = await claimed(other, "wrk_2")  # does not wait for the first
        assert first.id != second.id
        assert await jobs.claim(other, "wrk_2", LEASE, ["bake"]) is None
    await other.close()


async def test_one_whose_worker_is_lost_is_begun_again_and_its_late_word_does_not_count(
    connection: asyncpg.Connection, account: str
) -> None:
    job = await made(connection, account)
    lost = await claimed(connection, "wrk_1")
    await jobs.recover(connection)
    assert await jobs.claim(connection, "wrk_2", LEASE, ["bake"]) is None
    await leases_end(connection)
    await jobs.recover(connection)
    assert (await jobs.get(connection, job.id, account)).error == "its worker was lost"
    again = await claimed(connection, "wrk_1")
    assert again.attempts == 2
    assert await jobs.renew(connection, "wrk_1", LEASE, {job.id: Step(1, None)}) == set()
    assert not await jobs.succeed(connection, "wrk_1", lost, None)
    assert await jobs.succeed(connection, "wrk_1", again, None)
    assert (await jobs.get(connection, job.id, account)).error is None


async def test_the_last_attempt_that_is_lost_has_failed(
    connection: asyncpg.Connection, account: str
) -> None:
    job = await made(connection, account, most=1)
    await claimed(connection)
    await leases_end(connection)
    await jobs.recover(connection)
    failed = await jobs.get(connection, job.id, account)
    assert (failed.state, failed.error) == ("failed", "its worker was lost")
    assert failed.ended_at is not None


async def test_it_is_tried_again_after_a_while_or_given_back_at_once(
    connection: asyncpg.Connection, account: str
) -> None:
    job = await made(connection, account)
    mine = await claimed(connection)
    assert await jobs.retry(connection, "wrk_1", mine, "the oven is cold", timedelta(hours=1))
    waiting = await jobs.get(connection, job.id, account)
    assert (waiting.state, waiting.error) == ("queued", "the oven is cold")
    assert timedelta(minutes=59) < waiting.run_at - waiting.created_at < timedelta(minutes=61)
    assert await jobs.claim(connection, "wrk_1", LEASE, ["bake"]) is None
    await connection.execute("update jobs set run_at = now()")
    mine = await claimed(connection)
    assert await jobs.give_back(connection, "wrk_1", mine)
    assert (await claimed(connection, "wrk_2")).attempts == 2


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel", "recover"])
async def test_what_was_to_be_sent_is_kept_until_that_has_ended(
    connection: asyncpg.Connection, account: str, end: str
) -> None:
    made_ = await made(connection, account, most=1, body="what was said", to="the bakery")
    job = await claimed(connection)
    assert job.payload["body"] == "what was said"
    match end:
        case "succeed":
            await jobs.succeed(connection, "wrk_1", job, None)
        case "fail":
            await jobs.fail(connection, "wrk_1", job, "no")
        case "cancel":
            await jobs.cancel(connection, job.id, account)
        case "recover":
            await leases_end(connection)
            await jobs.recover(connection)
    ended = await jobs.get(connection, made_.id, account)
    assert ended.ended_at is not None
    assert ended.payload == {"to": "the bakery"}


async def test_a_cancelled_one_is_nobodys_and_stays_cancelled(
    connection: asyncpg.Connection, account: str
) -> None:
    waiting, running = await made(connection, account), await made(connection, account)
    assert (await jobs.cancel(connection, waiting.id, account)).state == "cancelled"
    mine = await claimed(connection)
    assert mine.id == running.id
    await jobs.cancel(connection, running.id, account)
    assert await jobs.renew(connection, "wrk_1", LEASE, {mine.id: Step(1, None)}) == set()
    assert not await jobs.succeed(connection, "wrk_1", mine, None)
    assert not await jobs.retry(connection, "wrk_1", mine, "", NOW)
    for job in (waiting, running):
        assert (await jobs.cancel(connection, job.id, account)).state == "cancelled"


async def test_another_account_does_not_reach_them(
    connection: asyncpg.Connection, account: str
) -> None:
    job = await made(connection, account)
    other = (await accounts.create(connection, "Mill")).id
    for reach in (jobs.get, jobs.cancel):
        with pytest.raises(Missing, match="there is no job"):
            await reach(connection, job.id, other)
    assert await jobs.listed(connection, other) == []
    assert await jobs.listed(connection, other, after=job.id) == []
    with pytest.raises(Missing, match="no account"):
        await made(connection, "acc_none")


async def test_they_are_listed_newest_first_and_in_pages(
    connection: asyncpg.Connection, account: str
) -> None:
    ids = [(await made(connection, account)).id for _ in range(5)]
    await jobs.cancel(connection, ids[2], account)
    found = [job.id for job in await jobs.listed(connection, account)]
    assert found == ids[::-1]
    page = await jobs.listed(connection, account, after=ids[3], most=2)
    assert [job.id for job in page] == [ids[2], ids[1]]
    assert [j.id for j in await jobs.listed(connection, account, state="cancelled")] == [ids[2]]
    assert await jobs.listed(connection, account, kind="grind") == []


async def test_old_ones_are_deleted_when_their_account_says(
    connection: asyncpg.Connection, account: str
) -> None:
    brief = (await accounts.create(connection, "Mill", retention_days=2)).id
    for owner in (account, brief):
        for days in (0, 3, 31):
            job = await made(connection, owner)
            await jobs.cancel(connection, job.id, owner)
            await connection.execute(
                "update jobs set ended_at = now() - make_interval(days => $2) where id = $1",
                job.id,
                days,
            )
        await made(connection, owner)
    assert await jobs.forget(connection) == 3
    assert len(await jobs.listed(connection, account)) == 3
    assert len(await jobs.listed(connection, brief)) == 2
    await accounts.delete(connection, account)
    assert await jobs.listed(connection, account) == []


async def test_what_no_record_can_hold_is_told(database: Database) -> None:
    account = (await database.once(lambda c: accounts.create(c, "Bakery"))).id
    with pytest.raises(Unfit):
        await database.once(lambda c: made(c, account, bread="\0"))  # type: ignore[arg-type]
