"""What was said, and how it went, as the routes tell it. Behind the real guard."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from storage import accounts, keys, records
from storage.keys import Terms
from storage.records import Changes
from storage.refusals import Refusal
from storage.sessions import Session
from storage.turns import Turn
from tests.server.access.test_routes import Site, site
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Desk:
    """Two accounts' sessions, and a key of each that may read them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.batch = 0

    async def write(self, *sessions: Session, turns: Any = (), refusals: Any = ()) -> None:
        self.batch += 1
        changes = Changes(sessions, tuple(turns), tuple(refusals))
        await self.site.database.once(lambda c: records.write(c, "w", self.batch, changes))

    async def ask(self, path: str, method: str = "GET", key: str = "baker") -> tuple[int, Any]:
        return await self.site.ask(method, path, key=key)

    async def ids(self, query: str = "", key: str = "baker") -> list[str]:
        status, page = await self.ask(f"/v1/sessions?{query}", key=key)
        assert status == 200, page
        return [session["id"] for session in page["data"]]


@pytest.fixture
async def desk(site: Site) -> Desk:
    owners = {}
    for name in ("baker", "miller"):
        account = await site.database.once(partial(accounts.create, name=name))
        terms = Terms(("records",))
        owners[name], site.keys[name] = await site.database.once(
            partial(keys.create, account_id=account.id, name="reader", terms=terms)
        )
    desk = Desk(site)
    baker, miller = owners["baker"].account_id, owners["miller"].account_id
    over: dict[str, Any] = {"ended_at": NOON + timedelta(minutes=2), "end_reason": "client_left"}
    told = ("key_1", "websocket", "w", NOON)
    await desk.write(
        Session("s1", baker, *told, agent_id="bread", responses=1, **over),
        Session("s2", baker, "key_2", "websocket", "w", NOON + timedelta(hours=1)),
        Session("s3", miller, *told, **over),
        turns=[
            Turn("s1", 1, 100, "caller", "completed", "two rolls please"),
            Turn("s1", 2, 900, "agent", "completed", "Certainly.", first_audio_ms=500.0),
            Turn("s3", 1, 100, "caller", "completed", "a bag of flour"),
        ],
        refusals=[Refusal(baker, NOON, "key_1", "full", 2)],
    )
    return desk


async def test_an_accounts_sessions_are_listed_newest_first(desk: Desk) -> None:
    assert await desk.ids() == ["s2", "s1"]
    assert await desk.ids("limit=1") == ["s2"]
    assert await desk.ids("after=s2&limit=1") == ["s1"]
    assert await desk.ids("agent=bread") == ["s1"]
    assert await desk.ids("key=key_2") == ["s2"]
    assert await desk.ids("q=rolls") == ["s1"]
    assert await desk.ids("q=flour") == []
    assert await desk.ids("end_reason=client_left") == ["s1"]
    assert await desk.ids("from=2026-11-28T12:30Z") == ["s2"]
    assert await desk.ids("to=2026-11-28T12:30Z") == ["s1"]
    assert await desk.ids(key="miller") == ["s3"]
    assert await desk.ids(key="admin") == ["s2", "s3", "s1"]


async def test_a_session_is_shown_with_its_turns(desk: Desk) -> None:
    status, record = await desk.ask("/v1/sessions/s1")
    assert status == 200
    assert (record["id"], record["end_reason"], record["responses"]) == ("s1", "client_left", 1)
    assert [turn["text"] for turn in record["turns"]] == ["two rolls please", "Certainly."]
    assert record["turns"][1]["first_audio_ms"] == 500
    status, still_open = await desk.ask("/v1/sessions/s2")
    assert (status, still_open["ended_at"], still_open["turns"]) == (200, None, [])


async def test_a_stranger_finds_nothing(desk: Desk) -> None:
    for method in ("GET", "DELETE"):
        status, told = await desk.ask("/v1/sessions/s1", method, key="miller")
        assert (status, told["error"]["message"]) == (404, "there is no session 's1'")
    assert (await desk.ask("/v1/sessions?account=acc_default"))[0] == 404
    assert await desk.ids("after=s2", key="miller") == []
    assert (await desk.ask("/v1/sessions/s1"))[0] == 200


async def test_what_has_ended_can_be_deleted(desk: Desk) -> None:
    status, told = await desk.ask("/v1/sessions/s2", "DELETE")
    assert (status, told["error"]["code"]) == (409, "session_open")
    assert (await desk.ask("/v1/sessions/s1", "DELETE"))[0] == 204
    assert (await desk.ask("/v1/sessions/s1"))[0] == 404
    assert await desk.ids() == ["s2"]


async def test_how_it_went_is_summed_up(desk: Desk) -> None:
    spell = "from=2026-11-28&to=2026-11-29"
    status, told = await desk.ask(f"/v1/analytics?{spell}&group_by=agent&group_by=hour")
    assert status == 200, told
    assert (told["from"], told["group_by"]) == ("2026-11-28T00:00:00Z", ["agent", "hour"])
    groups = {(part["agent"], part["hour"]): part for part in told["data"]}
    bread = groups["bread", "2026-11-28T12:00:00Z"]
    assert (bread["sessions"], bread["minutes"], bread["responses"]) == (1, 2, 1)
    assert bread["latency"] == {"answers": 1, "p50_ms": 500, "p95_ms": 500, "p99_ms": 500}
    assert groups[None, "2026-11-28T12:00:00Z"]["refusals"] == {"full": 2}
    assert groups[None, "2026-11-28T13:00:00Z"]["sessions"] == 1
    assert told["total"]["sessions"] == 2
    assert told["total"]["refusals"] == {"full": 2}
    _, other = await desk.ask(f"/v1/analytics?{spell}", key="miller")
    assert (other["data"], other["total"]["sessions"]) == ([], 1)
    assert other["total"]["refusals"] == {}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/sessions?from=yesterday", "from is 'yesterday'"),
        ("/v1/sessions?to=9999999-01-01", "to is"),
        ("/v1/sessions?limit=0", "limit"),
        ("/v1/sessions?q=%00", "cannot hold"),
        ("/v1/sessions/%00", "cannot hold"),
        ("/v1/analytics?group_by=colour", "group_by"),
        ("/v1/analytics?from=x", "from is 'x'"),
    ],
)
async def test_what_cannot_be_asked_is_told(desk: Desk, path: str, told: str) -> None:
    status, answer = await desk.ask(path)
    assert status == 400, answer
    assert told in answer["error"]["message"]


async def test_the_longest_search_is_a_search(desk: Desk) -> None:
    words = "+".join(["rolls", '"please', "-(", "or"] * 200)
    assert await desk.ids(f"q={words}") in ([], ["s1"])


async def test_a_deleted_account_takes_its_records_along(site: Site, desk: Desk) -> None:
    account = (await desk.ask("/v1/sessions/s1"))[1]["account_id"]
    assert (await site.ask("DELETE", f"/v1/admin/accounts/{account}"))[0] == 204
    assert await desk.ids(key="admin") == ["s3"]
