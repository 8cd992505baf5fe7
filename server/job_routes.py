"""`/v1/jobs`: an account's work that is done later, or again."""

import logging
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from server.access.authority import Needs, owner_of
from server.access.denied import Denied
from server.refusals import refusals
from server.webhooks import shown
from storage import jobs
from storage.database import Database
from storage.jobs import Job, State

log = logging.getLogger(__name__)

AGENTS = [Needs("agents")]

Most = Annotated[int, QueryParameter(ge=1, le=1000)]
PAGE = 100
Are = Annotated[State | None, QueryParameter(name="state")]

Asked = Request[Any, Any, Any]


class JobPage(msgspec.Struct, frozen=True):
    """Some jobs, newest first. `has_more`: the rest comes `after` the last one's id."""

    data: list[Job]
    has_more: bool


def routes(database: Database) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    @get("/v1/jobs", guards=AGENTS, responses=refusals(), summary="All jobs")
    async def list_jobs(
        request: Asked,
        kind: FromQuery[str | None] = None,
        at: Are = None,
        after: FromQuery[str | None] = None,
        limit: Most = PAGE,
    ) -> JobPage:
        """Newest first, so many of them; with `after`, a job's id, those that follow it. They are
        kept for 30 days after their end, or for less if the account keeps records for less.
        """
        owner = owner_of(request.scope)
        found = await database.run(
            lambda c: jobs.listed(c, owner, kind=kind, state=at, after=after, most=limit + 1)
        )
        return JobPage([shown(job) for job in found[:limit]], len(found) > limit)

    @get("/v1/jobs/{job_id:str}", guards=AGENTS, responses=refusals(404), summary="A job")
    async def get_job(job_id: FromPath[str], request: Asked) -> Job:
        """404 if there is none."""
        owner = owner_of(request.scope)
        return shown(await database.run(lambda c: jobs.get(c, job_id, owner)))

    @post(
        "/v1/jobs/{job_id:str}/cancel",
        guards=AGENTS,
        responses=refusals(404, 409),
        status_code=200,
        summary="End a job",
    )
    async def cancel_job(job_id: FromPath[str], request: Asked) -> Job:
        """It is not begun any more; where it runs it stops within seconds. 409 if it has ended."""
        owner = owner_of(request.scope)
        job = await database.run(lambda c: jobs.cancel(c, job_id, owner))
        if job.state != "cancelled":
            raise Denied(409, "job_ended", f"job {job_id!r} has ended: it is {job.state}")
        log.info("job cancelled", extra={"job": job_id, "kind": job.kind})
        return shown(job)

    return [list_jobs, get_job, cancel_job]
