"""Connections carried to another gateway, scripted here: one that is well, gone, hung or slow."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from server import forward
from server.access.caller import AS, HEADER, Caller
from server.forward import Forwarding, gateway_of

Handle = Callable[[ServerConnection], Awaitable[None]]
ELSEWHERE = "sess_1_abc"
CALLER = Caller("acc_1", "key_1", ("realtime",))


@pytest.fixture
def path() -> Iterator[str]:
    """Where the other gateway listens, or not: short, as a Unix socket's path must be."""
    with tempfile.TemporaryDirectory(prefix="vf-") as folder:
        yield str(Path(folder) / "gateway-1")


class Client:
    """An ASGI server's side of one connection: what comes from the client, what goes to it."""

    def __init__(self, path: str | None, query: str = f"call_id={ELSEWHERE}", **scope: Any) -> None:
        self.forwarding = Forwarding(self._local, 0, {1: path}.get)
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/v1/realtime",
            "query_string": query.encode(),
            "headers": [(b"authorization", b"Bearer key"), (b"cookie", b"secret")],
            AS: CALLER,
            "subprotocols": ["realtime"],
            "extensions": {"websocket.http.response": {}},
        } | scope
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.stayed_here = False

    async def _local(self, *_: object) -> None:
        self.stayed_here = True

    async def _send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.put_nowait(message)

    async def __aenter__(self) -> "Client":
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self.forwarding(self.scope, self.inbox.get, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(10):
                await self.task
        finally:
            self.task.cancel()
        assert self.forwarding.carries == 0

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return await self.sent.get()

    def put(self, **message: Any) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", **message})

    def leave(self, **how: Any) -> None:
        self.inbox.put_nowait({"type": "websocket.disconnect", **how})


@contextlib.asynccontextmanager
async def gateway(path: str, handle: Handle, **options: Any) -> AsyncIterator[None]:
    async with unix_serve(handle, path, subprotocols=["realtime"], **options):
        yield


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize(
    ("ident", "index"),
    [("sess_0_x", 0), ("sess_12_x_y", 12), ("sess_x", None), ("rtc_1", None), ("", None)],
)
def test_a_sessions_id_names_its_gateway(ident: str, index: int | None) -> None:
    assert gateway_of(ident) == index


@pytest.mark.parametrize(
    "query",
    ["", "model=x", "call_id=sess_0_mine", "call_id=sess_2_unknown", "session_id=rtc_1&resume=x"],
)
async def test_what_is_for_no_other_gateway_stays_here(path: str, query: str) -> None:
    async with Client(path, query) as client:
        pass
    assert client.stayed_here


async def test_a_page_stays_here(path: str) -> None:
    async with Client(path, type="http") as client:
        pass
    assert client.stayed_here


@pytest.mark.parametrize("name", ["call_id", "session_id"])
async def test_events_are_carried_both_ways_for_whoever_asks_and_nothing_else(
    path: str, name: str
) -> None:
    asked: list[Request] = []

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request)
        await echo(connection)

    query = f"{name}={ELSEWHERE}&resume=token"
    async with gateway(path, handle), Client(path, query) as client:
        assert await client.next() == {"type": "websocket.accept", "subprotocol": "realtime"}
        client.put(text="hällo")
        assert await client.next() == {"type": "websocket.send", "text": "hällo"}
        client.put(bytes=b"\x00\xff", text=None)
        assert await client.next() == {"type": "websocket.send", "bytes": b"\x00\xff"}
        assert client.forwarding.carries == 1
        client.leave(code=1000, reason="")
    [request] = asked
    assert request.path == f"/v1/realtime?{query}"
    assert request.headers[HEADER] == CALLER.told()
    assert "authorization" not in request.headers  # it was looked at here
    assert "cookie" not in request.headers
    assert not client.stayed_here


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"code": 1000, "reason": ""}, 1000),
        ({"code": 1005, "reason": ""}, 1000),
        ({"code": 4321, "reason": "done"}, 4321),
        ({"code": 1005}, 1006),  # what uvicorn says of a connection that was lost
        ({"code": 1006, "reason": ""}, 1006),
    ],
)
async def test_the_gateway_learns_how_the_client_left(
    path: str, how: dict[str, Any], code: int
) -> None:
    ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handle(connection: ServerConnection) -> None:
        await connection.wait_closed()
        ended.set_result(connection.close_code)

    async with gateway(path, handle):
        async with Client(path) as client:
            await client.next()
            client.leave(**how)
        assert await asyncio.wait_for(ended, 10) == code


