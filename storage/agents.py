"""Agents: what answers. Each change makes a new version; earlier ones stay as they were."""

from datetime import datetime
from typing import Any

import msgspec

from storage.database import Connection
from storage.errors import Missing, TooMany
from storage.ids import new_id
from storage.rows import as_struct, as_structs

COLUMNS = (
    "a.id, a.account_id, a.name, v.version, v.config, a.created_at, v.created_at as changed_at"
)

JOINED = "agents a join agent_versions v on v.agent_id = a.id"

MOST = 10_000
"""Of one account."""


class Agent(msgspec.Struct, frozen=True):
    """One version of an agent, which came about at `changed_at`."""

    id: str
    account_id: str
    name: str
    version: int
    config: dict[str, Any]
    created_at: datetime
    changed_at: datetime


class Version(msgspec.Struct, frozen=True):
    """That there was one."""

    version: int
    created_at: datetime


async def create(
    connection: Connection, account_id: str, name: str, config: dict[str, Any]
) -> Agent:
    """A new one, at version 1. Raises `Missing` if there is no such account, `TooMany`."""
    held = await connection.fetchval(
        "select count(*) from agents where account_id = $1", account_id
    )
    if held >= MOST:
        raise TooMany(f"{account_id} has {held} agents: delete some")
    agent_id = await connection.fetchval(
        "insert into agents (id, account_id, name, version)"
        " select $1, id, $3, 1 from accounts where id = $2 returning id",
        new_id("agent"),
        account_id,
        name,
    )
    if agent_id is None:
        raise Missing(f"there is no account {account_id!r}")
    await _keep(connection, agent_id, 1, config)
    return await get(connection, agent_id)


async def get(
    connection: Connection,
    agent_id: str,
    account_id: str | None = None,
    version: int | None = None,
    *,
    lock: bool = False,
) -> Agent:
    """The latest version, or the one that is named, if the agent is `account_id`'s (None: whose
    ever). With `lock` nobody else changes it before the transaction ends. Raises `Missing`.
    """
    if lock:  # on its own: who has waited in a join sees the version before, and finds none
        await connection.execute("select from agents where id = $1 for update", agent_id)
    row = await connection.fetchrow(
        f"select {COLUMNS} from {JOINED} where a.id = $1"
        " and ($2::text is null or a.account_id = $2)"
        " and v.version = coalesce($3::integer, a.version)",
        agent_id,
        account_id,
        version,
    )
    if row is None:
        at = "" if version is None else f" at version {version}"
        raise Missing(f"there is no agent {agent_id!r}{at}")
    return as_struct(row, Agent)


async def listed(
    connection: Connection,
    account_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[Agent]:
    """The latest versions, oldest agent first; those `after` the agent with this id."""
    rows = await connection.fetch(
        f"select {COLUMNS} from {JOINED} where v.version = a.version"
        " and ($1::text is null or a.account_id = $1) and ($2::text is null or"
        " (a.created_at, a.id) > (select created_at, id from agents where id = $2))"
        " order by a.created_at, a.id limit $3",
        account_id,
        after,
        most,
    )
    return as_structs(rows, Agent)


async def versions(connection: Connection, agent_id: str) -> list[Version]:
    """All that there were, latest first."""
    rows = await connection.fetch(
        "select version, created_at from agent_versions where agent_id = $1 order by version desc",
        agent_id,
    )
    return as_structs(rows, Version)


async def change(connection: Connection, agent: Agent, name: str, config: dict[str, Any]) -> Agent:
    """A new version of it, which should come from `get` with `lock` in the same transaction."""
    version = agent.version if config == agent.config else agent.version + 1
    await connection.execute(
        "update agents set name = $2, version = $3 where id = $1",
        agent.id,
        name,
        version,
    )
    if version != agent.version:
        await _keep(connection, agent.id, version, config)
    return await get(connection, agent.id)


async def delete(connection: Connection, agent_id: str, account_id: str | None = None) -> None:
    """With all its versions. Raises `Missing`."""
    gone = await connection.fetchval(
        "delete from agents where id = $1 and ($2::text is null or account_id = $2) returning id",
        agent_id,
        account_id,
    )
    if gone is None:
        raise Missing(f"there is no agent {agent_id!r}")


async def _keep(
    connection: Connection, agent_id: str, version: int, config: dict[str, Any]
) -> None:
    await connection.execute(
        "insert into agent_versions (agent_id, version, config) values ($1, $2, $3::jsonb)",
        agent_id,
        version,
        msgspec.json.encode(config).decode(),
    )
