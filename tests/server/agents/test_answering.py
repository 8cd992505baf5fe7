"""Who answers: an agent as its record has it, its MCP servers, and who may know of it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web

from server.access.caller import Caller
from server.agents import listing
from server.agents.answering import FRESH_S, Agents
from server.agents.listing import LISTED_S
from server.agents.llms import Llms
from server.knowledge.library import Library
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.outbound.networks import networks
from server.outbound.sealing import Sealing
from server.speech.dictionaries import Dictionaries
from server.vault import Vault
from storage import accounts, agents, secrets
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
        self.away = False
        self.answers = threading.Event()
        self.answers.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        result: dict[str, Any] = {"protocolVersion": "2025-06-18"}
        if asked["method"] == "tools/list":
            self.listings += 1
            await asyncio.to_thread(self.answers.wait, 10)
            if self.away:
                return web.Response(status=503)
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
        known = Llms(outbound), Dictionaries(database)
        self.agents = Agents(database, outbound, library, vault, *known, lambda: self.now)
        self.bakery = self.mill = ""

    async def agent(self, account: str, **config: Any) -> str:
        """A new one; its id."""
        made = await self.database.once(lambda c: agents.create(c, account, "Baker", config))
        return made.id

    async def offered(self, named: str) -> list[str]:
        """The names of its tools in a session of its own account."""
        found = await self.agents.answering(Caller(self.bakery), named)
        return [spec.name for spec in found.toolbox("sess_1").specs]

    async def until_asked(self) -> None:
        """Until no MCP server is being asked."""
        asking = [task for _, task in self.agents._lists._asking.values()]
        async with asyncio.timeout(10):
            await asyncio.gather(*asking)


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


async def test_who_comes_at_once_shares_one_look_and_one_list(house: House) -> None:
    mcp = Mcp()
    with listening(mcp) as server:
        named = await house.agent(house.bakery, tools=[server])
        admin = Caller(house.mill, scopes=("admin",))
        owners = [house.agents.answering(Caller(house.bakery), named) for _ in range(20)]
        first, *others, also = await asyncio.gather(*owners, house.agents.answering(admin, named))
        assert all(one is first for one in others)
        assert [spec.name for spec in also.toolbox("sess_1").specs] == ["price"]
    assert mcp.listings == 1


async def test_who_leaves_early_takes_the_look_from_nobody(house: House) -> None:
    named = await house.agent(house.bakery)
    leaving, staying = (
        asyncio.create_task(house.agents.answering(Caller(house.bakery), named)) for _ in range(2)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).agent.id == named
    assert leaving.cancelled()


async def test_a_slow_list_is_not_waited_for_and_comes_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PATIENCE_S", 0.2)
    mcp = Mcp()
    mcp.answers.clear()
    with listening(mcp) as server:
        named = await house.agent(house.bakery, tools=[server])
        assert await house.offered(named) == []
        mcp.answers.set()
        await house.until_asked()
        house.now += FRESH_S
        assert await house.offered(named) == ["price"]
    assert mcp.listings == 1


async def test_an_old_list_is_used_while_a_new_one_is_made(house: House) -> None:
    mcp = Mcp()
    with listening(mcp) as server:
        named = await house.agent(house.bakery, tools=[server])
        assert await house.offered(named) == ["price"]
        mcp.tools = [tool("stock")]
        mcp.answers.clear()
        house.now += LISTED_S
        assert await house.offered(named) == ["price"]
        mcp.answers.set()
        await house.until_asked()
        house.now += FRESH_S
        assert await house.offered(named) == ["stock"]
        mcp.away = True
        for _ in range(2):
            house.now += LISTED_S
            assert await house.offered(named) == ["stock"]
            await house.until_asked()
    assert mcp.listings == 4


async def test_a_server_that_does_not_tell_is_not_asked_at_every_session(house: House) -> None:
    mcp = Mcp()
    mcp.away = True
    with listening(mcp) as server:
        named = await house.agent(house.bakery, tools=[server])
        for _ in range(3):
            assert await house.offered(named) == []
            house.now += FRESH_S
        assert mcp.listings == 1
        mcp.away = False
        house.now += LISTED_S
        assert await house.offered(named) == ["price"]


async def test_a_server_whose_secret_is_gone_is_left_out(house: House) -> None:
    sealed = Sealing(bytes(32)).seal("s3cret", house.bakery, "KEY")
    await house.database.once(lambda c: secrets.put(c, house.bakery, "KEY", sealed))
    with listening(Mcp()) as server:
        headers = {"authorization": "Bearer {{secret.KEY}}"}
        named = await house.agent(house.bakery, tools=[{**server, "headers": headers}])
        assert await house.offered(named) == ["price"]
        await house.database.once(lambda c: secrets.delete(c, house.bakery, "KEY"))
        house.now += FRESH_S
        assert await house.offered(named) == []
