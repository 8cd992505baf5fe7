"""Sessions and their turns: written, written again, found, summed up, deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from storage import accounts, analytics, records, sessions, turns
from storage.analytics import Latency, Summary
from storage.database import Connection, Database
from storage.errors import Missing
from storage.records import Changes
from storage.refusals import Refusal
from storage.sessions import News, Session, Sought
from storage.turns import Turn

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ALWAYS = (NOON - timedelta(days=9), NOON + timedelta(days=9))


class Desk:
    """A gateway that writes, and one account's sessions."""

    def __init__(self, connection: Connection, account: str) -> None:
        self.connection = connection
        self.account = account
        self.batch = 0

    def session(self, ident: str, **values: Any) -> Session:
        given = {"account_id": self.account, "key_id": "k", "transport": "websocket", "writer": "w"}
        return Session(**{"id": ident, "began_at": NOON, **given, **values})

    async def write(self, *rows: Session | Turn | Refusal, again: bool = False) -> bool:
        return await self.news(*rows, again=again) is not None

    async def news(self, *rows: Session | Turn | Refusal, again: bool = False) -> News | None:
        self.batch += not again
        changes = Changes(
            tuple(row for row in rows if isinstance(row, Session)),
            tuple(row for row in rows if isinstance(row, Turn)),
            tuple(row for row in rows if isinstance(row, Refusal)),
        )
        return await records.write(self.connection, "w", self.batch, changes)

    async def turns(self, ident: str) -> list[Turn]:
        return await turns.of(self.connection, ident)

    async def found(self, **sought: Any) -> list[str]:
        listed = await sessions.listed(self.connection, Sought(self.account, **sought))
        return [session.id for session in listed]


@pytest.fixture
async def desk(connection: asyncpg.Connection) -> Desk:
    return Desk(connection, (await accounts.create(connection, "Bakery")).id)


async def test_a_session_is_what_was_said_of_it_last(desk: Desk) -> None:
    began = desk.session("s1", agent_id="baker", agent_version=3)
    said = Turn("s1", 1, 900, "caller", "completed", "two rolls")
    answer = Turn("s1", 2, 1500, "agent", "in_progress", None, "r1", {"first_audio": 612.5}, 612.5)
    await desk.write(began, said, answer)
    assert await sessions.get(desk.connection, "s1", desk.account) == began
    assert await desk.turns("s1") == [said, answer]

    ended = replace(began, responses=1, errors={"timeout": 2}, ended_at=NOON, end_reason="failed")
    await desk.write(ended, Turn("s1", 2, 0, "agent", "incomplete", "That will"))
    assert await sessions.get(desk.connection, "s1") == ended
    assert (await desk.turns("s1"))[1] == replace(answer, status="incomplete", text="That will")


async def test_what_is_said_twice_is_written_once(desk: Desk) -> None:
    rows = (desk.session("s1"), Turn("s1", 1, 0, "caller", "completed", "hello"))
    refused = Refusal(desk.account, NOON, "k", "no_capacity", 2)
    written = [await desk.write(*rows, refused, again=again) for again in (False, True, True)]
    assert written == [True, False, False]
    assert len(await desk.turns("s1")) == 1
    [summary] = (await summed(desk)).values()
    assert summary.refusals == {"no_capacity": 2}


async def test_a_deleted_session_does_not_come_back(desk: Desk) -> None:
    over = desk.session("s1", ended_at=NOON, end_reason="client_left")
    await desk.write(over)
    await sessions.delete(desk.connection, "s1", desk.account)
    assert not await desk.write(over, again=True)
    with pytest.raises(Missing, match="there is no session 's1'"):
        await sessions.get(desk.connection, "s1")


async def test_an_open_session_is_not_deleted_and_a_strangers_is_not_seen(desk: Desk) -> None:
    await desk.write(desk.session("s1"))
    assert (await sessions.delete(desk.connection, "s1", desk.account)).ended_at is None
    assert await desk.found() == ["s1"]
    for ask in (sessions.get, sessions.delete):
        with pytest.raises(Missing):
            await ask(desk.connection, "s1", "acc_other")


async def test_what_belongs_to_nobody_any_more_stops_nothing(desk: Desk) -> None:
    lost = desk.session("s0", account_id="acc_gone")
    orphan = Turn("s0", 1, 0, "caller", "completed", "hello")
    gone = Refusal("acc_gone", NOON, "k", "full", 1)
    await desk.write(lost, orphan, desk.session("s1"), gone)
    assert await desk.found() == ["s1"]
    await accounts.delete(desk.connection, desk.account)
    assert await desk.connection.fetchval("select count(*) from sessions") == 0


async def test_the_sessions_of_a_dead_gateway_end_where_the_last_was_said(desk: Desk) -> None:
    over = desk.session("s2", ended_at=NOON, end_reason="client_left")
    await desk.write(desk.session("s1"), over, Turn("s1", 1, 61_000, "agent", "in_progress", "So"))
    news = await records.close(desk.connection, "w")
    assert [session.id for session in news.ended] == ["s1"]
    lost = await sessions.get(desk.connection, "s1")
    assert (lost.end_reason, lost.ended_at) == ("lost", NOON + timedelta(seconds=61))
    assert (await sessions.get(desk.connection, "s2")).end_reason == "client_left"
    assert not await desk.write(desk.session("s1"))  # it was on its way when the gateway died
    assert (await sessions.get(desk.connection, "s1")).end_reason == "lost"


