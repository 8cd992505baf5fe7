"""Clients that are nobody's SDK: raw events over a real socket, good and bad."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.server.program import Server

ANSWER_S = 60
SESSIONS = re.compile(r"^voiceforge_sessions\{.*\} (\S+)$", re.MULTILINE)


class Wire:
    """One connection; events go out as they are given, and come in as they are."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, event: dict[str, Any] | str | bytes) -> None:
        await self.socket.send(json.dumps(event) if isinstance(event, dict) else event)

    async def until(self, kind: str, within_s: float = ANSWER_S) -> dict[str, Any]:
        """The next event of this type; others before it are passed over, but for errors."""
        came: set[str] = set()
        try:
            async with asyncio.timeout(within_s):
                while True:
                    event: dict[str, Any] = json.loads(await self.socket.recv())
                    if event["type"] == kind:
                        return event
                    assert event["type"] != "error", event
                    came.add(event["type"])
        except TimeoutError:
            raise AssertionError(f"no {kind} came, but {came}") from None

    async def error(self, event: dict[str, Any] | str | bytes) -> dict[str, Any]:
        """The error that an event brings."""
        await self.send(event)
        error: dict[str, Any] = (await self.until("error"))["error"]
        return error

    async def configure(self, **session: Any) -> None:
        await self.send({"type": "session.update", "session": {"type": "realtime", **session}})
        await self.until("session.updated")

    async def ask(self, text: str) -> dict[str, Any]:
        """Type a message; the response that it got."""
        await self.send(typed(text))
        await self.send({"type": "response.create"})
        done = await self.until("response.done")
        response: dict[str, Any] = done["response"]
        return response

    def vanish(self) -> None:
        """Lose the network: no close frame, no goodbye."""
        self.socket.transport.abort()


def typed(text: str) -> dict[str, Any]:
    """The event that adds a typed message."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "item": item}


@contextlib.asynccontextmanager
async def connected(server: Server, **session: Any) -> AsyncIterator[Wire]:
    """A session whose settings are updated by `session`."""
    async with connect(
        server.realtime_url, additional_headers=server.headers, max_size=None, max_queue=None
    ) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        if session:
            await wire.configure(**session)
        yield wire


def failure(response: dict[str, Any]) -> str | None:
    """The code of what a response failed of."""
    error = (response["status_details"] or {}).get("error") or {}
    code: str | None = error.get("code")
    return code


async def until(condition: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Wait for what can only be found out by asking."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.1)


async def open_sessions(server: Server) -> float:
    _, text = await asyncio.to_thread(server.get, "/metrics")
    found = SESSIONS.search(text)
    assert found is not None
    return float(found[1])
