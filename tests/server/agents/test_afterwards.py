"""What is ordered after a session's end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from server.agents import afterwards
from storage import accounts, agents, jobs
from storage.database import Connection, Database
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


async def test_a_config_that_means_nothing_any_more_orders_none_and_is_not_quoted(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert await database.once(lambda c: ordered(c, {"afterwards": "a secret"})) == 0
    assert "an agent's config cannot be read: it gets no digests" in caplog.messages
    assert "secret" not in caplog.text
