"""Both ends of the way to a Ray actor, without a cluster between them."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from actors.ray_actor import Parcel, RayActor
from actors.ray_worker import Relay
from engine import wire
from engine.framing import framed
from engine.inference import InferenceError, Priority
from tests.engine.a_worker import load


def _body(message: wire.ToWorker) -> bytes:
    return msgspec.msgpack.encode(message)


def _ask(ident: int, *steps: int | str) -> bytes:
    return _body(wire.Ask(ident, Priority.FIRST, 1000, msgspec.msgpack.encode(steps)))


async def _told(actor: RayActor, count: int) -> list[tuple[int, object]]:
    """The next messages, each with the visitor that it is for; None for who is shown out."""
    told: list[tuple[int, object]] = []
    async with asyncio.timeout(10):
        while len(told) < count:
            for number, message in await actor.take():
                said = message and msgspec.msgpack.decode(message[4:], type=wire.FromWorker)
                told.append((number, said))
    return told


async def test_visitors_are_told_apart_and_one_that_breaks_the_rules_is_shown_out() -> None:
    actor = RayActor("test")
    assert await actor.load(load) is None
    await actor.receive([(0, b""), (1, b""), (0, _ask(7, 1)), (1, _ask(7, 2))])
    told = await _told(actor, 6)
    hello = told[0][1]
    assert isinstance(hello, wire.Hello)
    assert hello.node == await actor.node()
    for number, result in ((0, b"\x01"), (1, b"\x02")):
        messages = [message for to, message in told if to == number]
        assert messages[1] == wire.Result(7, result)
        assert isinstance(messages[2], wire.Done)
    await actor.receive([(0, b"nonsense"), (0, _ask(8, 1)), (1, _ask(8, 3)), (1, None)])
    assert (await _told(actor, 1))[0] == (0, None)


async def test_an_actor_that_cannot_load_says_why_and_where() -> None:
    def missing() -> Any:
        raise InferenceError("model_missing", "run `voiceforge models pull`")

    actor = RayActor("test")
    refusal = await actor.load(missing)
    assert refusal == (
        "model_missing",
        f"on node {await actor.node()}: run `voiceforge models pull`",
    )


class _Calls:
    """What a handle of an actor looks like to the relay."""

    def __init__(self) -> None:
        self.came: list[list[Parcel]] = []
        self.done = asyncio.Semaphore(0)
        self.under_way = 0
        self.receive = self.take = self

    def remote(self, *given: list[Parcel]) -> Any:
        return self._receive(given[0]) if given else asyncio.Event().wait()

    async def _receive(self, parcels: list[Parcel]) -> None:
        assert self.under_way == 0  # else Ray might do the second one first
        self.under_way += 1
        self.came.append(parcels)
        await self.done.acquire()
        self.under_way -= 1


class _Nowhere:
    def close(self) -> None: ...


async def test_one_call_is_under_way_and_what_comes_meanwhile_goes_with_the_next() -> None:
    calls = _Calls()
    relay = Relay("test", cast(Any, calls))
    reader = asyncio.StreamReader()
    visit = asyncio.create_task(relay.connected(reader, cast(Any, _Nowhere())))
    await asyncio.sleep(0.01)
    reader.feed_data(framed(b"a") + framed(b"b"))
    await asyncio.sleep(0.01)
    assert calls.came == [[(0, b"")]]
    calls.done.release()
    await asyncio.sleep(0.01)
    reader.feed_eof()
    await visit
    calls.done.release()
    await asyncio.sleep(0.01)
    assert calls.came == [[(0, b"")], [(0, b"a"), (0, b"b")], [(0, None)]]


async def test_when_a_call_fails_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    calls = _Calls()

    async def lost(parcels: list[Parcel]) -> None:
        raise ConnectionError("the node is gone")

    monkeypatch.setattr(calls, "_receive", lost)
    relay = Relay("test", cast(Any, calls))
    reader = asyncio.StreamReader()
    reader.feed_eof()
    await relay.connected(reader, cast(Any, _Nowhere()))
    await asyncio.sleep(0.01)
    assert ended == [1]
