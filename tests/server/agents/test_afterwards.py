"""What is ordered after a session's end."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from server.agents import afterwards
from server.agents.digest import Made
from server.agents.llms import Llms
from server.jobs.kinds import GiveUp
from server.outbound.sealing import Sealing
from server.vault import Vault
from storage import accounts, agents, jobs, sessions, webhooks
from storage.database import Connection, Database
from storage.jobs import Job
from storage.sessions import Session
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def ordered(connection: Connection, config: dict[str, Any]) -> int:
    """How many jobs there are after a session of an agent with this config."""
    account = await accounts.first(connection)
    agent = await agents.create(connection, account.id, "Baker", config)
    session = Session(
        "s", agent.account_id, "k", "websocket", "w", NOON, agent_id=agent.id, agent_version=1
    )
    await afterwards.order(connection, session)
    return len(await jobs.listed(connection, agent.account_id))


async def test_an_agent_that_wants_a_digest_gets_one(database: Database) -> None:
    assert await database.once(lambda c: ordered(c, {"afterwards": {}})) == 1


async def test_nothing_is_told_of_a_session_that_was_deleted_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = None
    vault = Vault(database, Sealing(bytes(32)))
    kind = afterwards.Digests(database, vault, nothing, Llms(nothing), nothing)

    async def prepare(connection: Connection) -> Job:
        await ordered(connection, {"afterwards": {}})
        [job] = await jobs.listed(connection, accounts.FIRST)
        [agent] = await agents.listed(connection, accounts.FIRST)
        began = Session("s", accounts.FIRST, "k", "websocket", "w", NOON, agent.id, 1)
        await sessions.write(connection, [replace(began, ended_at=NOON)])
        given = ("wh_1", accounts.FIRST, "https://example.com", ["session.summary"], True, b"")
        await webhooks.create(connection, *given)
        return job

    async def made(*_: object) -> Made:
        await database.once(lambda c: sessions.delete(c, "s", accounts.FIRST))
        return Made("what was said", None)

    job = await database.once(prepare)
    monkeypatch.setattr(kind, "_made", made)
    with pytest.raises(GiveUp, match="the session was deleted"):
        await kind.make(job, lambda progress: None)
    assert await database.once(lambda c: jobs.listed(c, accounts.FIRST)) == []


async def test_a_config_that_means_nothing_any_more_orders_none_and_is_not_quoted(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert await database.once(lambda c: ordered(c, {"afterwards": "a secret"})) == 0
    assert "an agent's config cannot be read: it gets no digests" in caplog.messages
    assert "secret" not in caplog.text
