"""A key in a WebSocket's first message opens it; what is refused closes it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from server.access.credentials import key_in
from server.access.denied import Denied, tell
from server.eleven import first_message
from server.eleven.first_message import LONGEST, LONGEST_REASON, KeyInFirstMessage

PATH = "/v1/text-to-speech/joe/stream-input"
CONNECT = {"type": "websocket.connect"}


def text(**fields: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": json.dumps(fields)}


class Site:
    """An application that knows one key, behind the one that finds it."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.came: list[dict[str, Any]] = []
        self._messages: Iterator[dict[str, Any]] = iter([CONNECT, *messages])

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        if key_in(scope) != "vf_right":
            await tell(Denied(401, "invalid_api_key", "no such key " * 20), scope, receive, send)
            return
        self.came = [await receive() for _ in range(2)]
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})

    async def connect(self, path: str = PATH, **headers: str) -> list[str]:
        """The kinds of what was sent."""

        async def receive() -> Any:
            return next(self._messages)

        async def send(message: Any) -> None:
            self.sent.append(message)

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        extensions: dict[str, Any] = {"websocket.http.response": {}}
        scope = {"type": "websocket", "path": path, "headers": raw, "extensions": extensions}
        await KeyInFirstMessage(self._application)(scope, receive, send)
        return [message["type"] for message in self.sent]


@pytest.mark.parametrize(
    "fields",
    [
        {"xi_api_key": "vf_right"},
        {"xi-api-key": "vf_right"},
        {"authorization": "Bearer vf_right"},
    ],
)
async def test_it_opens_and_the_message_comes_again(fields: dict[str, str]) -> None:
    first = text(text=" ", **fields)
    site = Site(first)
    assert await site.connect() == ["websocket.accept", "websocket.send"]
    assert site.came == [CONNECT, first]


@pytest.mark.parametrize(
    "first",
    [
        text(text=" "),
        text(text=" ", xi_api_key="vf_wrong"),
        text(text="x" * LONGEST, xi_api_key="vf_right"),
        {"type": "websocket.receive", "text": "{"},
        {"type": "websocket.receive", "bytes": b"\xff"},
        {"type": "websocket.receive", "text": "[" * 60_000},
        {"type": "websocket.receive", "text": '{"xi_api_key": "\\ud800"}'},
    ],
)
async def test_whatever_is_no_key_closes_it(first: dict[str, Any]) -> None:
    site = Site(first)
    assert await site.connect() == ["websocket.accept", "websocket.close"]
    assert site.sent[-1]["code"] == 1008
    assert 0 < len(site.sent[-1]["reason"].encode()) <= LONGEST_REASON


async def test_a_header_is_enough() -> None:
    site = Site(text(text="Hi. "))
    assert await site.connect(xi_api_key="vf_right") == ["websocket.accept", "websocket.send"]
    assert site.came[0] == CONNECT


async def test_a_client_that_leaves_first_is_no_error() -> None:
    assert await Site({"type": "websocket.disconnect"}).connect() == ["websocket.accept"]


async def test_a_client_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_message, "PATIENCE_S", 0.0)

    async def silent() -> Any:
        await asyncio.Event().wait()

    site = Site()
    receives = iter([CONNECT])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(receives, None) or await silent()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": PATH, "headers": []}
    await KeyInFirstMessage(site._application)(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]


async def test_no_other_socket_is_opened_first() -> None:
    assert await Site().connect("/v1/realtime") == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
