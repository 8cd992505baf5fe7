"""A real MCP server, of the official package: `python -m` this module with a port."""

import os
import sys
from typing import Any

from mcp.server.mcpserver import MCPServer

server = MCPServer("bakery")


@server.tool()
def price(item: str) -> str:
    """What something costs."""
    return {"bread": "3 kroner"}.get(item, "not for sale")


@server.tool()
def stock(item: str) -> dict[str, Any]:
    """How much of it is left."""
    return {"item": item, "left": 7}


@server.tool()
def burn(item: str) -> str:
    """Fails."""
    raise ValueError(f"the {item} is burnt")


@server.tool()
def leave() -> str:
    """Ends this server without a word."""
    os._exit(1)


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
