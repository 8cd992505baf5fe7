"""What MCP servers offer, as they last told: no caller waits long for one that is slow or away."""

import asyncio
import logging
from collections.abc import Callable

from server.agents.config import McpServer
from server.agents.mcp import McpError, Offered, client_of, offered
from server.outbound.client import Outbound

log = logging.getLogger(__name__)

Place = tuple[str, int, int]
"""Where a server stands: an agent's id, its version, and the number of the tool in its config."""

LISTED_S = 60.0
"""So long what a server has told is used, or that it did not tell, before it is asked again."""

PATIENCE_S = 2.0
"""So long a session waits to begin for a list that there is not yet: the caller hears nothing."""

MOST = 1000
"""Lists that are remembered."""


class Lists:
    """Those of all agents. A server is asked once for all who want to know."""

    def __init__(self, outbound: Outbound, clock: Callable[[], float]) -> None:
        self._outbound = outbound
        self._clock = clock
        self._kept: dict[Place, tuple[float, list[Offered] | None]] = {}
        self._asking: dict[Place, tuple[float, asyncio.Task[None]]] = {}

    async def of(
        self, place: Place, server: McpServer, secrets: dict[str, str]
    ) -> list[Offered] | None:
        """What it offers, or did, while it is asked again. None if it does not tell, or not yet:
        no reason not to answer a caller.
        """
        if (kept := self._kept.get(place)) is not None and self._clock() < kept[0]:
            return kept[1]
        if place not in self._asking:
            task = asyncio.create_task(self._ask(place, server, secrets))
            self._asking[place] = self._clock(), task
            task.add_done_callback(lambda _: self._asking.pop(place))
        if kept is not None and kept[1] is not None:
            return kept[1]
        began, task = self._asking[place]
        await asyncio.wait({task}, timeout=max(began + PATIENCE_S - self._clock(), 0.0))
        kept = self._kept.get(place)
        return None if kept is None else kept[1]

    async def _ask(self, place: Place, server: McpServer, secrets: dict[str, str]) -> None:
        _, tools = self._kept.get(place, (0.0, None))
        try:
            told = await client_of(server, secrets, self._outbound).tools()
            tools = await asyncio.to_thread(offered, server, told)
        except McpError as error:
            log.warning("an MCP server does not tell its tools", extra={"error": str(error)})
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[place] = self._clock() + LISTED_S, tools
