"""Does jobs, some at once, beside the conversations of a gateway."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from server.beside import beside, tell_failure
from server.jobs.kinds import GiveUp, Kind, Result, TryAgain, jittered
from storage import jobs
from storage.database import Connection, Database
from storage.errors import StorageError, Unavailable, Unfit
from storage.ids import new_id
from storage.jobs import Job, Step

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Of one gateway: they mostly wait for other servers."""

OF_ONE_ACCOUNT = AT_ONCE // 2
"""So that one whose server hangs does not keep the others waiting."""

POLL_S = 2.0
"""Within which a job is begun that another process made, or that is due again."""

LEASE_S = 30.0
"""After which a job of a process that is gone is begun again."""

RENEW_S = 5.0
"""Within which a job that was cancelled stops."""

MARGIN_S = 3 * RENEW_S
"""Before its lease ends a job is stopped if that cannot be renewed: the next look is a pause and
two questions away, each of which may take as long as a pause.
"""

FORGET_EVERY_S = 3600.0

LAST_S = 2.0
"""For the jobs to be given back as the gateway ends."""


Write = Callable[[Connection], Awaitable[bool]]
"""Writes down how an attempt ended; False if the job is somebody else's by now."""


class Held:
    """A job that is worked on. `until` is when it may be somebody else's, by our own clock."""

    def __init__(self, job: Job, until: float) -> None:
        self.job = job
        self.until = until
        self.progress: float | None = None
        self.task: asyncio.Task[None]

    def report(self, progress: float) -> None:
        """It is so far; written down with the next renewal."""
        self.progress = min(1.0, max(0.0, progress))


class Runner:
    """The jobs of one gateway."""

    def __init__(self, database: Database, kinds: Mapping[str, Kind]) -> None:
        self._database = database
        self._kinds = kinds
        self._worker = new_id("wrk")
        self._held: dict[str, Held] = {}
        self._wanted = asyncio.Event()
        self._draining = False
        self._away = True  # as a gateway starts, the database does too

    def wake(self) -> None:
        """A job was made here, and its transaction has ended: begin at once."""
        self._wanted.set()

    async def run(self) -> None:
        """Work until cancelled. What is not done then others may begin at once."""
        try:
            async with beside(self._keep()), beside(self._forget()):
                while True:
                    self._wanted.clear()
                    await self._fill()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL_S):
                            await self._wanted.wait()
        finally:
            await self._give_back()

    async def drain(self, within_s: float) -> None:
        """Begin nothing more, and let what has begun end."""
        self._draining = True
        tasks = [held.task for held in self._held.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)

    async def _fill(self) -> None:
        try:
            while not self._draining and len(self._held) < AT_ONCE:
                until = time.monotonic() + LEASE_S
                job = await self._database.once(self._claim)
                if job is None:
                    break
                held = self._held[job.id] = Held(job, until)
                held.task = asyncio.create_task(self._work(held), name=f"job {job.kind}")
                held.task.add_done_callback(tell_failure)
        except StorageError as error:
            if not self._away:
                log.warning("no jobs are begun", extra={"error": str(error)})
            self._away = True
        else:
            self._away = False

    async def _claim(self, connection: Connection) -> Job | None:
        each = Counter(held.job.account_id for held in self._held.values())
        full = [account for account, count in each.items() if count >= OF_ONE_ACCOUNT]
        lease = timedelta(seconds=LEASE_S)
        return await jobs.claim(connection, self._worker, lease, self._kinds, full)

    async def _work(self, held: Held) -> None:
        try:
            await self._finish(held, await self._outcome(held))
        finally:
            if self._held.get(held.job.id) is held:  # and not its next attempt, begun already
                del self._held[held.job.id]
            self._wanted.set()

    async def _outcome(self, held: Held) -> Write:
        """Do it; how that is to be written down."""
        job = held.job
        kind = self._kinds[job.kind]
        try:
            result: Result = await kind.handle(job, held.report)
            return lambda c: jobs.succeed(c, self._worker, job, result)
        except GiveUp as error:
            wrong, last = str(error), True
        except TryAgain as error:
            wrong, last = str(error), job.attempts >= job.most_attempts
        except Unavailable:
            wrong, last = "the database did not answer", job.attempts >= job.most_attempts
        except Exception:  # whatever it was, the next attempt may do better
            log.exception("a job went wrong", extra={"job": job.id, "kind": job.kind})
            wrong, last = "the server failed", job.attempts >= job.most_attempts
        if last:
            return lambda c: jobs.fail(c, self._worker, job, wrong)
        delay = timedelta(seconds=jittered(kind.delay_s(job.attempts)))
        return lambda c: jobs.retry(c, self._worker, job, wrong, delay)

    async def _finish(self, held: Held, write: Write) -> None:
        told = {"job": held.job.id, "kind": held.job.kind, "attempt": held.job.attempts}
        try:
            ours = await self._write(held, write)
        except StorageError as error:  # its lease ends, and it is begun again
            log.error("how a job ended is not written", extra={**told, "error": str(error)})
            return
        log.debug("job attempted" if ours else "a job was somebody else's", extra=told)

    async def _write(self, held: Held, write: Write) -> bool:
        patience_s = held.until - time.monotonic()
        try:
            return await self._database.run(write, patience_s)
        except Unfit:
            lost = "how it ended cannot be kept"
            return await self._database.run(
                lambda c: jobs.fail(c, self._worker, held.job, lost), patience_s
            )

    async def _keep(self) -> None:
        """Keep what is worked on, stop what is not ours any more, and find what others lost."""
        while True:
            await asyncio.sleep(RENEW_S)
            held = dict(self._held)
            if held and not await self._renew(held):
                continue
            with contextlib.suppress(StorageError):  # the next look for work says so
                await self._database.once(jobs.recover)

    async def _renew(self, held: Mapping[str, Held]) -> bool:
        """False while the database is away."""
        steps = {ident: Step(one.job.attempts, one.progress) for ident, one in held.items()}
        lease = timedelta(seconds=LEASE_S)
        now = time.monotonic()
        try:
            ours = await self._database.once(lambda c: jobs.renew(c, self._worker, lease, steps))
        except StorageError as error:
            log.warning("jobs are not renewed", extra={"error": str(error)})
            ours = {ident for ident, one in held.items() if one.until > now + MARGIN_S}
            answered = False
        else:
            answered = True
            for ident in ours:
                held[ident].until = now + LEASE_S
        for ident, one in held.items():
            if ident not in ours:
                one.task.cancel()
        return answered

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(jittered(FORGET_EVERY_S))
            try:
                while await self._database.once(jobs.forget) == jobs.AT_ONCE:
                    pass
            except StorageError as error:
                log.warning("old jobs are not deleted", extra={"error": str(error)})

    async def _give_back(self) -> None:
        held = list(self._held.values())
        for one in held:
            one.task.cancel()
        if not held:
            return
        await asyncio.wait([one.task for one in held])

        async def give(connection: Connection) -> None:
            for one in held:
                await jobs.give_back(connection, self._worker, one.job)

        try:
            await self._database.once(give, LAST_S)
        except StorageError as error:  # their leases end
            log.warning("jobs are not given back", extra={"error": str(error)})
