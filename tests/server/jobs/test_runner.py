"""Jobs are done, whatever becomes of those who do them."""

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from server.beside import beside
from server.jobs import runner as module
from server.jobs.kinds import GiveUp, Kind, Report, Result, TryAgain, growing_s
from server.jobs.runner import Runner
from storage import accounts, jobs
from storage.database import Database, connect
from storage.errors import Unavailable
from storage.jobs import Job
from storage.migrating import migrate
from tests.storage.conftest import database, debian, embedded, url
from tests.storage.postgres import Debian, Pooler

__all__ = ["database", "debian", "embedded", "url"]

ROOT = Path(__file__).resolve().parents[3]


class Bakery:
    """An account with jobs, and what was done of them."""

    def __init__(self, database: Database, account: str) -> None:
        self.database = database
        self.account = account
        self.begun: list[str] = []
        self.done: Counter[str] = Counter()
        self.hold = asyncio.Event()
        self.held = asyncio.Event()
        self.stopped: list[str] = []

    async def make(self, most: int = 3, account: str = "", **payload: Any) -> Job:
        owner = account or self.account
        return await self.database.once(
            lambda c: jobs.create(c, owner, "bake", payload, most_attempts=most)
        )

    async def get(self, job: Job) -> Job:
        return await self.database.run(lambda c: jobs.get(c, job.id, job.account_id))

    async def until(self, job: Job, right: Callable[[Job], bool], within_s: float = 10) -> Job:
        async with asyncio.timeout(within_s):
            while not right(now := await self.get(job)):  # noqa: ASYNC110 - a database is asked
                await asyncio.sleep(0.02)
        return now

    async def bake(self, job: Job, report: Report) -> Result:
        self.begun.append(job.id)
        report(0.5)
        self.done[job.id] += 1
        return {"loaves": job.payload.get("loaves", 1)}

    async def wait(self, job: Job, report: Report) -> Result:
        self.begun.append(job.id)
        self.held.set()
        report(0.25)
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.stopped.append(job.id)
            raise
        self.done[job.id] += 1
        return None

    async def run_out(self, job: Job, report: Report) -> Result:
        self.begun.append(job.id)
        match job.payload["wrong"]:
            case "again":
                raise TryAgain("the oven is cold")
            case "never":
                raise GiveUp("there is no flour")
            case _:
                raise RuntimeError("hush")


@pytest.fixture
async def bakery(database: Database) -> Bakery:
    account = await database.once(lambda c: accounts.create(c, "Bakery"))
    return Bakery(database, account.id)


@contextlib.asynccontextmanager
async def running(bakery: Bakery, kind: Kind) -> AsyncIterator[Runner]:
    runner = Runner(bakery.database, {"bake": kind})
    async with beside(runner.run()):
        yield runner


