"""Every route of the server: which are public, which scope the others need, whose records they
show. Behind the real guard, with a real database.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar.routes import HTTPRoute

from engine.services import Services
from server import (
    admin_routes,
    agent_routes,
    client_secrets,
    job_routes,
    knowledge_routes,
    recording_routes,
    secret_routes,
    session_routes,
    usage_routes,
    web_session_routes,
    webhook_routes,
)
from server.access.authority import Needs
from server.access.caller import SCOPES, Caller
from server.access.entrance import Entrance
from server.access.guard import Guard
from server.access.guesses import AT_ONCE
from server.access.keyring import Keyring, looking_in
from server.access.web_sessions import WebSessions
from server.app import build
from server.door import OpenDoor
from server.jobs.runner import Runner
from server.knowledge.desk import Desk
from server.knowledge.library import Library
from server.lag import LoopLag
from server.metrics import Metrics
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.outbound.sealing import Sealing
from server.public import PATHS, WEB_SESSION, is_public
from server.readiness import Readiness
from server.realtime import Sockets
from server.recording.links import FILE, Links
from server.recording.store import Recordings
from server.routes import routes
from server.sessions import SessionRegistry
from server.settings import LimitSettings
from server.system import System
from server.vault import Vault
from storage import accounts, keys
from storage.database import Database
from storage.keys import Terms
from tests.server.knowledge.meanings import Meanings
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]


def public(method: str, path: str) -> bool:
    return is_public({"method": method, "path": path})


class Site:
    """The whole web application of a gateway, without models."""

    def __init__(self, database: Database, state: Path) -> None:
        self.state = state
        self.recordings = Recordings(state)
        self.links = Links(state / FILE)
        self.links.see_to_secret()
        self.database = database
        self.revoked: list[str] = []
        metrics = Metrics(LoopLag())
        none: Services | None = None
        sessions = SessionRegistry(lambda: none, LimitSettings(), metrics, OpenDoor())
        self.keyring = Keyring(looking_in(database))
        sealing = Sealing(bytes(32))
        web_sessions = WebSessions(bytes(32))
        entrance = Entrance(self.keyring, web_sessions, self, metrics.count_denial)
        self.library = Library(database, Meanings())
        self.desk = Desk(self.library)
        self.app = build(
            Sockets(sessions),
            [
                *routes(Readiness(()), metrics, System(0, tuple, sessions), has_app=False),
                *admin_routes.routes(database, self._revoke, self.recordings),
                *web_session_routes.routes(database, entrance, web_sessions),
                *client_secrets.routes(database),
                *usage_routes.routes(database),
                *secret_routes.routes(database, sealing),
                *agent_routes.routes(database, Vault(database, sealing)),
                *session_routes.routes(database, self.recordings),
                *recording_routes.routes(database, self.recordings, self.links),
                *job_routes.routes(database),
                *webhook_routes.routes(database, sealing, Outbound(Rules()), Runner(database, {})),
                *knowledge_routes.routes(self.library, self.desk),
            ],
        )
        self.guard = Guard(self.app, is_public, entrance)
        self.client: httpx.AsyncClient
        self.keys: dict[str, str] = {}

    def _revoke(self, ids: Any) -> None:
        revoked = list(ids)
        self.revoked += revoked
        self.keyring.forget(revoked)

    async def take(self, caller: Caller) -> dict[str, str]:
        return {}

    async def ask(
        self, method: str, path: str, body: Any = None, key: str = "admin"
    ) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        answer = await self.client.request(method, path, json=body, headers=headers)
        kind = answer.headers.get("content-type", "")
        return answer.status_code, answer.json() if "json" in kind else answer.text

    async def make(self, body: Any) -> Any:
        status, told = await self.ask("POST", "/v1/admin/keys", {"name": "shop", **body})
        assert status == 201, told
        return told

    def handlers(self) -> Iterator[tuple[str, str, Any]]:
        """Every method of every path, as a client would ask for it."""
        for route in self.app.routes:
            if isinstance(route, HTTPRoute):
                path = route.path_format.replace("{", "").replace("}", "")
                for method, (handler, _) in route.route_handler_map.items():
                    if method != "OPTIONS":
                        yield method, path, handler
            else:
                yield "GET", route.path, None


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(database, tmp_path)
    account = await database.once(accounts.first)
    for scope in SCOPES:
        make = partial(keys.create, account_id=account.id, name=scope, terms=Terms((scope,)))
        _, site.keys[scope] = await database.once(make)
    transport = httpx.ASGITransport(cast(Any, site.guard))
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
        site.client = client
        yield site


async def test_every_route_that_is_not_on_the_list_needs_a_key(site: Site) -> None:
    paths = set()
    for method, path, _ in site.handlers():
        status, told = await site.ask(method, path, key="")
        paths.add(path)
        if public(method, path):
            assert status != 401, path
        else:
            assert status == 401, path
            assert told["error"]["code"] == "missing_api_key"
    assert {*PATHS, "/v1/realtime", "/v1/admin/keys"} <= paths


async def test_the_openapi_document_says_which_routes_need_a_key(site: Site) -> None:
    _, described = await site.ask("GET", "/schema/openapi.json", key="")
    assert described["security"] == [{"key": []}, {"signed_in": []}]
    schemes = described["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer"
    assert (schemes["signed_in"]["in"], schemes["signed_in"]["name"]) == ("cookie", "vf_session")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            free = public(method.upper(), path)
            assert (operation.get("security") == [{}]) == free, path
            if path != WEB_SESSION:  # where the key is in the body
                assert ("401" in operation["responses"]) == (not free), path


async def test_every_route_that_needs_a_key_needs_a_scope(site: Site) -> None:
    for method, path, handler in site.handlers():
        if public(method, path) or handler is None or path.startswith("/schema"):
            continue  # what describes the API is for any key
        if path == WEB_SESSION:
            continue  # that is for any browser that has signed in
        (needed,) = handler.guards
        assert isinstance(needed, Needs), path
        for scope in SCOPES:
            status, told = await site.ask(method, path, {}, key=scope)
            if scope in (needed.scope, "admin"):
                assert status not in (401, 403), (method, path, scope)
            else:
                assert (status, told["error"]["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("query", "scope", "status"),
    [
        ("", "realtime", 426),
        ("", "system", 403),
        ("?call_id=sess_0_x", "realtime", 403),
        ("?call_id=sess_0_x", "sessions", 426),
        ("?call_id=", "realtime", 403),
    ],
)
async def test_the_realtime_socket_needs_one_too(
    site: Site, query: str, scope: str, status: int
) -> None:
    assert (await site.ask("GET", f"/v1/realtime{query}", key=scope))[0] == status


async def test_a_key_is_shown_once_and_opens_what_it_may(site: Site) -> None:
    made = await site.make({"limits": {"requests_per_minute": 60}})
    assert made["secret"].startswith("vf_")
    assert made["key"]["scopes"] == ["realtime", "speech", "sessions"]
    assert made["key"]["limits"] == {"requests_per_minute": 60}
    assert (await site.ask("GET", "/v1/realtime", key=made["secret"]))[0] == 426
    assert (await site.ask("GET", "/v1/system", key=made["secret"]))[0] == 403
    for path in ("/v1/admin/keys", f"/v1/admin/keys/{made['key']['id']}"):
        status, shown = await site.ask("GET", path)
        assert status == 200
        assert made["secret"] not in str(shown)
        assert made["key"]["prefix"] in str(shown)


async def test_a_revoked_key_opens_nothing_from_then_on(site: Site) -> None:
    made = await site.make({})
    assert (await site.ask("GET", "/v1/realtime", key=made["secret"]))[0] == 426
    ident = made["key"]["id"]
    assert (await site.ask("POST", f"/v1/admin/keys/{ident}/revoke"))[0] == 200
    assert site.revoked == [ident]
    assert (await site.ask("GET", "/v1/realtime", key=made["secret"]))[0] == 401
    assert (await site.ask("POST", "/v1/admin/keys/key_none/revoke"))[0] == 404


async def test_a_rotated_key_ends_at_once_or_after_its_grace(site: Site) -> None:
    first = await site.make({"name": "one"})
    route = f"/v1/admin/keys/{first['key']['id']}/rotate"
    status, second = await site.ask("POST", f"{route}?grace_s=60")
    assert status == 201
    for key in (first, second):
        assert (await site.ask("GET", "/v1/realtime", key=key["secret"]))[0] == 426
    status, third = await site.ask("POST", f"/v1/admin/keys/{second['key']['id']}/rotate")
    assert third["key"]["name"] == "one"
    assert (await site.ask("GET", "/v1/realtime", key=second["secret"]))[0] == 401
    assert (await site.ask("POST", f"{route}?grace_s=-1"))[0] == 400


async def test_a_key_may_expire(site: Site) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = await site.make({"expires_at": soon.isoformat()})
    assert (await site.ask("GET", "/v1/realtime", key=made["secret"]))[0] == 426
    past = await site.make({"expires_at": "2020-01-01T00:00:00Z"})
    assert (await site.ask("GET", "/v1/realtime", key=past["secret"]))[0] == 401


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "scopes": ["root"]}, "root"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "account_id": "acc_none"}, "there is no account 'acc_none'"),
        ({"name": "x", "addresses": ["10.0.0.1/8"]}, "10.0.0.1/8"),
        ({"name": "x", "addresses": ["here"]}, "here"),
        ({"name": "x", "origins": ["https://shop.example/page"]}, "https://shop.example"),
        ({"name": "x", "origins": ["shop.example"]}, "shop.example"),
        ({"name": "x", "origins": ["https://["]}, "https://["),
        ({"name": "x", "origins": ["https://"]}, "https://"),
        ({"name": "x", "origins": ["https://Shop.example"]}, "in lower case"),
        ({"name": "x", "origins": ["https://shop.example:443"]}, "the usual port"),
        ({"name": "\0"}, "cannot hold"),
        ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "x", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "limits": {"requests_per_minute": 0}}, "requests_per_minute"),
        ({"name": "x", "limits": {"requests_per_hour": 9}}, "requests_per_hour"),
        ({"name": "x", "color": "red"}, "color"),
        ([], ""),
        ("text", ""),
    ],
)
async def test_what_is_no_key_is_refused_with_what_is_wrong(
    site: Site, body: Any, told: str
) -> None:
    status, answer = await site.ask("POST", "/v1/admin/keys", body)
    assert status in (400, 404), answer
    assert told in answer["error"]["message"]
    assert len(await site.database.run(keys.listed)) == len(SCOPES)


async def test_accounts_are_made_changed_and_deleted_with_their_keys(site: Site) -> None:
    body = {"name": "Bakery", "limits": {"concurrent_sessions": 2}}
    status, bakery = await site.ask("POST", "/v1/admin/accounts", body)
    assert status == 201
    made = await site.make({"account_id": bakery["id"]})
    route = f"/v1/admin/accounts/{bakery['id']}"
    assert (await site.ask("PATCH", route, {"retention_days": 30}))[1] == bakery | {
        "retention_days": 30
    }
    assert (await site.ask("PATCH", route, {"retention_days": None}))[1] == bakery
    assert (await site.ask("PATCH", route, {"retention_days": 0}))[0] == 400
    assert (await site.ask("GET", route))[1] == bakery
    assert len((await site.ask("GET", "/v1/admin/accounts"))[1]["data"]) == 2
    listed = (await site.ask("GET", f"/v1/admin/keys?account_id={bakery['id']}"))[1]
    assert [key["id"] for key in listed["data"]] == [made["key"]["id"]]
    assert (await site.ask("DELETE", route))[0] == 204
    assert site.revoked == [made["key"]["id"]]
    assert (await site.ask("GET", "/v1/realtime", key=made["secret"]))[0] == 401
    assert (await site.ask("GET", route))[0] == 404
    own, told = await site.ask("DELETE", f"/v1/admin/accounts/{accounts.FIRST}")
    assert (own, told["error"]["code"]) == (409, "own_account")


async def test_long_lists_come_in_pages(site: Site) -> None:
    made = [(await site.make({"name": str(number)}))["key"]["id"] for number in range(5)]
    first = len(SCOPES)
    found: list[str] = []
    more = True
    while more:
        after = f"&after={found[-1]}" if found else ""
        _, page = await site.ask("GET", f"/v1/admin/keys?limit=2{after}")
        found += [key["id"] for key in page["data"]]
        more = page["has_more"]
        assert len(page["data"]) == 2 or not more
    assert found[first:] == made
    _, page = await site.ask("GET", "/v1/admin/accounts?limit=1")
    assert (len(page["data"]), page["has_more"]) == (1, False)
    for wrong in (0, 1001, "x"):
        assert (await site.ask("GET", f"/v1/admin/keys?limit={wrong}"))[0] == 400


async def test_a_client_secret_begins_sessions_and_does_nothing_else(site: Site) -> None:
    session = {"type": "realtime", "instructions": "Sell bread.", "model": "gpt-realtime"}
    status, made = await site.ask(
        "POST", "/v1/realtime/client_secrets", {"session": session}, key="sessions"
    )
    assert status == 200, made
    assert made["value"].startswith("ek_")
    assert made["session"]["instructions"] == "Sell bread."
    assert 590 < made["expires_at"] - datetime.now(UTC).timestamp() <= 600
    secret = made["value"]
    assert (await site.ask("GET", "/v1/realtime", key=secret))[0] == 426
    known = await site.keyring.find(secret)
    assert known is not None
    assert known.caller.session == session
    for method, path, _ in site.handlers():
        if path.startswith("/v1/") and path != "/v1/realtime" and not public(method, path):
            assert (await site.ask(method, path, {}, key=secret))[0] == 403, path
    assert (await site.ask("GET", "/v1/realtime?call_id=sess_0_x", key=secret))[0] == 403


async def test_a_body_that_is_too_large_or_too_deep_is_refused(site: Site) -> None:
    route = "/v1/realtime/client_secrets"
    huge = {"session": {"type": "realtime", "instructions": "x" * 200_000}}
    assert (await site.ask("POST", route, huge))[0] == 413
    deep = b'{"session": {"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}"
    headers = {"authorization": f"Bearer {site.keys['sessions']}"}
    answer = await site.client.post(route, content=deep, headers=headers)
    assert answer.status_code == 400


async def test_a_key_has_so_many_client_secrets_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.client_secrets.MOST", 2)
    route = "/v1/realtime/client_secrets"
    for status in (200, 200, 429):
        found, _ = await site.ask("POST", route, {}, key="sessions")
        assert found == status
    assert (await site.ask("POST", route, {}, key="admin"))[0] == 200


async def test_two_changes_at_once_do_not_undo_each_other(site: Site) -> None:
    route = f"/v1/admin/accounts/{accounts.FIRST}"
    changes: list[dict[str, Any]] = [{"name": "Bakery"}, {"retention_days": 7}]
    changes.append({"limits": {"concurrent_sessions": 3}})
    await asyncio.gather(*(site.ask("PATCH", route, change) for change in changes * 5))
    account = (await site.ask("GET", route))[1]
    assert (account["name"], account["retention_days"]) == ("Bakery", 7)
    assert account["limits"] == {"concurrent_sessions": 3}


async def test_a_key_is_rotated_once(site: Site) -> None:
    made = await site.make({})
    route = f"/v1/admin/keys/{made['key']['id']}/rotate"
    told = await asyncio.gather(*(site.ask("POST", route) for _ in range(5)))
    assert sorted(status for status, _ in told) == [201, 404, 404, 404, 404]


async def test_an_ended_key_is_told_so_and_is_no_guess(site: Site) -> None:
    made = await site.make({"expires_at": "2020-01-01T00:00:00Z"})
    for _ in range(2 * AT_ONCE):
        status, told = await site.ask("GET", "/v1/realtime", key=made["secret"])
        assert (status, told["error"]["code"]) == (401, "expired_api_key")
    assert (await site.ask("GET", "/v1/realtime", key="vf_wrong"))[0] == 401


async def test_a_client_secret_ends_with_its_key(site: Site) -> None:
    made = await site.make({})
    route = "/v1/realtime/client_secrets"
    _, told = await site.ask("POST", route, {}, key=made["secret"])
    assert told["session"]["type"] == "realtime"
    assert (await site.ask("GET", "/v1/realtime", key=told["value"]))[0] == 426
    await site.ask("POST", f"/v1/admin/keys/{made['key']['id']}/revoke")
    assert (await site.ask("GET", "/v1/realtime", key=told["value"]))[0] == 401


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"session": {"type": "realtime", "voice": 5}}, ""),
        ({"session": {"type": "realtime", "id": "x" * 70_000}}, "has 70"),
        ({"session": {"type": "conversation"}}, "type"),
        ({"session": {"type": "realtime", "instructions": 5}}, "instructions"),
        ({"session": {"type": "realtime", "instructions": "\0"}}, "instructions"),
        ({"session": {"audio": {"output": {"voice": "nobody"}}}}, "nobody"),
        ({"expires_after": {"seconds": 5}}, "seconds"),
        ({"expires_after": {"seconds": 7201}}, "seconds"),
        ({"expires_after": {"anchor": "now"}}, "anchor"),
    ],
)
async def test_a_client_secret_for_what_cannot_be_is_refused(
    site: Site, body: Any, told: str
) -> None:
    status, answer = await site.ask("POST", "/v1/realtime/client_secrets", body, key="sessions")
    assert status == 400, answer
    assert told in answer["error"]["message"]
