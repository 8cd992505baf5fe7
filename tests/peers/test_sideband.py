"""Sidebands by the stock `openai` SDK, to sessions in either of two gateways."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psutil
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.peers.caller import Caller, calling, said
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

BRIEF: dict[str, Any] = {"output_modalities": ["text"], "max_output_tokens": 8}


@pytest.fixture(scope="module")
def gateways() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


def ident(caller: Caller) -> str:
    (created,) = caller.all("session.created")
    name: str = created.session.id
    return name


@contextlib.asynccontextmanager
async def joined(server: Server, call_id: str) -> AsyncIterator[Caller]:
    """A sideband, as OpenAI's documentation has one opened."""
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key)
    async with client, client.realtime.connect(call_id=call_id) as connection:
        sideband = Caller(connection)
        try:
            await sideband.until("session.created")
            yield sideband
        finally:
            await sideband.hang_up()


async def to_the_end(line: AsyncRealtimeConnection) -> tuple[list[str], ConnectionClosed]:
    """The types of what still comes, and how the server closes the connection."""
    kinds: list[str] = []
    async with asyncio.timeout(20):
        try:
            while True:
                kinds.append((await line.recv()).type)
        except ConnectionClosed as end:
            return kinds, end


async def test_it_steers_a_session_through_whichever_gateway_takes_it(gateways: Server) -> None:
    async with calling(gateways, **BRIEF) as here, calling(gateways, **BRIEF) as there:
        assert ident(here).split("_")[1] != ident(there).split("_")[1]
        for caller in (here, there):
            for number in range(4):  # each through whichever gateway takes the connection
                async with joined(gateways, ident(caller)) as sideband:
                    assert ident(sideband) == ident(caller)
                    instructions = f"You are number {number}."
                    await sideband.connection.session.update(
                        session={"type": "realtime", "instructions": instructions}
                    )
                    for told in (caller, sideband):
                        updated = await told.until("session.updated")
                        assert updated.session.instructions == instructions
            async with joined(gateways, ident(caller)) as sideband:
                await sideband.type("Say hello.")
                answer = said((await caller.until("response.done")).response)
                assert answer
                assert said((await sideband.until("response.done")).response) == answer
                await sideband.connection.conversation.item.retrieve(item_id="nothing")
                refused = await sideband.until("error")
                assert refused.error.code == "item_not_found"
            assert caller.all("error") == []


async def test_it_is_counted_as_no_session(gateways: Server) -> None:
    async with calling(gateways, **BRIEF) as caller, joined(gateways, ident(caller)):
        shown = json.loads((await asyncio.to_thread(gateways.get, "/v1/system"))[1])
        assert shown["sessions"] == 1


async def test_it_is_told_that_the_session_was_hung_up(gateways: Server) -> None:
    async with calling(gateways, **BRIEF) as here, calling(gateways, **BRIEF) as there:
        for caller in (here, there):
            client = AsyncOpenAI(base_url=f"{gateways.url}/v1", api_key=gateways.key)
            async with client, client.realtime.connect(call_id=ident(caller)) as sideband:
                assert (await sideband.recv()).type == "session.created"
                path = f"/v1/realtime/calls/{ident(caller)}/hangup"
                assert (await asyncio.to_thread(gateways.ask, "POST", path))[0] == 200
                kinds, end = await to_the_end(sideband)
                assert kinds[-1] == "voiceforge.session.ended"
                assert end.rcvd is not None
                assert (end.rcvd.code, end.rcvd.reason) == (1000, "hung_up")


@pytest.mark.parametrize("call_id", ["sess_0_nobody", "sess_1_nobody", "sess_77_nobody", "rtc_1"])
async def test_an_id_that_nobody_has_is_not_found(gateways: Server, call_id: str) -> None:
    for _ in range(3):
        with pytest.raises(InvalidStatus) as refused:
            async with joined(gateways, call_id):
                pass
        assert refused.value.response.status_code == 404
        error = json.loads(refused.value.response.body or b"")["error"]
        assert error["code"] == "session_not_found"


async def test_a_killed_gateway_closes_the_sidebands_of_its_sessions_only(
    gateways: Server,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(calling(gateways, **BRIEF)) for _ in range(2)]
        unlucky, other = sorted(callers, key=ident)
        client = await stack.enter_async_context(
            AsyncOpenAI(base_url=f"{gateways.url}/v1", api_key=gateways.key)
        )
        lines = []
        for _ in range(4):
            connecting = client.realtime.connect(call_id=ident(unlucky))
            lines.append(await stack.enter_async_context(connecting))
            assert (await lines[-1].recv()).type == "session.created"
        shown = json.loads((await asyncio.to_thread(gateways.get, "/v1/system"))[1])
        pids = {str(gateway["index"]): gateway["pid"] for gateway in shown["gateways"]}
        psutil.Process(pids[ident(unlucky).split("_")[1]]).kill()
        for line in lines:
            await to_the_end(line)
        async with joined(gateways, ident(other)) as again:
            await again.connection.session.update(
                session={"type": "realtime", "instructions": "Go on."}
            )
            assert (await other.until("session.updated")).session.instructions == "Go on."
