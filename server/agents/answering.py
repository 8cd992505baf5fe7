"""Who answers in a session: an agent, as its record has it at that moment."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from engine.tools import Toolbox
from server.access.caller import Caller
from server.agents.arguments import Arguments
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
from server.agents.mcp import CallsMcp, McpError, Offered, client_of, offered
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
    what each of its MCP servers offers, by its place among the tools, `arguments` what its HTTP
    tools take, by name.
    """

    agent: Agent
    config: AgentConfig
    secrets: dict[str, str]
    listed: dict[int, list[Offered]]
    outbound: Outbound
    library: Library
    arguments: dict[str, Arguments] = {}
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
        numbered = enumerate(self.config.tools)
        return AgentTools(made for place, tool in numbered for made in self._made(place, tool, who))

    def knowledge(self) -> Lookup | None:
        """For one session; None if it knows nothing."""
        if not self.config.knowledge:
            return None
        return Lookup(self.library, self.agent.account_id, self.config.knowledge)

    def _made(self, place: int, tool: Tool, who: dict[str, str]) -> Iterator[RunTool]:
        match tool:
            case HttpTool():
                arguments = self.arguments[tool.name]
                yield CallsServer(tool, arguments, self.outbound, self.secrets, who)
            case EndCall():
                yield EndsCall(tool)
            case Wait():
                yield Waits(tool)
            case SetVariable():
                yield SetsVariable(tool)
            case McpServer() if place in self.listed:
                client = client_of(tool, self.secrets, self.outbound)
                for one in self.listed[place]:
                    yield CallsMcp(one, tool, client)


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
        self._listed: dict[tuple[str, int, int], tuple[float, list[Offered]]] = {}

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
        arguments = await asyncio.to_thread(arguments_of, config)
        servers = {n: tool for n, tool in enumerate(config.tools) if isinstance(tool, McpServer)}
        lists = await asyncio.gather(
            *(self._list(agent, place, tool, secrets) for place, tool in servers.items())
        )
        found = zip(servers, lists, strict=True)
        listed = {place: tools for place, tools in found if tools is not None}
        return Answering(agent, config, secrets, listed, self._outbound, self._library, arguments)

    async def _list(
        self, agent: Agent, at: int, server: McpServer, secrets: dict[str, str]
    ) -> list[Offered] | None:
        """What it offers; None if it does not tell, which is no reason not to answer a caller."""
        place = agent.id, agent.version, at
        until, known = self._listed.get(place, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        try:
            told = await client_of(server, secrets, self._outbound).tools()
            listed = await asyncio.to_thread(offered, server, told)
        except McpError as error:
            log.warning("an MCP server is left out", extra={"error": str(error)})
            return known
        if len(self._listed) >= MOST:
            self._listed.clear()
        self._listed[place] = self._clock() + LISTED_S, listed
        return listed


def arguments_of(config: AgentConfig) -> dict[str, Arguments]:
    """What an agent's HTTP tools take, by name: 20 ms for a large config, so not for a loop."""
    tools = (tool for tool in config.tools if isinstance(tool, HttpTool))
    return {tool.name: Arguments(tool.parameters) for tool in tools}


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
