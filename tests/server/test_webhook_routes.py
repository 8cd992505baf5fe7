"""`/v1/webhooks`: an account makes, changes and tries its own."""

import pytest

from storage import webhooks
from tests.server.access.test_routes import Site, site
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]

URL = "https://shop.example/told?key=7"


async def test_one_is_made_shown_changed_and_deleted(site: Site) -> None:
    status, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    assert status == 201
    secret, webhook = made["secret"], made["webhook"]
    assert secret.startswith("whsec_")
    assert webhook["events"] == ["session.started", "session.ended", "session.summary"]
    path = f"/v1/webhooks/{webhook['id']}"
    assert (await site.ask("GET", path, key="agents"))[1] == webhook
    assert (await site.ask("GET", "/v1/webhooks", key="agents"))[1] == {"data": [webhook]}
    change = {"events": ["session.ended"], "enabled": False}
    status, changed = await site.ask("PATCH", path, change, key="agents")
    assert (status, changed) == (200, webhook | change)
    kept = await site.database.run(lambda c: c.fetchval("select sealed from webhooks"))
    assert secret.encode() not in kept
    assert secret not in str(changed)
    assert (await site.ask("DELETE", path, key="agents"))[0] == 204
    assert (await site.ask("GET", path, key="agents"))[0] == 404


async def test_enabling_one_forgets_its_trouble(site: Site) -> None:
    _, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    ident = made["webhook"]["id"]
    await site.database.once(lambda c: webhooks.disable(c, ident, "410"))
    path = f"/v1/webhooks/{ident}"
    assert (await site.ask("GET", path, key="agents"))[1]["trouble"] == "410"
    _, changed = await site.ask("PATCH", path, {"enabled": True}, key="agents")
    assert (changed["enabled"], changed["trouble"]) == (True, None)


async def test_a_try_is_a_job(site: Site) -> None:
    _, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    path = f"/v1/webhooks/{made['webhook']['id']}"
    status, job = await site.ask("POST", f"{path}/test", key="agents")
    assert (status, job["kind"], job["payload"]["type"]) == (201, "webhook", "webhook.test")
    assert (await site.ask("GET", f"/v1/jobs/{job['id']}", key="agents"))[1] == job


async def test_another_secret_is_shown_once(site: Site) -> None:
    _, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    path = f"/v1/webhooks/{made['webhook']['id']}/rotate"
    status, again = await site.ask("POST", f"{path}?grace_s=60", key="agents")
    assert (status, again["webhook"]) == (201, made["webhook"])
    assert again["secret"] != made["secret"]
    assert (await site.ask("POST", f"{path}?grace_s=-1", key="agents"))[0] == 400


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "shop.example"}, "must begin with http:// or https://"),
        ({"url": "https://user:hush@shop.example"}, "holds a name or password"),
        ({"url": "http://127.0.0.1/"}, "not a public address"),
        ({"url": "http://[::ffff:a9fe:a9fe]/"}, "not a public address"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["session.paused"]}, "session.paused"),
        ({"url": URL + "\0"}, "cannot hold"),
        ({"url": URL, "colour": "red"}, "colour"),
    ],
)
async def test_what_cannot_be_one_is_refused(
    site: Site, body: dict[str, object], told: str
) -> None:
    _, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    path = f"/v1/webhooks/{made['webhook']['id']}"
    ways = [("POST", "/v1/webhooks"), ("PATCH", path)] if body else [("POST", "/v1/webhooks")]
    for method, where in ways:
        status, answer = await site.ask(method, where, body, key="agents")
        assert status == 400, answer
        assert told in answer["error"]["message"]
        assert "hush" not in str(answer)
    assert (await site.ask("GET", "/v1/webhooks", key="agents"))[1] == {"data": [made["webhook"]]}


async def test_a_stranger_finds_none(site: Site) -> None:
    _, made = await site.ask("POST", "/v1/webhooks", {"url": URL}, key="agents")
    _, mill = await site.ask("POST", "/v1/admin/accounts", {"name": "Mill"})
    stranger = (await site.make({"account_id": mill["id"], "scopes": ["agents"]}))["secret"]
    path = f"/v1/webhooks/{made['webhook']['id']}"
    for method, where in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/rotate"),
    ):
        assert (await site.ask(method, where, {}, key=stranger))[0] == 404, (method, where)
    assert (await site.ask("GET", "/v1/webhooks", key=stranger))[1] == {"data": []}
    assert (await site.ask("GET", path, key="agents"))[1] == made["webhook"]
