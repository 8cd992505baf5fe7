"""Whether an agent can be what its config says, before it is kept."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from engine.errors import RequestError
from server.access.denied import Denied
from server.agents.arguments import Arguments, WrongSchema
from server.agents.config import AgentConfig, HttpTool, LlmEndpoint, McpServer
from server.agents.digest import schema_of
from server.agents.filling import FIELD, check_url
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.update import first_object
from transports.visits import DEFAULTS


def check(config: AgentConfig) -> None:
    """Raises `Denied` with the place of the first thing that is wrong."""
    if config.session.get("type", "realtime") != "realtime":
        raise wrong("config.session.type", "an agent holds conversations: its type is realtime")
    try:
        first_object(DEFAULTS, "realtime", DEFAULT_MODEL, [config.session])
    except RequestError as error:
        param = (error.param or "session").removeprefix("session")
        raise wrong(f"config.session{param}", str(error)) from error
    for place, llm in enumerate(config.llm):
        if isinstance(llm, LlmEndpoint):
            check_endpoint(f"config.llm[{place}].base_url", llm.base_url)
    if config.incoming is not None:
        check_address("config.incoming.url", config.incoming.url)
    for place, tool in enumerate(config.tools):
        where = f"config.tools[{place}]"
        if isinstance(tool, HttpTool | McpServer):
            check_address(f"{where}.url", tool.url)
        if isinstance(tool, HttpTool):
            check_schema(f"{where}.parameters", tool.parameters)
    if config.afterwards is not None and config.afterwards.extract is not None:
        check_schema("config.afterwards.extract", config.afterwards.extract)
        check_schema("config.afterwards.extract", schema_of(config.afterwards.extract))
    names = Counter(tool.name for tool in config.tools if not isinstance(tool, McpServer))
    name, count = names.most_common(1)[0] if names else ("", 0)
    if count > 1:
        text = f"{count} tools are called {name!r}: the LLM calls them by name"
        raise wrong("config.tools", text)


def check_schema(where: str, schema: dict[str, Any]) -> None:
    """Raises `Denied`."""
    try:
        Arguments(schema)
    except WrongSchema as error:
        raise wrong(where, str(error)) from error


def check_endpoint(where: str, url: str) -> None:
    """Raises `Denied`."""
    check_address(where, url)
    if FIELD.search(url) or urlsplit(url).query or urlsplit(url).fragment:
        raise wrong(
            where, "it is an address as https://api.openai.com/v1, and nothing is filled in"
        )


def check_address(where: str, url: str) -> None:
    """Raises `Denied`."""
    try:
        check_url(url)
    except ValueError as error:
        raise wrong(where, str(error)) from error


def wrong(where: str, why: str) -> Denied:
    """400, with the place."""
    return Denied(400, "invalid_value", f"{where}: {why}", param=where)
