"""Sidebands over real sockets: who may join, who stops reading, whose mistake hurts whom."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine import frames
from engine.items import Message, Part
from engine.session import EndReason
from tests.transports.test_websocket import Registry, next_event, serving, until


@pytest.fixture
def registry(new_client: Any) -> Registry:
    return Registry(type(new_client().session))


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    with pytest.raises(ConnectionClosed):
        await next_event(socket)
    return socket.close_code, socket.close_reason


async def test_a_sideband_joins_asks_and_leaves_and_the_session_goes_on(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as owner:
        ident = (await next_event(owner))["session"]["id"]
        async with connect(f"{url}?call_id={ident}&model=any") as sideband:
            created = await next_event(sideband)
            assert created["session"]["id"] == ident
            await sideband.send('{"type":"input_audio_buffer.clear"}')
            await until(lambda: ("clear", None) in registry.session(0).calls)
            registry.session(0).say(frames.InputCleared())
            for socket in (owner, sideband):
                assert (await next_event(socket))["type"] == "input_audio_buffer.cleared"
        await owner.send("{")
        assert (await next_event(owner))["type"] == "error"
        assert registry.gone == []
        assert len(registry.leases) == 1


@pytest.mark.parametrize("call_id", ["sess_9", "", "%FF", "x" * 5000])
async def test_who_names_no_open_session_is_refused_with_404(
    registry: Registry, call_id: str
) -> None:
    async with serving(registry) as url:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{url}?call_id={call_id}")
    assert refused.value.response.status_code == 404
    error = json.loads(refused.value.response.body or b"")["error"]
    assert (error["code"], error["param"]) == ("session_not_found", "call_id")
    assert registry.leases == {}


async def test_one_sideband_too_many_is_refused_and_the_others_stay(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as owner:
        await next_event(owner)
        crowd = [await connect(f"{url}?call_id=sess_0") for _ in range(8)]
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{url}?call_id=sess_0")
        assert refused.value.response.status_code == 429
        for sideband in crowd:
            await sideband.send("{")
            assert (await next_event(sideband))["type"] == "session.created"
            assert (await next_event(sideband))["type"] == "error"
            await sideband.close()


async def test_the_sideband_is_closed_with_the_reason_when_the_session_ends(
    registry: Registry,
) -> None:
    async with serving(registry) as url, connect(url) as owner:
        await next_event(owner)
        async with connect(f"{url}?call_id=sess_0") as sideband:
            await next_event(sideband)
            registry.session(0).stop(EndReason.HUNG_UP)
            assert (await next_event(sideband))["type"] == "voiceforge.session.ended"
            assert await closed(sideband) == (1000, "hung_up")


async def test_a_sideband_that_stops_reading_is_dropped_and_nobody_waits_for_it(
    registry: Registry,
) -> None:
    async with serving(registry, stall_s=1.5) as url, connect(url) as owner:
        await next_event(owner)
        deaf = await connect(f"{url}?call_id=sess_0", max_queue=1, ping_interval=None)
        lease = registry.leases["sess_0"]
        beside = lease.transport._audience._sidebands  # type: ignore[attr-defined]
        await until(lambda: bool(beside))
        item = Message("i", "user", (Part("text", "x" * 20_000),))
        async with asyncio.timeout(20):
            while beside:
                registry.session(0).say(frames.ItemAdded(item, None, False))
                told = await next_event(owner, timeout_s=1.0)  # before the sideband is given up
                assert told["type"] == "conversation.item.added"
        registry.session(0).say(frames.InputCleared())
        assert (await next_event(owner))["type"] == "input_audio_buffer.cleared"
        assert registry.gone == []
        deaf.transport.abort()


async def test_an_error_of_ours_ends_the_sideband_and_not_the_session(registry: Registry) -> None:
    async with serving(registry) as url, connect(url) as owner:
        await next_event(owner)

        def fail(response_id: str | None = None) -> None:
            raise ZeroDivisionError

        registry.session(0).cancel = fail
        async with connect(f"{url}?call_id=sess_0") as sideband:
            await next_event(sideband)
            await sideband.send('{"type":"response.cancel"}')
            assert (await closed(sideband))[0] == 1011
        await owner.send("{")
        assert (await next_event(owner))["type"] == "error"
        assert not any(name == "stop" for name, _ in registry.session(0).calls)
