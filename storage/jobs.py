"""Jobs: work that is done later, or again when it did not succeed.

Whoever works on one has it for the time of a lease, which is renewed while that goes on; when the
lease runs out, because its process or machine is gone, somebody else begins again. So a job may be
done more than once, and its last attempt counts. All times are the database's.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from storage.database import Connection
from storage.errors import Missing
from storage.ids import new_id
from storage.rows import as_struct, as_structs

State = Literal["queued", "running", "done", "failed", "cancelled"]

COLUMNS = (
    "id, account_id, kind, payload, state, attempts, most_attempts, run_at, progress, result,"
    " error, created_at, ended_at"
)

KEPT = timedelta(days=30)
"""After its end, unless its account keeps records for less."""

ENDED = "ended_at = now(), payload = payload - 'body'"
"""What was to be sent is kept no longer than that takes: it may say what somebody said."""

AT_ONCE = 1000
"""Of old ones that are deleted in one transaction."""


class Job(msgspec.Struct, frozen=True):
    """`attempts` counts those that have begun; `run_at` is when the next one may; `progress` is
    from 0 to 1. `error` says what went wrong last.
    """

    id: str
    account_id: str
    kind: str
    payload: dict[str, Any]
    state: State
    attempts: int
    most_attempts: int
    run_at: datetime
    progress: float | None
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None


class Step(msgspec.Struct, frozen=True):
    """How far an attempt has come: the number of the attempt, and its progress if that is known."""

    attempt: int
    progress: float | None


async def create(
    connection: Connection,
    account_id: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    most_attempts: int,
) -> Job:
    """A new one, to be done as soon as the transaction ends. Raises `Missing`."""
    row = await connection.fetchrow(
        "insert into jobs (id, account_id, kind, payload, most_attempts)"
        f" select $1, id, $3, $4::jsonb, $5 from accounts where id = $2 returning {COLUMNS}",
        new_id("job"),
        account_id,
        kind,
        msgspec.json.encode(payload).decode(),
        most_attempts,
    )
    if row is None:
        raise Missing(f"there is no account {account_id!r}")
    return as_struct(row, Job)


async def get(connection: Connection, job_id: str, account_id: str) -> Job:
    """Raises `Missing`, also for another account's."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from jobs where id = $1 and account_id = $2", job_id, account_id
    )
    if row is None:
        raise Missing(f"there is no job {job_id!r}")
    return as_struct(row, Job)


