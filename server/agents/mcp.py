"""Tools of MCP servers, over the streamable HTTP transport (specification 2025-06-18).

A client of our own: requests must go through `Outbound`, which lets nobody reach this machine's
network, and the official package would cost every gateway some 40 MB.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.capabilities import ToolSpec
from engine.tools import Outcome
from server.agents.arguments import Arguments, WrongSchema
from server.agents.config import McpServer, Name
from server.agents.filling import Unfillable, filled_headers, filled_url
from server.agents.http_tool import MOST_BYTES, limited
from server.agents.running import filler_of
from server.outbound.client import Answer, Outbound
from server.outbound.errors import OutboundError
from server.version import VERSION

log = logging.getLogger(__name__)

PROTOCOL = "2025-06-18"

SESSION, VERSION_HEADER = "mcp-session-id", "mcp-protocol-version"

MOST_PAGES = 10
"""Of a list of tools."""

MOST_LISTED = 64

LONGEST_DESCRIPTION = 1024
"""Characters of what an LLM is told of a tool, at each turn again: OpenAI takes no more."""

LARGEST_SCHEMA, LARGEST_SCHEMAS = 64 * 1024, 256 * 1024
"""Bytes as JSON, of a tool and of all that an agent may use of a server: as much as its own tools
may have in its config. They are made ready in some 20 ms."""


class McpError(Exception):
    """The server cannot be asked, or says no; the text is for an LLM or an operator."""


class McpTool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of a server's, as it tells."""

    name: str
    description: str = ""
    input_schema: dict[str, Any]


class _Listed(msgspec.Struct, rename="camel"):
    tools: list[McpTool] = []
    next_cursor: str | None = None


class _Content(msgspec.Struct):
    type: str
    text: str = ""


class _Called(msgspec.Struct, rename="camel"):
    content: list[_Content] = []
    is_error: bool = False
    structured_content: dict[str, Any] | None = None


class _Fault(msgspec.Struct):
    message: str = ""


class _Reply(msgspec.Struct):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Fault | None = None


class McpClient:
    """A conversation with one server, begun when it is first needed."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float, outbound: Outbound):
        self._url = url
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._outbound = outbound
        self._ids = itertools.count(1)
        self._session: dict[str, str] | None = None

    async def tools(self) -> list[McpTool]:
        """What it offers. Raises `McpError`."""
        found: list[McpTool] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            asked = {} if cursor is None else {"cursor": cursor}
            page = await self._request("tools/list", asked, _Listed)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None or len(found) >= MOST_LISTED:
                break
        return found[:MOST_LISTED]

    async def call(self, name: str, arguments: dict[str, Any]) -> Outcome:
        """What a tool answers. Raises `McpError`."""
        asked = {"name": name, "arguments": arguments}
        called = await self._request("tools/call", asked, _Called)
        text = "\n".join(part.text for part in called.content if part.type == "text")
        if not text and called.structured_content is not None:
            text = msgspec.json.encode(called.structured_content).decode()
        return Outcome(limited(text) or "done", failed=called.is_error)

    async def _request(self, method: str, params: dict[str, Any], kind: type[Any]) -> Any:
        if self._session is None:
            await self._begin()
        answer = await self._post(self._message(method, params))
        if answer.status == 404 and self._session:  # it has forgotten us
            await self._begin()
            answer = await self._post(self._message(method, params))
        return result_of(answer, kind)

    async def _begin(self) -> None:
        self._session = None
        params = {
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": {"name": "voiceforge", "version": VERSION},
        }
        answer = await self._post(self._message("initialize", params))
        told = result_of(answer, dict[str, Any])
        self._session = {VERSION_HEADER: str(told.get("protocolVersion", PROTOCOL))}
        if SESSION in answer.headers:
            self._session[SESSION] = answer.headers[SESSION]
        await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _message(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    async def _post(self, message: dict[str, Any]) -> Answer:
        headers = {
            **self._headers,
            **(self._session or {}),
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        try:
            return await self._outbound.ask(
                "POST",
                self._url,
                headers=headers,
                body=msgspec.json.encode(message),
                timeout_s=self._timeout_s,
                most_bytes=MOST_BYTES,
                redirects=0,
            )
        except OutboundError as error:
            raise McpError(str(error)) from error


class Offered(msgspec.Struct, frozen=True):
    """A tool of a server that an agent may use, ready for any number of sessions."""

    spec: ToolSpec
    arguments: Arguments


class CallsMcp:
    """One tool of a server, in one session."""

    def __init__(self, tool: Offered, server: McpServer, client: McpClient) -> None:
        self.spec = tool.spec
        self.arguments = tool.arguments
        self.filler = filler_of(server.filler)
        self._client = client

    async def run(self, given: dict[str, Any], variables: Mapping[str, str], _: str) -> Outcome:
        try:
            return await self._client.call(self.spec.name, given)
        except McpError as error:
            return Outcome(str(error), failed=True)


def client_of(server: McpServer, secrets: Mapping[str, str], outbound: Outbound) -> McpClient:
    """A client. Raises `McpError` where a secret is missing."""
    try:
        url, _ = filled_url(server.url, {}, {})
        headers = filled_headers(server.headers, {}, secrets)
    except Unfillable as wrong:
        raise McpError(f"the MCP server cannot be asked: {wrong}") from None
    return McpClient(url, headers, server.timeout_ms / 1000, outbound)


def offered(server: McpServer, listed: list[McpTool]) -> list[Offered]:
    """Those of a server's tools that an agent may use; without those that no LLM can call: for one
    wrong name or schema its endpoint would refuse the whole request. Takes a while: not for a loop.
    """
    found: list[Offered] = []
    room = LARGEST_SCHEMAS
    for tool in listed:
        if server.allowed is not None and tool.name not in server.allowed:
            continue
        try:
            msgspec.convert(tool.name, Name)
            size = len(msgspec.json.encode(tool.input_schema))
            if size > min(room, LARGEST_SCHEMA):
                limits = f"{LARGEST_SCHEMA} of a tool, {LARGEST_SCHEMAS} of a server"
                raise WrongSchema(f"its schema has {size} bytes: at most {limits} are kept")
            arguments = Arguments(tool.input_schema)
        except (msgspec.ValidationError, WrongSchema) as wrong:
            extra = {"tool": tool.name[:64], "error": str(wrong)}
            log.warning("an MCP tool is left out", extra=extra)
            continue
        room -= size
        description = tool.description[:LONGEST_DESCRIPTION]
        found.append(Offered(ToolSpec(tool.name, description, tool.input_schema), arguments))
    return found


def result_of(answer: Answer, kind: type[Any]) -> Any:
    """The result in an answer, be it JSON or a stream of events. Raises `McpError`."""
    if answer.status >= 400:
        raise McpError(f"the MCP server answers HTTP {answer.status}")
    stream = answer.headers.get("content-type", "").startswith("text/event-stream")
    for text in events_in(answer.body) if stream else [answer.body]:
        try:
            reply = msgspec.json.decode(text, type=_Reply)
            if reply.error is not None:
                raise McpError(f"the MCP server says no: {reply.error.message[:500]}")
            if bytes(reply.result):
                return msgspec.json.decode(reply.result, type=kind)
        except (ValueError, RecursionError) as error:
            raise McpError("the MCP server's answer is none of the protocol's") from error
    raise McpError("the MCP server gives no result")


def events_in(body: bytes) -> Iterator[bytes]:
    """The data of each event of a `text/event-stream`; servers begin with an empty one."""
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:")]
        if any(lines):
            yield b"\n".join(lines)