async def test_the_client_learns_how_the_gateway_closed(path: str) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(4001, "moved")

    async with gateway(path, handle), Client(path) as client:
        await client.next()
        assert (await client.next())["text"] == "last words"
        assert await client.next() == {"type": "websocket.close", "code": 4001, "reason": "moved"}


async def test_a_refusal_is_repeated_as_it_came(path: str) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.NOT_FOUND, '{"error":{}}')
        response.headers["Retry-After"] = "7"
        return response

    async with gateway(path, echo, process_request=refuse), Client(path) as client:
        start, body = await client.next(), await client.next()
    assert start["status"] == 404
    assert (b"retry-after", b"7") in start["headers"]
    assert body["body"] == b'{"error":{}}'


async def unreachable(client: Client) -> None:
    """The client is told to try again."""
    start, body = await client.next(), await client.next()
    assert start["status"] == 503
    assert (b"retry-after", b"2") in start["headers"]
    assert json.loads(body["body"])["error"]["code"] == "gateway_lost"


async def test_a_gateway_that_is_gone_is_told_of_before_the_handshake(path: str) -> None:
    async with Client(path) as client:
        await unreachable(client)
    async with Client(path, extensions={}) as plain:
        assert (await plain.next())["code"] == 1012


async def test_a_gateway_that_takes_connections_and_says_nothing_is_given_up(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "REACH_S", 0.2)
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(lambda reader, writer: held.append(writer), path)
    async with server, Client(path) as client:
        await unreachable(client)
    for writer in held:
        writer.close()


@pytest.mark.parametrize("half", [True, False], ids=["half-closed", "broken"])
async def test_a_gateway_that_is_lost_on_the_way_closes_with_1012(path: str, half: bool) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        if half:
            connection.transport.write_eof()
            await connection.wait_closed()
        else:
            connection.transport.abort()

    async with gateway(path, handle), Client(path) as client:
        await client.next()
        client.put(text="now")
        assert await client.next() == {"type": "websocket.close", "code": 1012, "reason": ""}


async def test_a_client_that_goes_after_its_gateway_was_lost_ends_it(path: str) -> None:
    async def handle(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with gateway(path, handle), Client(path) as client:
        await client.next()
        client.put(text="into nothing")
        client.leave(code=1006)


async def test_a_client_that_reads_slowly_slows_its_gateway_down_and_gets_everything(
    path: str,
) -> None:
    count, sent = 400, 0

    async def handle(connection: ServerConnection) -> None:
        nonlocal sent
        for number in range(count):
            await connection.send(f"{number} " + "x" * 20_000)
            sent += 1

    async with gateway(path, handle), Client(path) as client:
        await client.next()
        client.reads.clear()
        await asyncio.sleep(0.5)
        assert 0 < sent < count / 2  # what the buffers on the way hold, and no more
        client.reads.set()
        numbers = [int((await client.next())["text"].split()[0]) for _ in range(count)]
        assert numbers == list(range(count))
        assert (await client.next())["code"] == 1000


async def test_a_gateway_that_does_not_read_holds_the_client_up_and_loses_nothing(
    path: str,
) -> None:
    reads = asyncio.Event()
    got: list[str] = []

    async def handle(connection: ServerConnection) -> None:
        await reads.wait()
        with contextlib.suppress(ConnectionClosed):
            while True:
                got.append(str(await connection.recv()).split()[0])

    async with gateway(path, handle, max_queue=1), Client(path) as client:
        await client.next()
        for number in range(400):
            client.put(text=f"{number} " + "x" * 20_000)
        client.leave(code=1000, reason="")
        await asyncio.sleep(0.5)
        assert client.inbox.qsize() > 200  # not taken from the client's socket either
        reads.set()
    assert got == [str(number) for number in range(400)]
