"""`/v1/secrets`: names come out, values never."""

import logging

import pytest

from server.outbound.sealing import Sealing
from storage import accounts, secrets
from tests.server.access.test_routes import Site, site
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]

HUSH = "hush-7f3a"


async def test_a_value_goes_in_sealed_and_is_never_shown_or_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    status, told = await site.ask("PUT", "/v1/secrets/calendar", {"value": HUSH}, key="agents")
    assert (status, told["name"]) == (200, "calendar")
    _, listed = await site.ask("GET", "/v1/secrets", key="agents")
    assert listed == {"data": [told]}
    assert HUSH not in f"{told}{listed}{caplog.text}"
    kept = await site.database.run(lambda c: secrets.get(c, accounts.FIRST, "calendar"))
    assert HUSH.encode() not in kept
    assert Sealing(bytes(32)).open(kept, accounts.FIRST, "calendar") == HUSH
    assert (await site.ask("GET", "/v1/secrets/calendar", key="agents"))[0] == 405


async def test_another_account_neither_sees_nor_deletes_it(site: Site) -> None:
    await site.ask("PUT", "/v1/secrets/calendar", {"value": HUSH}, key="agents")
    _, mill = await site.ask("POST", "/v1/admin/accounts", {"name": "Mill"})
    stranger = (await site.make({"account_id": mill["id"], "scopes": ["agents"]}))["secret"]
    assert (await site.ask("GET", "/v1/secrets", key=stranger))[1] == {"data": []}
    assert (await site.ask("DELETE", "/v1/secrets/calendar", key=stranger))[0] == 404
    assert (await site.ask("DELETE", "/v1/secrets/calendar", key="agents"))[0] == 204
    assert (await site.ask("DELETE", "/v1/secrets/calendar", key="agents"))[0] == 404


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("a", {}, "value"),
        ("a", {"value": ""}, "value"),
        ("a", {"value": 7}, "value"),
        ("a", {"value": HUSH * 2000}, "16384"),
        ("a", {"value": HUSH, "name": "b"}, "name"),
        ("a b", {"value": HUSH}, "1 to 64 of letters"),
        ("x" * 65, {"value": HUSH}, "1 to 64 of letters"),
        ("ä", {"value": HUSH}, "1 to 64 of letters"),
    ],
)
async def test_what_is_none_is_refused_without_its_value(
    site: Site, name: str, body: dict[str, object], told: str
) -> None:
    status, answer = await site.ask("PUT", f"/v1/secrets/{name}", body, key="agents")
    assert status == 400
    assert told in answer["error"]["message"]
    assert HUSH not in str(answer)
