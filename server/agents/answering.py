"""Who answers in a session: an agent, as its record has it at that moment."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from actors.spelled import Spelled
from engine.services import Mind, Tongue, as_ever, as_written
from engine.tools import Toolbox
from server.access.caller import Caller
from server.access.denied import Denied
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
from server.agents.incoming import Answer, Arrival, Unanswered, ask, check
from server.agents.listing import Lists
from server.agents.llms import Llms, keys_of
from server.agents.mcp import CallsMcp, McpError, Offered, client_of
from server.agents.running import RunTool
from server.agents.toolbox import AgentTools
from server.knowledge.library import Library
from server.knowledge.lookup import Lookup
from server.outbound.client import Outbound
from server.speech.dictionaries import Dictionaries, Locator
from server.vault import Vault
from storage import agents
from storage.agents import Agent
from storage.database import Database
from storage.errors import Missing, Unfit
from transports.realtime.overrides import Override
from transports.realtime.wire import JsonObject

log = logging.getLogger(__name__)

FRESH_S = 5.0
"""So long an agent is used as it was read: callers who come at once share a look, and a change
holds for the sessions that begin soon after."""

MOST = 1000
"""Agents that are remembered."""

Asked = tuple[str, str | None, bool]
"""Who is to answer, and all of the caller that says whether it may: the account, and whether it is
an administrator's."""


class Answering(msgspec.Struct, frozen=True):
    """One version of an agent, ready to answer. `secrets` are those that it names, `listed` what
    each of its MCP servers offers, by its place among the tools, `arguments` what its HTTP tools
    take, by name; `mind` is who thinks, `tongue` how its words are said.
    """

    agent: Agent
    config: AgentConfig
    secrets: dict[str, str]
    listed: dict[int, list[Offered]]
    outbound: Outbound
    library: Library
    arguments: dict[str, Arguments] = {}
    mind: Mind = as_ever
    tongue: Tongue = as_written
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
                try:
                    client = client_of(tool, self.secrets, self.outbound)
                except McpError as error:  # its secret was there when it was listed
                    log.warning("an MCP server is left out", extra={"error": str(error)})
                    return
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
        llms: Llms,
        dictionaries: Dictionaries,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._outbound = outbound
        self._library = library
        self._vault = vault
        self._llms = llms
        self._dictionaries = dictionaries
        self._clock = clock
        self._lists = Lists(outbound, clock)
        self._known: dict[Asked, tuple[float, Answering]] = {}
        self._reading: dict[Asked, asyncio.Task[Answering]] = {}

    async def answering(self, caller: Caller, named: str) -> Answering:
        """The agent with this id, at its latest version or, as `agent_…@3`, at another. Raises
        `Missing`, also for another account's, and `StorageError`.
        """
        asked = named, caller.account_id, caller.may("admin")
        until, known = self._known.get(asked, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        if asked not in self._reading:
            task = asyncio.create_task(self._read(asked, caller))
            self._reading[asked] = task
            task.add_done_callback(lambda _: self._reading.pop(asked))
        return await asyncio.shield(self._reading[asked])  # others wait for it too

    async def arriving(self, caller: Caller, arrival: Arrival) -> Answering:
        """As `answering`; who is named is asked who answers. Where that fails it answers itself, or
        if it may not, raises `Unanswered`.
        """
        named = await self.answering(caller, arrival.agent)
        incoming = named.config.incoming
        if incoming is None:
            return named
        try:
            said = await ask(incoming, arrival, named.secrets, self._outbound)
            return await self._as_said(named, said)
        except Unanswered as error:
            extra = {"agent": arrival.agent, "error": str(error)}
            log.warning("nobody says who answers", extra=extra)
            if incoming.required:
                raise Unanswered(f"the agent's incoming webhook fails: {error}") from error
            return named

    async def _as_said(self, named: Answering, said: Answer) -> Answering:
        """Who is to answer, of the same account. Raises `Unanswered`."""
        chosen = named
        if said.agent is not None:
            account = Caller(named.agent.account_id)  # an administrator sees others' agents too
            try:
                chosen = await self.answering(account, said.agent)
            except (Missing, Unfit) as error:
                raise Unanswered("its account has no agent with the id that it names") from error
        if said.preset:
            check(said, chosen.config.session)
            chosen = msgspec.structs.replace(chosen, given=(said.preset,))
        return chosen

    async def _read(self, asked: Asked, caller: Caller) -> Answering:
        known = await self._made_ready(caller, asked[0])
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[asked] = self._clock() + FRESH_S, known
        return known

    async def _made_ready(self, caller: Caller, named: str) -> Answering:
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
            *(
                self._lists.of((agent.id, agent.version, place), tool, secrets)
                for place, tool in servers.items()
            )
        )
        found = zip(servers, lists, strict=True)
        listed = {place: tools for place, tools in found if tools is not None}
        reached = self._outbound, self._library
        mind = self._llms.mind(config.llm, secrets)
        tongue = await self._tongue(agent, config)
        return Answering(agent, config, secrets, listed, *reached, arguments, mind, tongue)

    async def _tongue(self, agent: Agent, config: AgentConfig) -> Tongue:
        """A dictionary that is gone is no reason to be silent."""
        locators = [Locator(one) for one in config.pronunciation]
        try:
            dictionary = await self._dictionaries.of(Caller(agent.account_id), locators)
        except Denied as denied:
            extra = {"agent": agent.id, "error": str(denied)}
            log.warning("an agent speaks without its dictionaries", extra=extra)
            return as_written
        return partial(Spelled, spelling=dictionary.said) if dictionary.rules else as_written


def arguments_of(config: AgentConfig) -> dict[str, Arguments]:
    """What an agent's HTTP tools take, by name: 20 ms for a large config, so not for a loop."""
    tools = (tool for tool in config.tools if isinstance(tool, HttpTool))
    return {tool.name: Arguments(tool.parameters) for tool in tools}


def secrets_of(config: AgentConfig) -> set[str]:
    """The names of the secrets that an agent needs."""
    names = keys_of(config.llm)
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
