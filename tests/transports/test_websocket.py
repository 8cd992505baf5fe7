"""The socket: handshake, limits, flooding, clients that vanish, stop reading or come back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from engine import frames
from engine.items import Message, Part
from engine.session import Transport
from engine.settings import SessionSettings
from transports.handshake import Refused
from transports.realtime.wire import LARGEST_MESSAGE
from transports.visits import Lease, Visits
from transports.websocket import RealtimeSocket

ITEM = Message("item_a", "assistant", (), "in_progress")


class Registry:
    """Sessions of a server without an engine."""

    def __init__(self, scripted: Any) -> None:
        self._scripted = scripted
        self.leases: dict[str, Lease] = {}
        self.back: list[str] = []
        self.gone: list[tuple[str, bool]] = []
        self.full = False

    async def open(self, settings: SessionSettings, transport: Transport) -> Lease:
        if self.full:
            raise Refused("2 sessions are open, the most that this machine can hold", 7)
        session = self._scripted(transport)
        session.id = f"sess_{len(self.leases)}"
        lease = self.leases[session.id] = Lease(session, f"token_{session.id}", transport)
        return lease

    def waiting(self, session_id: str, token: str) -> Lease | None:
        lease = self.leases.get(session_id)
        return lease if lease is not None and lease.token == token else None

    def resume(self, lease: Lease) -> None:
        self.back.append(lease.session.id)

    def find(self, session_id: str) -> Lease | None:
        return self.leases.get(session_id)

    def attach(self, lease: Lease) -> None:
        lease.session.attach(lease.transport)

    def left(self, lease: Lease, *, for_good: bool) -> None:
        self.gone.append((lease.session.id, for_good))

    def session(self, number: int) -> Any:
        return self.leases[f"sess_{number}"].session


@pytest.fixture
def registry(new_client: Any) -> Registry:
    return Registry(type(new_client().session))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another task does, as no event tells of it."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(registry: Registry, **options: Any) -> AsyncIterator[str]:
    app = RealtimeSocket(Visits(registry), **options)
    config = uvicorn.Config(
        app,
        port=0,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=2 * LARGEST_MESSAGE,
        log_level="error",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/v1/realtime"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


def client_frame(text: str) -> bytes:
    """A short text message as a client frames it (RFC 6455, 5.2), with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


async def next_event(socket: ClientConnection, timeout_s: float = 5.0) -> dict[str, Any]:
    event = json.loads(await asyncio.wait_for(socket.recv(), timeout_s))
    assert isinstance(event, dict)
    return event


async def test_a_conversation_begins_and_ends(registry: Registry) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.secret")]
    async with serving(registry) as url:
        async with connect(f"{url}?model=gpt-realtime-mini", subprotocols=offered) as socket:
            assert socket.subprotocol == "realtime"
            created = await next_event(socket)
            assert created["session"]["model"] == "gpt-realtime-mini"
            assert created["session"]["voiceforge"]["resume"] == "token_sess_0"
            await socket.send('{"type":"response.cancel"}')
            await until(lambda: ("cancel", None) in registry.session(0).calls)
        await until(lambda: registry.gone == [("sess_0", True)])


async def test_a_transcription_session_is_asked_for_in_the_url(registry: Registry) -> None:
    async with serving(registry) as url, connect(f"{url}?intent=transcription") as socket:
        created = await next_event(socket)
    assert created["session"]["type"] == "transcription"


async def test_an_unknown_model_is_told_and_closed(registry: Registry) -> None:
    async with serving(registry) as url, connect(f"{url}?model=gpt-9") as socket:
        error = (await next_event(socket))["error"]
        assert (error["param"], error["code"]) == ("session.model", "invalid_value")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1008


async def test_a_full_server_says_when_to_come_back(registry: Registry) -> None:
    registry.full = True
    async with serving(registry) as url:
        with pytest.raises(InvalidStatus) as refusal:
            await connect(url)
    response = refusal.value.response
    assert response.status_code == 503
    assert response.headers["retry-after"] == "7"
    assert json.loads(response.body or b"")["error"]["code"] == "no_capacity"