async def listed(
    connection: Connection,
    account_id: str,
    *,
    kind: str | None = None,
    state: State | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[Job]:
    """Newest first; those `after` the job with this id, `most` of them."""
    rows = await connection.fetch(
        f"select {COLUMNS} from jobs where account_id = $1"
        " and ($2::text is null or kind = $2) and ($3::text is null or state = $3)"
        " and ($4::text is null or (created_at, id) <"
        " (select created_at, id from jobs where id = $4 and account_id = $1))"
        " order by created_at desc, id desc limit $5",
        account_id,
        kind,
        state,
        after,
        most,
    )
    return as_structs(rows, Job)


async def recover(connection: Connection) -> None:
    """Let others have those whose leases have run out; what was its last attempt has failed."""
    lost = "its worker was lost"
    await connection.execute(
        "update jobs set worker = null, lease_until = null, error = $1,"
        " state = case when attempts < most_attempts then 'queued' else 'failed' end,"
        " ended_at = case when attempts < most_attempts then null else now() end,"
        " payload = case when attempts < most_attempts then payload else payload - 'body' end"
        " where id in (select id from jobs where state = 'running' and lease_until < now()"
        " for update skip locked)",
        lost,
    )


async def claim(
    connection: Connection,
    worker: str,
    lease: timedelta,
    kinds: Collection[str],
    but: Collection[str] = (),
) -> Job | None:
    """The one of these kinds that has waited longest, now this worker's, but for accounts that
    shall have no more; None if none is due.
    """
    row = await connection.fetchrow(
        "with due as (select id as due_id from jobs where state = 'queued' and run_at <= now()"
        " and kind = any($3::text[]) and account_id <> all($4::text[])"
        " order by run_at limit 1 for update skip locked)"
        " update jobs set state = 'running', worker = $1, lease_until = now() + $2,"
        " attempts = attempts + 1, progress = null from due where id = due_id"
        f" returning {COLUMNS}",
        worker,
        lease,
        list(kinds),
        list(but),
    )
    return None if row is None else as_struct(row, Job)


async def renew(
    connection: Connection, worker: str, lease: timedelta, steps: Mapping[str, Step]
) -> set[str]:
    """Keep these jobs, by their ids, and note how far they are. Returns those that are still this
    worker's: the others were cancelled, or are somebody else's by now.
    """
    rows = await connection.fetch(
        "update jobs set lease_until = now() + $2,"
        " progress = coalesce(told.progress, jobs.progress)"
        " from unnest($3::text[], $4::integer[], $5::real[]) as told (id, attempt, progress)"
        " where jobs.id = told.id and worker = $1 and attempts = told.attempt"
        " and state = 'running' returning jobs.id",
        worker,
        lease,
        list(steps),
        [step.attempt for step in steps.values()],
        [step.progress for step in steps.values()],
    )
    return {row["id"] for row in rows}


async def succeed(
    connection: Connection, worker: str, job: Job, result: Mapping[str, Any] | None
) -> bool:
    """It is done. False if it was not this worker's any more."""
    return await _leave(
        connection,
        worker,
        job,
        f"state = 'done', progress = 1, result = $4::jsonb, error = null, {ENDED}",
        None if result is None else msgspec.json.encode(result).decode(),
    )


async def fail(connection: Connection, worker: str, job: Job, error: str) -> bool:
    """It cannot be done. False if it was not this worker's any more."""
    change = f"state = 'failed', error = $4, {ENDED}"
    return await _leave(connection, worker, job, change, error)


async def retry(
    connection: Connection, worker: str, job: Job, error: str, delay: timedelta
) -> bool:
    """It is tried again after the delay. False if it was not this worker's any more."""
    change = "state = 'queued', error = $4, progress = null, run_at = now() + $5"
    return await _leave(connection, worker, job, change, error, delay)


async def give_back(connection: Connection, worker: str, job: Job) -> bool:
    """Somebody else may begin at once, as if this attempt had never been."""
    change = "state = 'queued', attempts = attempts - 1, progress = null"
    return await _leave(connection, worker, job, change)


async def _leave(
    connection: Connection, worker: str, job: Job, change: str, *values: object
) -> bool:
    left = await connection.fetchval(
        f"update jobs set worker = null, lease_until = null, {change}"
        " where id = $1 and worker = $2 and attempts = $3 and state = 'running' returning id",
        job.id,
        worker,
        job.attempts,
        *values,
    )
    return left is not None


async def cancel(connection: Connection, job_id: str, account_id: str) -> Job:
    """It is not begun any more, and its worker stops. What has ended stays as it ended. Raises
    `Missing`.
    """
    row = await connection.fetchrow(
        f"update jobs set state = 'cancelled', worker = null, lease_until = null, {ENDED}"
        " where id = $1 and account_id = $2 and state in ('queued', 'running')"
        f" returning {COLUMNS}",
        job_id,
        account_id,
    )
    return await get(connection, job_id, account_id) if row is None else as_struct(row, Job)


async def forget_session(connection: Connection, account_id: str, session_id: str) -> None:
    """Delete those that are about this session and have not ended: workers stop."""
    await connection.execute(
        "delete from jobs where account_id = $1 and payload->>'session_id' = $2"
        " and state in ('queued', 'running')",
        account_id,
        session_id,
    )


async def forget(connection: Connection) -> int:
    """Delete some of those that ended long ago. Returns how many."""
    told: str = await connection.execute(
        "delete from jobs where id in (select jobs.id from jobs join accounts"
        " on accounts.id = account_id where ended_at < now() - least($1::interval,"
        " make_interval(days => retention_days)) limit $2 for update of jobs skip locked)",
        KEPT,
        AT_ONCE,
    )
    return int(told.split()[-1])
