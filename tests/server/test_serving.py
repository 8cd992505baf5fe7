"""The real web server around scripted models: refusals, limits, signals."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from engine.services import Services
from server.access.guard import Trusted
from server.app import build
from server.door import OpenDoor
from server.lag import LoopLag
from server.lines import Lines
from server.listening import StopSignals, address, listen
from server.metrics import Metrics
from server.readiness import Readiness
from server.realtime import Sockets
from server.routes import routes
from server.serve import serving, web_server
from server.sessions import SessionRegistry
from server.settings import LimitSettings, Settings
from server.system import System
from tests.server.exchange import services


@asynccontextmanager
async def site(shared: Services | None, **limits: Any) -> AsyncIterator[tuple[str, Lines]]:
    """A server; its realtime address and its open lines."""
    settings = Settings(limits=LimitSettings(**limits))
    metrics = Metrics(LoopLag())
    sessions = SessionRegistry(lambda: shared, settings.limits, metrics, OpenDoor())
    lines = Lines(Sockets(sessions))
    bound = listen("127.0.0.1", 0)
    handlers = routes(Readiness(()), metrics, System(0, tuple, sessions), has_app=False)
    app = Trusted(build(lines, handlers))
    async with serving(web_server(app, settings), bound):
        yield f"ws://{address(bound)}/v1/realtime?model=gpt-realtime", lines


async def test_a_stock_handshake_opens_a_session() -> None:
    async with site(services()) as (url, lines):
        async with connect(url, subprotocols=[websockets.Subprotocol("realtime")]) as socket:
            assert "session.created" in str(await socket.recv())
            assert socket.subprotocol == "realtime"
            assert socket.protocol.extensions == []
            assert not await lines.closed(within_s=0.01)
        assert await lines.closed(within_s=5)


async def test_a_refusal_is_http_503_with_retry_after() -> None:
    async with site(None) as (url, _):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connect(url)
    response = refused.value.response
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert b"still loading" in response.body


async def test_an_event_over_the_limit_closes_with_1009() -> None:
    async with site(services(), max_event_bytes=2000) as (url, _), connect(url) as socket:
        await socket.recv()
        await socket.send("x" * 3000)
        await socket.wait_closed()
        assert socket.close_code == 1009


async def test_the_first_signal_asks_and_the_second_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    signals = StopSignals()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await signals.asked.wait()
    assert ended == []
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.05)
    assert ended == [128 + signal.SIGINT]
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")]
)
def test_an_address_is_one_that_a_client_can_use(host: str, shown: str) -> None:
    bound = listen(host, 0)
    assert address(bound) == f"{shown}:{bound.getsockname()[1]}"
    bound.close()


def test_the_supervisor_imports_nothing_that_only_gateways_need() -> None:
    heavy = [
        "numpy",
        "onnxruntime",
        "soxr",
        "uvicorn",
        "litestar",
        "aiohttp",
        "prometheus_client",
        "ray",
    ]
    script = f"import sys, server.process; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [(None, "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.0/8", "198.51.100.7")],
)
async def test_only_a_proxy_that_is_named_says_whose_request_it_is(
    proxies: str | None, seen: str
) -> None:
    async def tells(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["client"][0].encode()})

    bound = listen("127.0.0.1", 0)
    async with serving(web_server(tells, Settings(proxies=proxies)), bound):
        headers = {"x-forwarded-for": "198.51.100.7"}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{address(bound)}/", headers=headers)
    assert answer.text == seen


@pytest.mark.parametrize(
    ("proxies", "sent", "seen"),
    [
        (None, "voice.example", None),
        ("10.0.0.0/8", "voice.example", None),
        ("127.0.0.0/8", "voice.example", "voice.example"),
        ("127.0.0.0/8", "voice.example:8443, inner.example", "voice.example:8443"),
        ("127.0.0.0/8", "", None),
    ],
)
async def test_only_a_proxy_that_is_named_says_under_which_name_it_was_reached(
    proxies: str | None, sent: str, seen: str | None
) -> None:
    hosts: list[list[bytes]] = []

    async def tells(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            hosts.append([value for name, value in scope["headers"] if name == b"host"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    bound = listen("127.0.0.1", 0)
    where = address(bound)
    async with (
        serving(web_server(tells, Settings(proxies=proxies)), bound),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        await client.get(f"http://{where}/", headers={"x-forwarded-host": sent})
    assert hosts == [[(seen or where).encode()]]
