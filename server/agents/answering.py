"""Who answers in a session: an agent, as its record has it at that moment."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from engine.tools import Toolbox
from server.access.caller import Caller
from server.agents.builtin import EndsCall, SetsVariable, Waits
from server.agents.config import (
    AgentConfig,
    EndCall,
    HttpTool,
    McpServer,
    SetVariable,
    Tool,
    Wait,
)
from server.agents.filling import secrets_in
from server.agents.http_tool import CallsServer
from server.agents.incoming import Arrival, ask
from server.agents.mcp import McpError, McpTool, client_of, tools_of
from server.agents.running import RunTool
from server.agents.toolbox import AgentTools
from server.knowledge.library import Library
from server.knowledge.lookup import Lookup
from server.outbound.client import Outbound
from server.vault import Vault
from storage import agents
from storage.agents import Agent
from storage.database import Database
from storage.errors import Missing
from transports.realtime.overrides import Override
from transports.realtime.wire import JsonObject

log = logging.getLogger(__name__)

LISTED_S = 60.0
"""So long a list of an MCP server's tools is used."""

FRESH_S = 5.0
"""So long an agent is used as it was read: callers who come at once share a look, and a change
holds for the sessions that begin soon after."""

MOST = 1000
"""Agents that are remembered."""


class Answering(msgspec.Struct, frozen=True):
    """One version of an agent, ready to answer. `secrets` are those that its tools name, `listed`
    what each of its MCP servers offers, by address.
    """

    agent: Agent
    config: AgentConfig
    secrets: dict[str, str]
    listed: dict[str, list[McpTool]]
    outbound: Outbound
    library: Library
    given: tuple[JsonObject, ...] = ()

    @property
    def presets(self) -> Sequence[JsonObject]:
        """What its sessions begin with, `given` for this one included."""
        return (self.config.session, *self.given)

    @property
    def allowed(self) -> Sequence[Override]:
        """What clients may change."""
        return self.config.overrides

    def toolbox(self, session_id: str) -> Toolbox:
        """For one session."""
        who = {"voiceforge-session": session_id, "voiceforge-agent": self.agent.id}
        return AgentTools(made for tool in self.config.tools for made in self._made(tool, who))

    def knowledge(self) -> Lookup | None:
        """For one session; None if it knows nothing."""
        if not self.config.knowledge:
            return None
        return Lookup(self.library, self.agent.account_id, self.config.knowledge)

    def _made(self, tool: Tool, who: dict[str, str]) -> Iterator[RunTool]:
        match tool:
            case HttpTool():
                yield CallsServer(tool, self.outbound, self.secrets, who)
            case EndCall():
                yield EndsCall(tool)
            case Wait():
                yield Waits(tool)
            case SetVariable():
                yield SetsVariable(tool)
            case McpServer() if tool.url in self.listed:
                client = client_of(tool, self.secrets, self.outbound)
                yield from tools_of(tool, self.listed[tool.url], client)


class Agents:
    """Finds who is to answer."""

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        library: Library,
        vault: Vault,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._outbound = outbound
        self._library = library
        self._vault = vault
        self._clock = clock
        self._known: dict[str, tuple[float, Answering]] = {}
        self._listed: dict[tuple[str, int, str], tuple[float, list[McpTool]]] = {}

    async def answering(self, caller: Caller, named: str) -> Answering:
        """The agent with this id, at its latest version or, as `agent_…@3`, at another. Raises
        `Missing`, also for another account's, and `StorageError`.
        """
        until, known = self._known.get(named, (0.0, None))
        if known is None or self._clock() >= until:
            known = await self._read(caller, named)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[named] = self._clock() + FRESH_S, known
        if not caller.sees(known.agent.account_id):
            raise Missing(f"there is no agent {named!r}")
        return known

    async def arriving(self, caller: Caller, arrival: Arrival) -> Answering:
        """As `answering`; who is named is asked who answers. Raises `Unanswered` too."""
        named = await self.answering(caller, arrival.agent)
        incoming = named.config.incoming
        if incoming is None:
            return named
        said = await ask(incoming, arrival, named.secrets, self._outbound)
        chosen = named if said.agent is None else await self.answering(caller, said.agent)
        return msgspec.structs.replace(chosen, given=(said.preset,) if said.preset else ())

    async def _read(self, caller: Caller, named: str) -> Answering:
        agent_id, _, version = named.partition("@")
        if version and not version.isdecimal():
            raise Missing(f"there is no agent {named!r}")
        number = int(version[:9]) if version else None
        agent = await self._database.run(lambda c: agents.get(c, agent_id, version=number))
        if not caller.sees(agent.account_id):  # before anything is done with its secrets
            raise Missing(f"there is no agent {named!r}")
        config = msgspec.convert(agent.config, AgentConfig)
        secrets = await self._vault.opened(agent.account_id, secrets_of(config))
        servers = [tool for tool in config.tools if isinstance(tool, McpServer)]
        lists = await asyncio.gather(*(self._list(agent, tool, secrets) for tool in servers))
        listed = {
            tool.url: found for tool, found in zip(servers, lists, strict=True) if found is not None
        }
        return Answering(agent, config, secrets, listed, self._outbound, self._library)

    async def _list(
        self, agent: Agent, server: McpServer, secrets: dict[str, str]
    ) -> list[McpTool] | None:
        """What it offers; None if it does not tell, which is no reason not to answer a caller."""
        place = agent.id, agent.version, server.url
        until, known = self._listed.get(place, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        try:
            listed = await client_of(server, secrets, self._outbound).tools()
        except McpError as error:
            log.warning("an MCP server is left out", extra={"error": str(error)})
            return known
        if len(self._listed) >= MOST:
            self._listed.clear()
        self._listed[place] = self._clock() + LISTED_S, listed
        return listed


def secrets_of(config: AgentConfig) -> set[str]:
    """The names of the secrets that an agent's tools need."""
    names: set[str] = set()
    if config.incoming is not None:
        names |= secrets_in(config.incoming.headers)
        names |= signing(config.incoming.sign_with)
    for tool in config.tools:
        if isinstance(tool, HttpTool | McpServer):
            names |= secrets_in(tool.headers)
        if isinstance(tool, HttpTool):
            names |= signing(tool.sign_with)
    return names


def signing(name: str | None) -> set[str]:
    """The secret that signs, if one does."""
    return set() if name is None else {name}
