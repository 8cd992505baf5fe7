"""Several gateway processes behind one port, with the real models behind all of them."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server.program import Server
from tests.server.wire import SESSIONS, Wire, typed, until

pytestmark = pytest.mark.models

BRIEF = {"output_modalities": ["text"], "max_output_tokens": 8}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


class Caller:
    """A session, and what it takes to come back to it."""

    def __init__(self, wire: Wire, ident: str, token: str) -> None:
        self.wire = wire
        self.id = ident
        self.query = f"session_id={ident}&resume={token}"
        self.gateway = int(ident.split("_")[1])


async def call(server: Server, stack: contextlib.AsyncExitStack, query: str = "") -> Caller:
    url = server.realtime_url + (f"?{query}" if query else "")
    wire = Wire(await stack.enter_async_context(connect(url, additional_headers=server.headers)))
    session = (await wire.until("session.created"))["session"]
    return Caller(wire, session["id"], session["voiceforge"]["resume"])


@contextlib.asynccontextmanager
async def one_in_each(server: Server) -> AsyncIterator[tuple[Caller, Caller]]:
    """Two callers; each gets a gateway of its own, since the emptiest one takes the next."""
    async with contextlib.AsyncExitStack() as stack:
        first, second = await call(server, stack), await call(server, stack)
        assert first.gateway != second.gateway
        yield first, second


def gateways(server: Server) -> list[psutil.Process]:
    return [process for process in server.family() if "server.gateway" in process.cmdline()]


async def system(server: Server) -> dict[str, object]:
    shown: dict[str, object] = json.loads((await asyncio.to_thread(server.get, "/v1/system"))[1])
    return shown


async def both_serve(server: Server) -> bool:
    shown = await system(server)
    return all(gateway["serving"] for gateway in shown["gateways"])  # type: ignore[attr-defined]


async def metrics(server: Server) -> str:
    return (await asyncio.to_thread(server.get, "/metrics"))[1]


async def ended(caller: Caller) -> int | None:
    """Wait until the connection is closed; the code of the server's goodbye, if it said any."""
    async with asyncio.timeout(20):
        try:
            while True:
                await caller.wire.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None


async def test_sessions_live_in_both_and_share_the_models(server: Server) -> None:
    async with one_in_each(server) as (here, there):
        for caller in (here, there):
            await caller.wire.configure(**BRIEF)
            assert (await caller.wire.ask("Say hello."))["output"]
        families = [p.cmdline()[3] for p in server.family() if "actors.workers" in p.cmdline()]
        assert sorted(families) == ["llm", "stt", "tts", "turn"]


async def test_whichever_gateway_is_asked_tells_of_all(server: Server) -> None:
    async with one_in_each(server):
        for _ in range(8):
            text = await metrics(server)
            open_now = list(map(float, SESSIONS.findall(text)))
            by_gateway = re.findall(r"^voiceforge_gateway_sessions\{.*\} (\S+)", text, re.MULTILINE)
            assert open_now == list(map(float, by_gateway)) == [1, 1]
            assert (await system(server))["sessions"] == 2


async def test_a_caller_comes_back_to_its_session_through_any_gateway(server: Server) -> None:
    async with one_in_each(server) as callers:
        for caller in callers:
            await caller.wire.send(typed("My name is Ada."))
            await caller.wire.until("conversation.item.done")
        for caller in callers:
            for _ in range(6):  # each time through whichever gateway takes the connection
                caller.wire.vanish()
                async with connect(
                    f"{server.realtime_url}?{caller.query}", additional_headers=server.headers
                ) as socket:
                    wire = Wire(socket)
                    created = (await wire.until("session.created"))["session"]
                    assert created["id"] == caller.id
                    item = (await wire.until("conversation.item.done"))["item"]
                    assert item["content"][0]["text"] == "My name is Ada."
                    caller.query = (
                        f"session_id={caller.id}&resume={created['voiceforge']['resume']}"
                    )
                    caller.wire = wire
                    wire.vanish()
            async with connect(
                f"{server.realtime_url}?{caller.query}", additional_headers=server.headers
            ) as socket:
                wire = Wire(socket)
                await wire.until("session.created")
                await wire.configure(**BRIEF)
                assert (await wire.ask("Say hello."))["output"]


async def test_a_wrong_token_is_refused_through_any_gateway(server: Server) -> None:
    async with one_in_each(server) as callers:
        for caller in callers:
            for _ in range(4):
                query = f"session_id={caller.id}&resume=wrong"
                async with connect(
                    f"{server.realtime_url}?{query}", additional_headers=server.headers
                ) as socket:
                    told = json.loads(await socket.recv())
                    assert told["error"]["code"] == "session_not_found"
                    with pytest.raises(ConnectionClosed) as closed:
                        await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1008


async def test_a_session_is_hung_up_from_any_gateway(server: Server) -> None:
    async with one_in_each(server) as callers:
        for caller in callers:
            path = f"/v1/realtime/calls/{caller.id}/hangup"
            assert (await asyncio.to_thread(server.ask, "POST", path))[0] == 200
            assert await ended(caller) == 1000


async def test_a_killed_gateway_takes_its_own_sessions_only(server: Server) -> None:
    async with one_in_each(server) as (unlucky, other):
        shown = await system(server)
        pids = {g["index"]: g["pid"] for g in shown["gateways"]}  # type: ignore[attr-defined]
        psutil.Process(pids[unlucky.gateway]).kill()
        assert await ended(unlucky) is None
        await other.wire.configure(**BRIEF)
        assert (await other.wire.ask("Say hello."))["output"]
        await until(lambda: both_serve(server), 60)
        with contextlib.suppress(InvalidStatus):  # not yet connected to its workers: 503
            async with connect(
                f"{server.realtime_url}?{unlucky.query}", additional_headers=server.headers
            ) as socket:
                assert json.loads(await socket.recv())["error"]["code"] == "session_not_found"
        async with contextlib.AsyncExitStack() as stack:
            late = await call(server, stack)
            assert late.gateway == unlucky.gateway  # it takes sessions again, having the fewest
            assert len(gateways(server)) == 2


async def test_at_the_limit_it_counts_the_sessions_of_all_gateways() -> None:
    with Server(VOICEFORGE_GATEWAYS="2", VOICEFORGE_LIMITS__MAX_SESSIONS="3") as small:
        await asyncio.to_thread(small.until_ready)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await call(small, stack)
            for _ in range(6):
                with pytest.raises(InvalidStatus) as refused:
                    await call(small, stack)
                assert refused.value.response.status_code == 503
                assert refused.value.response.headers["retry-after"] == "10"
        async with contextlib.AsyncExitStack() as stack:
            await call(small, stack)


@pytest.mark.parametrize(
    ("number", "goodbyes"),
    [(signal.SIGKILL, (None, 1000)), (signal.SIGTERM, (1000,))],  # there may be time for one
    ids=["kill", "stop"],
)
async def test_when_the_supervisor_ends_nothing_is_left_running(
    number: signal.Signals, goodbyes: tuple[int | None, ...]
) -> None:
    with Server(VOICEFORGE_GATEWAYS="2") as doomed:
        await asyncio.to_thread(doomed.until_ready)
        family = doomed.family()
        assert len(family) >= 6
        async with contextlib.AsyncExitStack() as stack:
            caller = await call(doomed, stack)
            doomed.signal(number)
            assert await ended(caller) in goodbyes
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 20)
        assert alive == []
