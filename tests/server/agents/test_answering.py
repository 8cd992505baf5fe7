"""Who answers: an agent as its record has it, its MCP servers, and who may know of it."""

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web

from server.access.caller import Caller
from server.agents.answering import Agents
from server.knowledge.library import Library
from server.outbound.addresses import Rules, networks
from server.outbound.client import Outbound
from server.outbound.sealing import Sealing
from server.vault import Vault
from storage import accounts, agents
from storage.database import Database
from storage.errors import Missing
from tests.server.knowledge.meanings import Meanings
from tests.server.local_server import LocalServer
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "url"]

HERE = Rules(networks("127.0.0.1"))


class Mcp:
    """An MCP server of somebody's, with these tools."""

    def __init__(self) -> None:
        self.listings = 0
        self.tools: list[dict[str, Any]] = [tool("price")]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        result: dict[str, Any] = {"protocolVersion": "2025-06-18"}
        if asked["method"] == "tools/list":
            self.listings += 1
            result = {"tools": self.tools}
        return web.json_response({"jsonrpc": "2.0", "id": asked.get("id"), "result": result})


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **more}


class House:
    """What finds who answers, and two accounts with agents; `now` is its clock."""

    def __init__(self, database: Database, outbound: Outbound) -> None:
        vault = Vault(database, Sealing(bytes(32)))
        library = Library(database, Meanings())
        self.database = database
        self.now = 0.0
        self.agents = Agents(database, outbound, library, vault, lambda: self.now)
        self.bakery = self.mill = ""

    async def agent(self, account: str, **config: Any) -> str:
        """A new one; its id."""
        made = await self.database.once(lambda c: agents.create(c, account, "Baker", config))
        return made.id

    async def offered(self, named: str) -> list[str]:
        """The names of its tools in a session of its own account."""
        found = await self.agents.answering(Caller(self.bakery), named)
        return [spec.name for spec in found.toolbox("sess_1").specs]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with Outbound(HERE) as outbound:
        house = House(database, outbound)
        house.bakery = (await database.once(lambda c: accounts.create(c, "Bakery"))).id
        house.mill = (await database.once(lambda c: accounts.create(c, "Mill"))).id
        yield house


@contextlib.contextmanager
def listening(mcp: Mcp) -> Iterator[dict[str, Any]]:
    with LocalServer(mcp.handle) as server:
        yield {"type": "mcp", "url": f"{server.url}/mcp", "timeout_ms": 5000}


async def test_nothing_is_asked_for_a_stranger(house: House) -> None:
    mcp = Mcp()
    with listening(mcp) as server:
        named = await house.agent(house.bakery, tools=[server])
        with pytest.raises(Missing, match="there is no agent"):
            await house.agents.answering(Caller(house.mill, scopes=("realtime",)), named)
        assert mcp.listings == 0
        assert await house.offered(named) == ["price"]
        with pytest.raises(Missing, match="there is no agent"):
            await house.agents.answering(Caller(house.mill, scopes=("realtime",)), named)
        found = await house.agents.answering(Caller(house.mill, scopes=("admin",)), named)
        assert found.agent.id == named
        assert mcp.listings == 1


async def test_schemas_are_made_ready_once_and_beside_the_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[threading.Thread] = []
    ready = jsonschema_rs.validator_for

    def counted(*given: Any, **more: Any) -> Any:
        made.append(threading.current_thread())
        return ready(*given, **more)

    orders = {"type": "http", "name": "orders", "url": "https://a.example"}
    with listening(Mcp()) as server:
        named = await house.agent(house.bakery, tools=[orders, server])
        monkeypatch.setattr(jsonschema_rs, "validator_for", counted)
        for _ in range(3):
            assert await house.offered(named) == ["orders", "price"]
    assert len(made) == 2
    assert threading.main_thread() not in made