async def soon(right: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not right():  # noqa: ASYNC110 - it comes about in many places
            await asyncio.sleep(0.02)


def ended(job: Job) -> bool:
    return job.ended_at is not None


async def test_a_job_made_here_is_begun_at_once(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_S", 1000)
    async with running(bakery, Kind(bakery.bake)) as runner:
        await asyncio.sleep(0.2)
        job = await bakery.make(loaves=2)
        runner.wake()
        done = await bakery.until(job, ended, 1)
    assert (done.state, done.result, done.progress) == ("done", {"loaves": 2}, 1)


async def test_a_job_made_elsewhere_is_begun_soon(bakery: Bakery) -> None:
    async with running(bakery, Kind(bakery.bake)):
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await bakery.until(await bakery.make(), ended)
    assert time.monotonic() - began < 3


async def test_what_went_wrong_is_tried_again_until_the_last_attempt(bakery: Bakery) -> None:
    jobs_ = {
        wrong: await bakery.make(most=2, wrong=wrong) for wrong in ("again", "never", "broken")
    }
    async with running(bakery, Kind(bakery.run_out, lambda attempts: 0.1)):
        for wrong, attempts, text in (
            ("again", 2, "the oven is cold"),
            ("never", 1, "there is no flour"),
            ("broken", 2, "the server failed"),
        ):
            failed = await bakery.until(jobs_[wrong], ended)
            told = (failed.state, failed.attempts, failed.error)
            assert told == ("failed", attempts, text), wrong


async def test_a_result_that_no_record_holds_is_a_failure_and_no_reason_to_do_it_again(
    bakery: Bakery,
) -> None:
    async def bake(job: Job, report: Report) -> Result:
        bakery.begun.append(job.id)
        return {"bread": "\0"}

    async with running(bakery, Kind(bake)):
        failed = await bakery.until(await bakery.make(), ended)
    assert (failed.state, failed.error) == ("failed", "how it ended cannot be kept")
    assert bakery.begun == [failed.id]


async def test_an_attempt_that_follows_at_once_is_kept_like_any_other(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.05)
    made = [await bakery.make(most=20, wrong="again") for _ in range(4)]
    async with running(bakery, Kind(bakery.run_out, lambda attempts: 0.0)) as runner:
        for job in made:
            assert (await bakery.until(job, ended)).attempts == 20
        assert runner._held == {}
    assert Counter(bakery.begun) == {job.id: 20 for job in made}


def test_delays_grow() -> None:
    delays = [growing_s(attempts) for attempts in range(1, 30)]
    assert delays[:4] == [5, 10, 20, 40]
    assert delays == sorted(delays)
    assert delays[-1] == 3600


async def test_so_many_run_at_once_and_one_account_never_takes_all(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(module, "OF_ONE_ACCOUNT", 2)
    mill = (await bakery.database.once(lambda c: accounts.create(c, "Mill"))).id
    many = [await bakery.make() for _ in range(4)]
    late = [await bakery.make(account=mill) for _ in range(2)]
    async with running(bakery, Kind(bakery.wait)):
        await soon(lambda: len(bakery.begun) == 3)
        await asyncio.sleep(0.1)
        assert bakery.begun == [many[0].id, many[1].id, late[0].id]
        bakery.hold.set()
        for job in (*many, *late):
            assert (await bakery.until(job, ended)).state == "done"


async def test_progress_is_seen_and_a_cancelled_job_stops(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.1)
    job = await bakery.make()
    async with running(bakery, Kind(bakery.wait)):
        await bakery.until(job, lambda job: job.progress == 0.25)
        await bakery.database.once(lambda c: jobs.cancel(c, job.id, job.account_id))
        await soon(lambda: bool(bakery.stopped))
        assert (await bakery.get(job)).state == "cancelled"


async def test_a_job_that_runs_for_longer_than_its_lease_is_kept(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_S", 0.6)
    monkeypatch.setattr(module, "MARGIN_S", 0.4)
    monkeypatch.setattr(module, "RENEW_S", 0.15)
    monkeypatch.setattr(module, "POLL_S", 0.1)
    job = await bakery.make()
    async with running(bakery, Kind(bakery.wait)), running(bakery, Kind(bakery.wait)):
        await asyncio.sleep(1.5)
        assert bakery.begun == [job.id]
        bakery.hold.set()
        assert (await bakery.until(job, ended)).attempts == 1


async def test_while_the_database_is_away_a_job_stops_before_somebody_else_may_have_it(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_S", 1.0)
    monkeypatch.setattr(module, "RENEW_S", 0.1)
    monkeypatch.setattr(module, "MARGIN_S", 0.3)
    job = await bakery.make()
    async with running(bakery, Kind(bakery.wait)):
        await bakery.held.wait()

        async def away(*_: Any, **__: Any) -> Any:
            raise Unavailable("the database does not answer")

        once, bakery.database.once = bakery.database.once, away  # type: ignore[method-assign]
        await soon(lambda: bool(bakery.stopped))
        bakery.database.once = once  # type: ignore[method-assign]
        assert (await bakery.get(job)).state == "running"
        bakery.hold.set()
        assert (await bakery.until(job, ended)).attempts == 2


async def test_the_job_of_a_killed_process_is_run_again(
    bakery: Bakery, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await bakery.make()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.server.jobs.a_worker", url),
        stdout=PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert (await process.stdout.readline()).decode().strip() == job.id
    process.kill()
    await process.wait()
    assert (await bakery.get(job)).state == "running"
    monkeypatch.setattr(module, "RENEW_S", 0.1)
    monkeypatch.setattr(module, "POLL_S", 0.1)
    async with running(bakery, Kind(bakery.bake)):
        await asyncio.sleep(0.5)
        assert bakery.begun == []  # it may still be alive, for all that anybody knows
        await bakery.database.once(
            lambda c: c.execute("update jobs set lease_until = now()")  # time passes
        )
        done = await bakery.until(job, ended)
    assert (done.state, done.attempts) == ("done", 2)


async def test_a_gateway_that_ends_lets_jobs_end_and_gives_back_the_rest(bakery: Bakery) -> None:
    first = await bakery.make()
    async with running(bakery, Kind(bakery.wait)) as runner:
        await bakery.held.wait()
        asyncio.get_running_loop().call_later(0.2, bakery.hold.set)
        await runner.drain(5)
        assert (await bakery.get(first)).state == "done"
        late = await bakery.make()
        runner.wake()
        await asyncio.sleep(0.2)
        assert (await bakery.get(late)).state == "queued"
    bakery.hold.clear()
    bakery.held.clear()
    async with running(bakery, Kind(bakery.wait)) as runner:
        await bakery.held.wait()
        await runner.drain(0.1)
    given = await bakery.get(late)
    assert (given.state, given.attempts, bakery.stopped) == ("queued", 0, [late.id])


async def test_through_a_pooler_several_share_the_work_and_each_job_is_done_once(
    debian: Debian,
) -> None:
    at = await connect(debian.url())
    await migrate(at)
    await at.close()
    with Pooler(debian) as pooler:
        async with Database(pooler.url()) as database:
            account = await database.once(lambda c: accounts.create(c, "Bakery"))
            bakery = Bakery(database, account.id)
            made = [await bakery.make() for _ in range(60)]
            kind = Kind(bakery.bake)
            async with running(bakery, kind), running(bakery, kind), running(bakery, kind):
                for job in made:
                    await bakery.until(job, ended)
            assert bakery.done == {job.id: 1 for job in made}