async def test_a_message_over_the_limit_closes_with_1009(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as bad, connect(url) as good:
        await next_event(bad)
        await next_event(good)
        await bad.send("x" * (LARGEST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed):
            await bad.recv()
        assert bad.close_code == 1009
        await good.send("{")
        assert (await next_event(good))["type"] == "error"


async def test_a_client_that_vanishes_may_come_back(registry: Registry) -> None:
    async with serving(registry) as url:
        socket = await connect(url)
        session = (await next_event(socket))["session"]
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await next_event(socket)
        socket.transport.abort()
        await until(lambda: registry.gone == [("sess_0", False)])
        again = f"{url}?session_id={session['id']}&resume={session['voiceforge']['resume']}"
        async with connect(again) as socket:
            assert (await next_event(socket))["session"]["id"] == session["id"]
            assert (await next_event(socket))["type"] == "conversation.item.added"
            assert (await next_event(socket))["type"] == "conversation.item.done"
            await until(lambda: registry.session(0).calls[-1][0] == "attach")


async def test_a_wrong_token_brings_nobody_back(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as owner:
        await next_event(owner)
        async with connect(f"{url}?session_id=sess_0&resume=guess") as thief:
            assert (await next_event(thief))["error"]["code"] == "session_not_found"
            with pytest.raises(ConnectionClosed):
                await thief.recv()
            assert thief.close_code == 1008
        await owner.send("{")
        assert (await next_event(owner))["type"] == "error"


async def test_a_client_that_moves_leaves_its_old_socket_without_a_say(
    registry: Registry,
) -> None:
    async with serving(registry) as url, connect(url) as old:
        session = (await next_event(old))["session"]
        again = f"{url}?session_id={session['id']}&resume={session['voiceforge']['resume']}"
        async with connect(again) as new:
            await next_event(new)
            with pytest.raises(ConnectionClosed):
                await old.recv()
            assert old.close_code == 4001
            assert registry.gone == []
            await new.send("{")
            assert (await next_event(new))["type"] == "error"


async def test_a_client_that_stops_reading_is_left_and_no_other(registry: Registry) -> None:
    async with serving(registry, stall_s=0.3) as url, connect(url) as reads:
        await next_event(reads)
        deaf = await connect(url, max_queue=1, ping_interval=None)
        await until(lambda: len(registry.leases) == 2)
        session = registry.session(1)
        session.say(
            frames.ResponseStarted("resp_1", 1, "audio", True, {}),
            frames.ReplyItemStarted("resp_1", 0, ITEM, None),
        )
        spoken = frames.ReplyAudio("resp_1", "item_a", 0, bytes(48_000), 24_000)
        async with asyncio.timeout(10):
            while not registry.gone:
                session.say(spoken)
                await asyncio.sleep(0.005)
        await reads.send("{")
        assert (await next_event(reads))["type"] == "error"
        assert registry.gone == [("sess_1", False)]
        deaf.transport.abort()


async def test_a_backlog_over_the_limit_leaves_the_client_at_once(registry: Registry) -> None:
    async with serving(registry, limit_bytes=100_000) as url, connect(url):
        await until(lambda: len(registry.leases) == 1)
        session = registry.session(0)
        session.say(frames.ItemAdded(Message("i", "user", ()), None, True))
        for _ in range(400):  # in one turn of the loop nothing can be written
            session.say(frames.ItemAdded(Message("i" * 200, "user", ()), None, True))
        await until(lambda: bool(registry.gone))


async def test_a_client_is_listened_to_only_as_fast_as_it_reads(registry: Registry) -> None:
    async with serving(registry) as url, connect(url, max_queue=1, ping_interval=None) as deaf:
        await until(lambda: len(registry.leases) == 1)
        session = registry.session(0)
        session.history.add(Message("i", "user", (Part("text", "x" * 60_000),)))
        for _ in range(100):  # 6 MB of answers
            await deaf.send('{"type":"conversation.item.retrieve","item_id":"i"}')
        await deaf.send('{"type":"response.cancel"}')
        await asyncio.sleep(0.3)
        assert session.calls == [("start", None)]
        for _ in range(101):
            await next_event(deaf)
        await until(lambda: ("cancel", None) in session.calls)


async def test_a_client_that_comes_back_to_a_long_history_is_told_all_of_it(
    registry: Registry,
) -> None:
    async with serving(registry) as url, connect(url) as first:
        session = (await next_event(first))["session"]
        history = registry.session(0).history
        for number in range(40):
            history.add(Message(f"i{number}", "user", (Part("text", "x" * 65_000),)))
        again = f"{url}?session_id={session['id']}&resume={session['voiceforge']['resume']}"
        async with connect(again, max_size=None) as second:
            events = [await next_event(second) for _ in range(1 + 2 * 40)]
    assert events[-1]["item"]["id"] == "i39"


async def test_a_page_is_told_that_this_is_a_socket(registry: Registry) -> None:
    async with serving(registry) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"connect with ws://" in answer


async def test_ten_thousand_events_a_second_starve_nobody(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as flood, connect(url) as calm:
        await next_event(flood)
        await next_event(calm)
        loop = asyncio.get_running_loop()
        late_ms: list[float] = []

        async def tick() -> None:
            while True:
                due = loop.time() + 0.005
                await asyncio.sleep(0.005)
                late_ms.append((loop.time() - due) * 1000)

        ticking = asyncio.create_task(tick())

        async def pour() -> None:
            for _ in range(100):
                flood.transport.write(client_frame('{"type":"response.cancel"}') * 100)
                await asyncio.sleep(0.01)

        pouring = asyncio.create_task(pour())
        for _ in range(20):
            began = loop.time()
            await calm.send("{")
            await next_event(calm)
            assert loop.time() - began < 1.0
        await until(lambda: len(registry.session(0).calls) >= 10_000)
        await pouring
        ticking.cancel()
        print(f"\nlateness of a 5 ms timer during 10,000 events: {max(late_ms):.1f} ms at most")


async def test_an_error_of_ours_ends_only_its_own_session(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as broken, connect(url) as sound:
        await next_event(broken)
        await next_event(sound)

        def fail(response_id: str | None = None) -> None:
            raise ZeroDivisionError

        registry.session(0).cancel = fail
        await broken.send('{"type":"response.cancel"}')
        assert (await next_event(broken))["type"] == "voiceforge.session.ended"
        with pytest.raises(ConnectionClosed):
            await broken.recv()
        assert broken.close_code == 1011
        await sound.send("{")
        assert (await next_event(sound))["type"] == "error"
