"""Tools of a real MCP server, the official package's."""

import asyncio
import ipaddress
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession
from aiohttp.test_utils import unused_port

from server.agents.config import McpServer
from server.agents.mcp import (
    CallsMcp,
    McpClient,
    McpError,
    McpTool,
    client_of,
    events_in,
    offered,
    result_of,
)
from server.outbound.addresses import Rules
from server.outbound.client import Answer, Outbound
from tests.server.program import ROOT


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = unused_port()
    command = [sys.executable, "-m", "tests.server.agents.an_mcp_server", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        yield port
        process.kill()


@pytest_asyncio.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(Rules([ipaddress.ip_network("127.0.0.1")])) as outbound:
        yield outbound


def bakery(port: int, **more: Any) -> McpServer:
    return McpServer(url=f"http://127.0.0.1:{port}/mcp", timeout_ms=5000, **more)


async def client(port: int, outbound: Outbound) -> McpClient:
    """Of the server, once it listens."""
    async with ClientSession() as http:
        for _ in range(200):
            try:
                async with http.get(f"http://127.0.0.1:{port}/mcp"):
                    break
            except ClientError:
                await asyncio.sleep(0.1)
    return client_of(bakery(port), {}, outbound)


async def test_its_tools_are_listed_and_called(port: int, outbound: Outbound) -> None:
    asking = await client(port, outbound)
    listed = {tool.name: tool for tool in await asking.tools()}
    assert set(listed) == {"price", "stock", "burn", "leave"}
    assert listed["price"].description == "What something costs."
    assert listed["price"].input_schema["required"] == ["item"]
    assert (await asking.call("price", {"item": "bread"})).output == "3 kroner"
    assert '"left":7' in (await asking.call("stock", {"item": "bread"})).output.replace(" ", "")
    burnt = await asking.call("burn", {"item": "cake"})
    assert burnt.failed
    assert "burn" in burnt.output


async def test_an_agent_has_those_that_are_allowed(port: int, outbound: Outbound) -> None:
    asking = await client(port, outbound)
    listed = await asking.tools()
    server = bakery(port, allowed=("price",))
    [one] = offered(server, listed)
    price = CallsMcp(one, server, asking)
    assert price.spec.name == "price"
    outcome = await price.run(price.arguments.read('{"item": "bread"}'), {}, "call_1")
    assert (outcome.output, outcome.failed) == ("3 kroner", False)


def test_what_no_llm_could_call_is_left_out() -> None:
    listed = [
        McpTool(name="files/read all", input_schema={"type": "object"}),
        McpTool(name="x" * 65, input_schema={"type": "object"}),
        McpTool(name="list", input_schema={"type": "array"}),
        McpTool(name="read", description="x" * 5000, input_schema={"type": "object"}),
    ]
    [read] = offered(bakery(1), listed)
    assert read.spec.name == "read"
    assert len(read.spec.description) == 1024


def test_of_schemas_a_server_has_so_much_and_no_more() -> None:
    def sized(name: str, kb: int) -> McpTool:
        schema = {"type": "object", "description": "x" * kb * 1024}
        return McpTool(name=name, input_schema=schema)

    listed = [sized("huge", 64), *(sized(f"large{n}", 60) for n in range(5)), sized("small", 1)]
    kept = [tool.spec.name for tool in offered(bakery(1), listed)]
    assert kept == ["large0", "large1", "large2", "large3", "small"]
    [last] = offered(bakery(1, allowed=("large4",)), listed)
    assert last.spec.name == "large4"


async def test_a_server_that_has_forgotten_us_is_greeted_again(
    port: int, outbound: Outbound
) -> None:
    asking = await client(port, outbound)
    await asking.tools()
    assert asking._session is not None
    asking._session["mcp-session-id"] = "0" * 32
    assert (await asking.call("price", {"item": "bread"})).output == "3 kroner"


async def test_who_is_not_there_is_told_to_the_llm(outbound: Outbound) -> None:
    asking = client_of(bakery(unused_port()), {}, outbound)
    with pytest.raises(McpError, match=r"127\.0\.0\.1 cannot be reached"):
        await asking.tools()


async def test_a_private_server_is_not_reached_unless_the_operator_allows() -> None:
    async with Outbound(Rules()) as outbound:
        asking = client_of(bakery(unused_port()), {}, outbound)
        with pytest.raises(McpError, match="not a public address"):
            await asking.tools()


def test_a_missing_secret_is_named() -> None:
    server = bakery(1, headers={"authorization": "Bearer {{secret.NONE}}"})
    with pytest.raises(McpError, match="there is no secret NONE"):
        client_of(server, {}, None)  # type: ignore[arg-type]


def test_events_are_read_as_servers_write_them() -> None:
    body = b'event: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: ping\n\ndata: 2\n\n'
    assert list(events_in(body)) == [b'{"a":\n1}', b"2"]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"", "HTTP 500"),
        (200, b"<html>", "none of the protocol's"),
        (200, b'{"jsonrpc": "2.0", "id": 1}', "no result"),
        (200, b'{"id": 1, "error": {"message": "no such tool"}}', "says no: no such tool"),
        (200, b'{"id": 1, "result": [1]}', "none of the protocol's"),
        (200, b'{"id": 1, "result": ' + b'{"a":' * 3000 + b"1" + b"}" * 3001, "none of the"),
    ],
)
def test_an_answer_that_is_none_is_told(status: int, body: bytes, told: str) -> None:
    with pytest.raises(McpError, match=told):
        result_of(Answer(status, {}, body), dict[str, Any])
