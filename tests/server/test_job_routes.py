"""`/v1/jobs`: an account sees and ends its own."""

import pytest

from storage import accounts, jobs
from storage.jobs import Job
from tests.server.access.test_routes import Site, site
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]


async def made(site: Site, kind: str = "bake") -> Job:
    return await site.database.once(
        lambda c: jobs.create(c, accounts.FIRST, kind, {"bread": "rye"}, most_attempts=3)
    )


async def test_they_are_listed_in_pages_and_shown(site: Site) -> None:
    ids = [(await made(site)).id for _ in range(3)]
    grind = (await made(site, "grind")).id
    _, page = await site.ask("GET", "/v1/jobs?limit=2&kind=bake", key="agents")
    assert ([job["id"] for job in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    _, rest = await site.ask("GET", f"/v1/jobs?kind=bake&after={ids[1]}", key="agents")
    assert ([job["id"] for job in rest["data"]], rest["has_more"]) == ([ids[0]], False)
    status, job = await site.ask("GET", f"/v1/jobs/{grind}", key="agents")
    assert (status, job["state"], job["payload"]) == (200, "queued", {"bread": "rye"})
    for wrong in ("state=asleep", "limit=0"):
        assert (await site.ask("GET", f"/v1/jobs?{wrong}", key="agents"))[0] == 400


async def test_what_a_webhook_is_told_is_for_it_alone(site: Site) -> None:
    payload = {"webhook": "wh_1", "body": "a secret"}
    job = await site.database.once(
        lambda c: jobs.create(c, accounts.FIRST, "webhook", payload, most_attempts=3)
    )
    for method, path in (("GET", ""), ("GET", f"/{job.id}"), ("POST", f"/{job.id}/cancel")):
        status, told = await site.ask(method, f"/v1/jobs{path}", key="agents")
        assert status == 200
        assert "wh_1" in str(told)
        assert "secret" not in str(told)


async def test_one_is_cancelled_unless_it_has_ended(site: Site) -> None:
    job = await made(site)
    path = f"/v1/jobs/{job.id}/cancel"
    for _ in range(2):
        status, told = await site.ask("POST", path, key="agents")
        assert (status, told["state"]) == (200, "cancelled")
    await site.database.once(lambda c: c.execute("update jobs set state = 'done'"))
    status, told = await site.ask("POST", path, key="agents")
    assert (status, told["error"]["code"]) == (409, "job_ended")
    assert "it is done" in told["error"]["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel")])
async def test_a_stranger_finds_none(site: Site, method: str, path: str) -> None:
    job = await made(site)
    _, mill = await site.ask("POST", "/v1/admin/accounts", {"name": "Mill"})
    stranger = (await site.make({"account_id": mill["id"], "scopes": ["agents"]}))["secret"]
    for ident in (job.id, "job_none", "%00"):
        status, _ = await site.ask(method, f"/v1/jobs/{ident}{path}", key=stranger)
        assert status == (400 if ident == "%00" else 404)
    assert (await site.ask("GET", "/v1/jobs", key=stranger))[1]["data"] == []
    assert (await site.ask("GET", f"/v1/jobs?after={job.id}", key=stranger))[1]["data"] == []
