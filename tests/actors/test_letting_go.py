"""What the embedded endpoint works on until it notices that nobody wants it keeps its place."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from engine.inference import Priority
from tests.actors.endpoint import (
    DONE,
    Connect,
    Scripted,
    ask,
    chat_with,
    connect,
    event,
    everything,
    raw,
)

__all__ = ["connect"]  # the fixture


class Reader:
    """An endpoint that answers with what it was asked, once the test lets it have read that."""

    def __init__(self) -> None:
        self.read = asyncio.Event()
        self.asked: list[str] = []
        self.arrivals: asyncio.Queue[str] = asyncio.Queue()
        self.endpoint = Scripted(self._answer)

    async def _answer(self, body: dict[str, Any], response: web.StreamResponse) -> None:
        self.asked.append(text := body["messages"][0]["content"])
        self.arrivals.put_nowait(text)
        await self.read.wait()
        for word in (text, " and", " so", " on"):
            await response.write(event(word))
            await asyncio.sleep(0.02)
        await response.write(event("", "stop") + DONE)


async def arrived(reader: Reader, text: str) -> None:
    async with asyncio.timeout(5):
        assert await reader.arrivals.get() == text


async def test_a_prompt_is_read_to_its_end_before_the_next_one_is_sent(connect: Connect) -> None:
    reader = Reader()
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    dropped = ask(client, chat_with("half a question"), Priority.SPECULATIVE)
    await arrived(reader, "half a question")
    dropped.cancel()
    whole = ask(client, chat_with("the whole question"), Priority.SPECULATIVE)
    await asyncio.sleep(0.1)
    assert reader.asked == ["half a question"]
    assert await everything(dropped) == []
    reader.read.set()
    assert (await everything(whole))[0].text == "the whole question"
    async with asyncio.timeout(5):
        await reader.endpoint.hung_up.wait()


async def test_a_foreign_endpoint_is_not_waited_for(connect: Connect) -> None:
    reader = Reader()
    client = await connect(reader.endpoint.handle, at_once=1)
    dropped = ask(client, chat_with("half a question"), Priority.SPECULATIVE)
    await arrived(reader, "half a question")
    dropped.cancel()
    ask_again = ask(client, chat_with("the whole question"), Priority.SPECULATIVE)
    await arrived(reader, "the whole question")
    reader.read.set()
    await everything(ask_again)


async def test_who_waits_for_a_reply_does_not_wait_for_prepared_ones(connect: Connect) -> None:
    reader = Reader()
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    prepared = ask(client, chat_with("prepared"), Priority.SPECULATIVE)
    await arrived(reader, "prepared")
    urgent = ask(client, chat_with("urgent"))
    await asyncio.sleep(0.05)
    assert reader.asked == ["prepared"], "a prompt is read to its end"
    reader.read.set()
    assert (await everything(urgent))[0].text == "urgent"
    assert (await everything(prepared))[0].text == "prepared"
    assert reader.asked == ["prepared", "urgent", "prepared"]


class LongReader:
    """An endpoint that reads prompts of 640 tokens in ten batches, and tells how far it is."""

    def __init__(self) -> None:
        self.left = {"long": 10, "urgent": 1}
        self.endpoint = Scripted(self._answer)

    async def _answer(self, body: dict[str, Any], response: web.StreamResponse) -> None:
        text = body["messages"][0]["content"]
        assert body["return_progress"] is True
        while self.left[text]:
            told = {"total": 640, "cache": 0, "processed": 640 - 64 * self.left[text]}
            await response.write(raw({"choices": [], "prompt_progress": told}))
            await asyncio.sleep(0.03)
            self.left[text] -= 1
        await response.write(event(text) + event("", "stop") + DONE)


@pytest.mark.parametrize("priority", [Priority.FIRST, Priority.SPECULATIVE])
async def test_a_long_prompt_gives_way_while_it_is_read_and_goes_on(
    connect: Connect, priority: Priority
) -> None:
    reader = LongReader()
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    long = client.request(chat_with("long"), priority=priority, deadline_ms=5000)
    told = asyncio.create_task(everything(long))
    await asyncio.sleep(0.07)
    urgent = client.request(chat_with("urgent"), priority=Priority.FIRST, deadline_ms=1000)
    assert (await everything(urgent))[0].text == "urgent"
    assert reader.left["long"] > 3, "it was still being read"
    assert (await told)[0].text == "long"
    asked = [body["messages"][0]["content"] for body in reader.endpoint.bodies]
    assert asked == ["long", "urgent", "long"]


async def test_who_has_only_a_little_to_read_stays_although_it_was_told_to_leave(
    connect: Connect,
) -> None:
    reader = LongReader()
    reader.left["long"] = 2
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    told = asyncio.create_task(
        everything(client.request(chat_with("long"), priority=Priority.FIRST, deadline_ms=5000))
    )
    await asyncio.sleep(0.02)
    await everything(client.request(chat_with("urgent"), priority=Priority.FIRST, deadline_ms=1000))
    assert (await told)[0].text == "long"
    assert len(reader.endpoint.bodies) == 2, "each was asked for once"


async def test_what_is_read_in_a_moment_is_read_to_its_end(connect: Connect) -> None:
    reader = LongReader()
    reader.left["long"] = 1
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    soon = client.request(chat_with("long"), priority=Priority.FIRST, deadline_ms=5000)
    told = asyncio.create_task(everything(soon))
    await asyncio.sleep(0.01)
    await everything(client.request(chat_with("urgent"), priority=Priority.FIRST, deadline_ms=1000))
    assert (await told)[0].text == "long"
    assert len(reader.endpoint.bodies) == 2, "each was asked for once"


async def test_a_long_prompt_that_nobody_wants_is_not_read_to_its_end(connect: Connect) -> None:
    reader = LongReader()
    client = await connect(reader.endpoint.handle, embedded=True, at_once=1)
    dropped = ask(client, chat_with("long"))
    await asyncio.sleep(0.07)
    dropped.cancel()
    assert (await everything(ask(client, chat_with("urgent"))))[0].text == "urgent"
    assert reader.left["long"] > 3


async def test_closing_waits_for_nothing(connect: Connect) -> None:
    reader = Reader()
    client = await connect(reader.endpoint.handle, embedded=True)
    kept = ask(client, chat_with("never read"))
    await arrived(reader, "never read")
    dropped = ask(client, chat_with("dropped"))
    await arrived(reader, "dropped")
    dropped.cancel()
    async with asyncio.timeout(2):
        await client.close()
    assert await everything(kept) == []
