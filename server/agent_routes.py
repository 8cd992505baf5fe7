"""`/v1/agents`: an account's agents."""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from server.access.authority import Needs, owner_of
from server.access.caller import Caller, caller_of
from server.agents.answering import secrets_of
from server.agents.checking import check, wrong
from server.agents.config import AgentConfig
from server.refusals import refusals
from server.vault import Vault
from storage import agents, dictionaries, knowledge
from storage.agents import Agent, Version
from storage.database import Connection, Database
from storage.errors import Missing

NEEDS = [Needs("agents")]
PLAIN, NAMED = refusals(), refusals(404)

LARGEST = 256 * 1024
"""Bytes of a config as JSON."""

PAGE = 100
Most = Annotated[int, QueryParameter(ge=1, le=1000)]
Named = Annotated[str, Meta(min_length=1, max_length=200)]

Asked = Request[Any, Any, Any]


class NewAgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent to be made."""

    name: Named
    config: AgentConfig = msgspec.field(default_factory=AgentConfig)


class AgentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is not named stays. A `config` replaces the last one as a whole."""

    name: Named | UnsetType = UNSET
    config: AgentConfig | UnsetType = UNSET


class AgentPage(msgspec.Struct, frozen=True):
    """Some agents, oldest first. `has_more`: the rest comes `after` the last one's id."""

    data: list[Agent]
    has_more: bool


class Versions(msgspec.Struct, frozen=True):
    """All versions of an agent, latest first."""

    data: list[Version]


def routes(database: Database, vault: Vault) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    async def checked(config: AgentConfig, account_id: str) -> dict[str, Any]:
        """The config as it is kept. Raises `Denied`."""
        check(config)
        kept = msgspec.json.encode(config)
        if len(kept) > LARGEST:
            raise wrong("config", f"{len(kept)} bytes as JSON: {LARGEST} are kept at most")
        missing = secrets_of(config) - set(await vault.names(account_id))
        if missing:
            name = min(missing)
            raise wrong("config", f"no secret {name!r}: make it by PUT /v1/secrets/{name}")
        for place, collection in enumerate(config.knowledge):
            try:
                await database.run(
                    partial(knowledge.get, collection_id=collection, account_id=account_id)
                )
            except Missing as error:
                raise wrong(f"config.knowledge[{place}]", str(error)) from error
        for place, dictionary in enumerate(config.pronunciation):
            try:
                await database.run(
                    partial(dictionaries.get, account_id=account_id, dictionary_id=dictionary)
                )
            except Missing as error:
                raise wrong(f"config.pronunciation[{place}]", str(error)) from error
        plain: dict[str, Any] = msgspec.json.decode(kept)
        return plain

    @post(
        "/v1/agents",
        guards=NEEDS,
        responses=refusals(413),
        request_max_body_size=2 * LARGEST,
        summary="Make an agent",
    )
    async def make_agent(request: Asked, data: JSONBody[NewAgent]) -> Agent:
        """It answers in the sessions that begin with `?agent=` and its id."""
        account_id = owner_of(request.scope)
        config = await checked(data.config, account_id)
        return await database.once(lambda c: agents.create(c, account_id, data.name, config))

    @get("/v1/agents", guards=NEEDS, responses=PLAIN, summary="All agents")
    async def list_agents(
        request: Asked, after: FromQuery[str | None] = None, limit: Most = PAGE
    ) -> AgentPage:
        """Of the key's account, an administrator's: of all. Their latest versions."""
        account_id = seen_by(caller_of(request.scope))
        found = await database.run(lambda c: agents.listed(c, account_id, after, limit + 1))
        return AgentPage(found[:limit], len(found) > limit)

    @get("/v1/agents/{agent_id:str}", guards=NEEDS, responses=NAMED, summary="An agent")
    async def get_agent(
        request: Asked,
        agent_id: FromPath[str],
        version: Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)] = None,
    ) -> Agent:
        """At its latest version, or at another."""
        account_id = seen_by(caller_of(request.scope))
        return await database.run(lambda c: agents.get(c, agent_id, account_id, version))

    @get(
        "/v1/agents/{agent_id:str}/versions",
        guards=NEEDS,
        responses=NAMED,
        summary="An agent's versions",
    )
    async def list_versions(request: Asked, agent_id: FromPath[str]) -> Versions:
        """When each was made."""
        account_id = seen_by(caller_of(request.scope))

        async def look(connection: Connection) -> list[Version]:
            await agents.get(connection, agent_id, account_id)
            return await agents.versions(connection, agent_id)

        return Versions(await database.run(look))

    @patch(
        "/v1/agents/{agent_id:str}",
        guards=NEEDS,
        responses=refusals(404, 413),
        request_max_body_size=2 * LARGEST,
        summary="Change an agent",
    )
    async def change_agent(
        request: Asked, agent_id: FromPath[str], data: JSONBody[AgentChange]
    ) -> Agent:
        """A config that differs is a new version. Sessions that are open keep the one they have,
        those that begin some seconds later have the new one.
        """
        account_id = seen_by(caller_of(request.scope))
        there = await database.run(lambda c: agents.get(c, agent_id, account_id))
        config: dict[str, Any] | None = None
        if data.config is not UNSET:
            config = await checked(data.config, there.account_id)

        async def change(connection: Connection) -> Agent:
            agent = await agents.get(connection, agent_id, account_id, lock=True)
            name = agent.name if data.name is UNSET else data.name
            return await agents.change(
                connection, agent, name, agent.config if config is None else config
            )

        return await database.once(change)

    @delete("/v1/agents/{agent_id:str}", guards=NEEDS, responses=NAMED, summary="Delete an agent")
    async def delete_agent(request: Asked, agent_id: FromPath[str]) -> None:
        """With all its versions. Its sessions go on to their end."""
        account_id = seen_by(caller_of(request.scope))
        await database.once(lambda c: agents.delete(c, agent_id, account_id))

    return [make_agent, list_agents, get_agent, list_versions, change_agent, delete_agent]


def seen_by(caller: Caller) -> str | None:
    """Whose records this caller may reach; None: everybody's."""
    return None if caller.may("admin") else caller.account_id
