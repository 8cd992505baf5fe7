"""Sidebands of whole sessions: scripted models, no network, a clock that jumps."""

import asyncio
from typing import Any

from tests.server.exchange import Client, services
from tests.server.test_sessions import registry, sample, virtual


def typed(client: Client, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    client.put("conversation.item.create", item=item)


async def session_of(client: Client) -> dict[str, Any]:
    created: dict[str, Any] = (await client.until("session.created"))["session"]
    return created


@virtual
async def test_a_sideband_takes_no_place_and_follows_a_spoken_turn() -> None:
    sessions = registry(services(), max_sessions=1)
    async with Client(sessions) as caller:
        ident = (await session_of(caller))["id"]
        async with Client(sessions, f"call_id={ident}") as sideband:
            await sideband.until("session.created")
            await caller.say("what time is it")
            done = await sideband.until("response.done")
            assert done["response"]["status"] == "completed"
            kinds = {event["type"] for event in caller.events}
            told = {event["type"] for event in sideband.events}
            assert kinds - told == {"response.output_audio.delta"}
            assert told <= kinds
            assert sample(sessions, "voiceforge_sessions") == 1
        assert len(sessions) == 1


@virtual
async def test_a_sideband_answers_a_function_call_for_the_caller() -> None:
    sessions = registry(services(lambda chat: chat.messages[-1].content or ""))
    async with Client(sessions) as caller:
        ident = (await session_of(caller))["id"]
        async with Client(sessions, f"call_id={ident}") as sideband:
            await sideband.until("session.created")
            call = {"type": "function_call", "name": "lookup", "arguments": "{}", "call_id": "c1"}
            output = {"type": "function_call_output", "call_id": "c1", "output": "On Friday."}
            for item in (call, output):
                sideband.put("conversation.item.create", item=item)
            sideband.put("response.create", response={"output_modalities": ["text"]})
            done = await caller.until("response.done")
            assert done["response"]["output"][0]["content"][0]["text"] == "On Friday."


@virtual
async def test_a_sideband_goes_on_while_the_client_is_away_and_ends_with_the_session() -> None:
    sessions = registry(services())
    async with Client(sessions, code=1006) as caller:
        ident = (await session_of(caller))["id"]
        sideband = Client(sessions, f"call_id={ident}")
        await sideband.__aenter__()
        await sideband.until("session.created")
    await asyncio.sleep(20)  # the client is gone: two thirds of its minute are left
    typed(sideband, "hello")
    sideband.put("response.create", response={"output_modalities": ["text"]})
    done = await sideband.until("response.done")
    assert done["response"]["output"][0]["content"][0]["text"] == "Certainly."
    await asyncio.sleep(30)
    assert len(sessions) == 1
    ended = await sideband.until("voiceforge.session.ended")
    assert ended["reason"] == "client_did_not_return"
    await asyncio.sleep(0.1)
    assert sideband.messages[-1]["code"] == 1000
    assert len(sessions) == 0
    await sideband.__aexit__()


@virtual
async def test_a_client_comes_back_to_what_a_sideband_added() -> None:
    sessions = registry(services())
    async with Client(sessions, code=1006) as caller:
        session = await session_of(caller)
    async with Client(sessions, f"call_id={session['id']}") as sideband:
        await sideband.until("session.created")
        typed(sideband, "hello")
        await sideband.until("conversation.item.done")
        query = f"session_id={session['id']}&resume={session['voiceforge']['resume']}"
        async with Client(sessions, query) as back:
            item = (await back.until("conversation.item.done"))["item"]
            assert item["content"][0]["text"] == "hello"
            await back.say("what time is it")
            await back.until("response.done")
            await sideband.until("response.done")
        await sideband.until("voiceforge.session.ended")


@virtual
async def test_of_a_session_that_has_ended_there_is_no_sideband() -> None:
    sessions = registry(services())
    async with Client(sessions) as caller:
        ident = (await session_of(caller))["id"]
    async with Client(sessions, f"call_id={ident}") as late:
        assert (await late.refused())["status"] == 404