async def test_a_beginning_and_an_end_are_news_once(desk: Desk) -> None:
    def told(news: News | None) -> tuple[list[str], list[str]]:
        assert news is not None
        return [one.id for one in news.began], [one.id for one in news.ended]

    over = {"ended_at": NOON, "end_reason": "client_left"}
    brief = desk.session("s2", **over)
    assert told(await desk.news(desk.session("s1"), brief)) == (["s1", "s2"], ["s2"])
    assert told(await desk.news(desk.session("s1", responses=1), brief)) == ([], [])
    assert told(await desk.news(desk.session("s1", **over))) == ([], ["s1"])
    assert told(await desk.news(desk.session("s1", **over))) == ([], [])
    assert await desk.news(desk.session("s3"), again=True) is None


async def test_sessions_are_found_by_what_is_known_of_them(desk: Desk) -> None:
    later = NOON + timedelta(hours=1)
    await desk.write(
        desk.session("s1", agent_id="baker", ended_at=later, end_reason="client_left"),
        desk.session("s2", key_id="k2", began_at=later),
        desk.session("s3", began_at=later + timedelta(hours=1)),
        Turn("s1", 1, 0, "caller", "completed", "Zwei Brötchen, bitte"),
        Turn("s1", 2, 0, "agent", "completed", "That is one euro twenty"),
        Turn("s2", 1, 0, "caller", "completed", "two rolls please"),
        Turn("s3", 1, 0, "caller", "in_progress"),
    )
    assert await desk.found() == ["s3", "s2", "s1"]
    assert await desk.found(agent_id="baker") == ["s1"]
    assert await desk.found(key_id="k2") == ["s2"]
    assert await desk.found(since=later, until=later + timedelta(minutes=1)) == ["s2"]
    assert await desk.found(words="brötchen") == ["s1"]
    assert await desk.found(words='"rolls please" or "euro twenty"') == ["s2", "s1"]
    assert await desk.found(words="rolls -please") == []
    assert await desk.found(end_reason="client_left") == ["s1"]
    page = await sessions.listed(desk.connection, Sought(desk.account), "s3", 1)
    assert [session.id for session in page] == ["s2"]
    stranger = Sought("acc_other")
    assert await sessions.listed(desk.connection, stranger, "s3") == []


async def test_the_longest_text_that_a_client_may_send_is_kept(desk: Desk) -> None:
    text = " ".join(f"wört{number}" for number in range(6_000))
    await desk.write(desk.session("s1"), Turn("s1", 1, 0, "caller", "completed", text))
    assert (await desk.turns("s1"))[0].text == text
    assert await desk.found(words="wört5999") == ["s1"]


async def summed(desk: Desk, *by: analytics.Group, **sought: Any) -> dict[Any, Summary]:
    return await analytics.summed(
        desk.connection, *ALWAYS, account_id=desk.account, by=by, **sought
    )


async def test_sessions_are_summed_up(desk: Desk) -> None:
    hour = timedelta(hours=1)
    counts = {"responses": 4, "interruptions": 2, "cut_turns": 1, "false_pauses": 3}
    over = {"ended_at": NOON + timedelta(minutes=3), "end_reason": "client_left"}
    await desk.write(
        desk.session("s1", agent_id="baker", errors={"timeout": 1}, **counts, **over),
        desk.session("s2", began_at=NOON + hour, ended_at=NOON + hour, errors={"timeout": 2}),
        *(Turn("s1", n, 0, "agent", "completed", first_audio_ms=float(n)) for n in range(1, 102)),
        Turn("s2", 1, 0, "agent", "completed", "Good day."),
        Refusal(desk.account, NOON + hour, "k", "draining", 5),
    )
    latency = Latency(101, 51.0, 96.0, 100.0)
    baker = Summary(1, 3.0, 4, 2, 1, 3, latency, {"timeout": 1})
    other = Summary(1, errors={"timeout": 2}, refusals={"draining": 5})
    assert await summed(desk, "agent") == {("",): other, ("baker",): baker}
    assert await summed(desk, "hour") == {(NOON,): baker, (NOON + hour,): other}
    assert await summed(desk, agent_id="baker") == {(): baker}
    day = datetime(2026, 11, 28, tzinfo=UTC)
    both = replace(baker, sessions=2, errors={"timeout": 3}, refusals={"draining": 5})
    assert await summed(desk, "day") == {(day,): both}
    assert await summed(desk) == {(): both}
    nobody = await analytics.summed(desk.connection, *ALWAYS, account_id="acc_other")
    assert nobody == {(): Summary()}


async def test_records_are_kept_as_long_as_their_account_says(
    database: Database, connection: asyncpg.Connection
) -> None:
    """By the database's clock: that of a gateway, told as `ended_at`, may be a year off."""
    kept = (await accounts.create(connection, "Archive")).id
    short = (await accounts.create(connection, "Short", retention_days=2)).id
    desk = Desk(connection, short)
    off = {"end_reason": "client_left", "ended_at": NOON - timedelta(days=400)}
    await desk.write(
        desk.session("open"),
        desk.session("new", **off),
        desk.session("old", **off),
        desk.session("kept", account_id=kept, **off),
        Turn("old", 1, 0, "caller", "completed", "two rolls"),
    )
    await age(connection, "old", days=2.1)
    await age(connection, "kept", days=999)
    assert await database.once(lambda c: sessions.expire(c, 10)) == [(short, "old")]
    assert await sessions.known(connection, ["open", "new", "old", "kept"]) == {
        "open",
        "new",
        "kept",
    }
    assert await desk.turns("old") == []


async def age(connection: Connection, ident: str, days: float) -> None:
    """As if the database had been told of its end so long ago."""
    await connection.execute(
        "update sessions set closed_at = closed_at - $2::interval where id = $1",
        ident,
        timedelta(days=days),
    )
