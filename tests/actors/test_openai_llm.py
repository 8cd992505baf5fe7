import asyncio
import gc
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from actors.llm_plan import Endpoint, Patience
from actors.openai_llm import OpenAIChat
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolSpec
from engine.inference import Priority
from tests.actors.endpoint import (
    DONE,
    Connect,
    Scripted,
    ask,
    chat_with,
    connect,
    error_of,
    event,
    everything,
    raw,
)

__all__ = ["connect"]  # the fixture

_WEATHER = ToolSpec("weather", "Says the weather.", {"type": "object", "properties": {}})


async def test_text_streams_and_ends_with_the_token_counts(connect: Connect) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        usage = {"prompt_tokens": 9, "completion_tokens": 2}
        usage |= {"prompt_tokens_details": {"cached_tokens": 5}}  # type: ignore[dict-item]
        whole = b": keep alive\n\n" + event("Grüß ") + event("dich") + event("", "stop")
        whole += raw({"choices": [], "usage": usage}) + DONE
        for byte in whole:  # torn wherever it can be
            await response.write(bytes([byte]))

    endpoint = Scripted(answer)
    client = await connect(endpoint.handle)
    deltas = await everything(ask(client, chat_with(temperature=0.5, max_tokens=7)))
    assert [delta.text for delta in deltas] == ["Grüß ", "dich", ""]
    assert deltas[-1] == ChatDelta("", (), "stop", "qwen", 9, 2, 5)
    assert endpoint.bodies == [
        {
            "model": "qwen",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.5,
            "max_tokens": 7,
        }
    ]


async def test_function_calls_come_in_pieces(connect: Connect) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        for function in ({"name": "weather", "arguments": ""}, {"arguments": "{}"}):
            call = {"index": 0, "id": "c1" if "name" in function else None, "function": function}
            await response.write(raw({"choices": [{"delta": {"tool_calls": [call]}}]}))
        await response.write(event("", "tool_calls") + DONE)

    endpoint = Scripted(answer)
    client = await connect(endpoint.handle)
    deltas = await everything(ask(client, chat_with(tools=(_WEATHER,), tool_choice="weather")))
    calls = [call for delta in deltas for call in delta.tool_calls]
    assert [(call.id, call.name, call.arguments) for call in calls] == [
        ("c1", "weather", ""),
        ("", "", "{}"),
    ]
    assert deltas[-1].finish == "tool_calls"
    named = {"type": "function", "function": {"name": "weather"}}
    assert endpoint.bodies[0]["tool_choice"] == named
    assert endpoint.bodies[0]["tools"][0]["type"] == "function"


@pytest.mark.parametrize("written", ['{"name": "weather", "arguments": {"at": "Ulm"}}', None])
async def test_the_embedded_model_s_written_calls_are_calls(
    connect: Connect, written: str | None
) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        for letter in written or "{no call}":
            await response.write(event(letter))
        await response.write(event(" and rambling on", "stop") + DONE)

    client = await connect(Scripted(answer).handle, embedded=True)
    deltas = await everything(ask(client, chat_with(tools=(_WEATHER,))))
    if written:
        assert [call.arguments for delta in deltas for call in delta.tool_calls] == [
            '{"at": "Ulm"}'
        ]
        assert deltas[-1].finish == "tool_calls"
        assert "".join(delta.text for delta in deltas) == ""
    else:
        assert "".join(delta.text for delta in deltas) == "{no call} and rambling on"
        assert deltas[-1].finish == "stop"


async def test_the_embedded_model_tells_of_an_output_and_does_not_call_again(
    connect: Connect,
) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(event('{"name": "weather"', "stop") + DONE)

    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    asked, output = ChatMessage("user", "Rain?"), ChatMessage("tool", "Yes.", tool_call_id="1")
    called = ChatMessage("assistant", tool_calls=(call,))
    chat = Chat((asked, called, output), tools=(_WEATHER,))
    endpoint = Scripted(answer)
    client = await connect(endpoint.handle, embedded=True)
    deltas = await everything(ask(client, chat))
    [body] = endpoint.bodies
    assert [message["role"] for message in body["messages"]] == ["user", "tool"]
    assert "tools" not in body
    assert deltas[0].text == '{"name": "weather"'

    endpoint = Scripted(answer)
    client = await connect(endpoint.handle)
    await everything(ask(client, chat))
    assert endpoint.bodies[0]["messages"][1]["tool_calls"] == [call]
    assert len(endpoint.bodies[0]["tools"]) == 1


async def test_json_that_is_no_call_is_not_held_back(connect: Connect) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(event('{"weather": "rain"}') + event(" and so on", "stop") + DONE)

    client = await connect(Scripted(answer).handle, embedded=True)
    deltas = await everything(ask(client, chat_with(tools=(_WEATHER,))))
    assert [delta.text for delta in deltas[:2]] == ['{"weather": "rain"}', " and so on"]


async def test_an_endpoint_that_knows_no_stream_options_is_asked_without(connect: Connect) -> None:
    bodies = []

    async def handle(request: web.Request) -> web.StreamResponse:
        bodies.append(body := await request.json())
        if "stream_options" in body:
            return web.json_response({"error": {"message": "stream_options: unknown"}}, status=400)
        return web.Response(body=event("Hi", "stop") + DONE)

    client = await connect(handle)
    for _ in range(2):
        assert [delta.text for delta in await everything(ask(client, chat_with()))] == ["Hi", ""]
    assert ["stream_options" in body for body in bodies] == [True, False, False]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "llm_refused"), (404, "llm_failed"), (429, "llm_overloaded"), (500, "llm_failed")],
)
async def test_a_refusal_says_what_the_endpoint_says(
    connect: Connect, status: int, code: str
) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no such model: qwen"}}, status=status)

    failed = await error_of(ask(await connect(handle), chat_with()))
    assert failed.code == code
    assert f"{status}: no such model: qwen" in str(failed)
    assert "secret" not in str(failed)


async def test_an_endpoint_that_is_down_is_unreachable() -> None:
    client = OpenAIChat(Endpoint(f"http://127.0.0.1:{unused_port()}/v1", "qwen"))
    assert (await error_of(ask(client, chat_with()))).code == "llm_unreachable"
    await client.close()


@pytest.mark.parametrize(("begun", "stage"), [(False, "first token"), (True, "next token")])
async def test_a_slow_endpoint_times_out_by_stage(
    connect: Connect, begun: bool, stage: str
) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        if begun:
            await response.write(event("One "))
        await asyncio.Event().wait()

    endpoint = Scripted(answer)
    patience = Patience(first_token_s=20 if begun else 0.2, between_tokens_s=0.2)
    client = await connect(endpoint.handle, patience=patience)
    failed = await error_of(ask(client, chat_with()))
    assert failed.code == "llm_timeout"
    assert f"no {stage} from the endpoint within 0.2 s" in str(failed)
    await asyncio.wait_for(endpoint.hung_up.wait(), 20)


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
async def test_an_answer_without_its_end_is_cut(connect: Connect, torn: bool) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(event("Your table is"))
        if torn:
            assert response._req is not None
            assert response._req.transport is not None
            response._req.transport.abort()

    client = await connect(Scripted(answer).handle)
    request = ask(client, chat_with())
    assert (await anext(request)).text == "Your table is"
    assert (await error_of(request)).code == "llm_cut"


@pytest.mark.parametrize(
    "junk",
    [
        b"data: {oops\n\n",
        b'data: {"error": {"message": "boom"}}\n\n',
        b'data: {"error": {"message": "\xff"}}\n\n',
    ],
)
async def test_a_broken_stream_fails_clearly(connect: Connect, junk: bytes) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(junk)

    assert (
        await error_of(ask(await connect(Scripted(answer).handle), chat_with()))
    ).code == "llm_failed"


async def _endless(body: dict[str, Any], response: web.StreamResponse) -> None:
    await response.write(event(body["messages"][0]["content"]))
    await asyncio.Event().wait()


async def test_cancelling_hangs_up_and_ends_silently(connect: Connect) -> None:
    endpoint = Scripted(_endless)
    client = await connect(endpoint.handle)
    request = ask(client, chat_with())
    await anext(request)
    request.cancel()
    request.cancel()
    assert await everything(request) == []
    await asyncio.wait_for(endpoint.hung_up.wait(), 5)
    load = client.load()
    assert (load.queued, load.running) == (0, 0)


async def test_dropping_a_request_hangs_up(connect: Connect) -> None:
    endpoint = Scripted(_endless)
    client = await connect(endpoint.handle)
    request = ask(client, chat_with())
    await anext(request)
    del request
    gc.collect()
    await asyncio.wait_for(endpoint.hung_up.wait(), 5)


async def test_a_caller_who_waits_does_not_displace_an_answer_that_has_begun(
    connect: Connect,
) -> None:
    asked: list[str] = []
    release = asyncio.Event()

    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        asked.append(text := body["messages"][0]["content"])
        await response.write(event(text))
        await release.wait()
        await response.write(event("", "stop") + DONE)

    client = await connect(Scripted(answer).handle, at_once=1)
    prepared = ask(client, chat_with("prepared"), Priority.SPECULATIVE)
    assert (await anext(prepared)).text == "prepared"
    urgent = ask(client, chat_with("urgent"))
    await asyncio.sleep(0.05)
    release.set()
    assert [delta.finish for delta in await everything(prepared)] == ["stop"]
    assert (await everything(urgent))[0].text == "urgent"
    assert asked == ["prepared", "urgent"]


@pytest.mark.parametrize("embedded", [False, True])
async def test_only_our_own_llama_is_told_which_slot_goes_on(
    connect: Connect, embedded: bool
) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(event("Hi", "stop", __verbose={"id_slot": 1}) + DONE)

    endpoint = Scripted(answer)
    client = await connect(endpoint.handle, embedded=embedded, at_once=2)
    for _ in range(2):
        await everything(ask(client, chat_with("a question")))
    assert [body.get("id_slot") for body in endpoint.bodies] == [None, 1 if embedded else None]
    assert ["verbose" in body for body in endpoint.bodies] == [embedded] * 2


async def test_a_displaced_answer_that_had_not_begun_is_asked_for_again(connect: Connect) -> None:
    asked: list[str] = []
    arrived = asyncio.Event()

    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        asked.append(text := body["messages"][0]["content"])
        arrived.set()
        if asked == ["prepared"]:
            await asyncio.Event().wait()
        await response.write(event(text, "stop") + DONE)

    client = await connect(Scripted(answer).handle, at_once=1)
    prepared = ask(client, chat_with("prepared"), Priority.SPECULATIVE)
    await arrived.wait()
    urgent = ask(client, chat_with("urgent"))
    assert (await everything(urgent))[0].text == "urgent"
    assert (await everything(prepared))[0].text == "prepared"
    assert asked == ["prepared", "urgent", "prepared"]


async def test_a_promoted_answer_is_not_displaced(connect: Connect) -> None:
    asked: list[str] = []
    arrived, release = asyncio.Event(), asyncio.Event()

    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        asked.append(text := body["messages"][0]["content"])
        arrived.set()
        await release.wait()
        await response.write(event(text, "stop") + DONE)

    client = await connect(Scripted(answer).handle, at_once=1)
    promoted = ask(client, chat_with("promoted"), Priority.SPECULATIVE)
    await arrived.wait()
    promoted.promote(Priority.FIRST, 500)
    urgent = ask(client, chat_with("urgent"))
    await asyncio.sleep(0.05)
    release.set()
    assert (await everything(promoted))[0].text == "promoted"
    assert (await everything(urgent))[0].text == "urgent"
    assert asked == ["promoted", "urgent"]


async def test_what_waits_goes_in_order_of_urgency_and_promotion_counts(connect: Connect) -> None:
    asked: list[str] = []
    release = asyncio.Event()

    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        asked.append(body["messages"][0]["content"])
        await release.wait()
        await response.write(event("ok", "stop") + DONE)

    client = await connect(Scripted(answer).handle, at_once=1)
    names = {"first": Priority.FIRST, "batch": Priority.BATCH, "ahead": Priority.AHEAD}
    requests = [ask(client, chat_with(name), priority) for name, priority in names.items()]
    late = ask(client, chat_with("promoted"), Priority.BATCH)
    late.promote(Priority.PARTIAL, 100)
    release.set()
    await asyncio.gather(*map(everything, [*requests, late]))
    assert asked == ["first", "promoted", "ahead", "batch"]


async def test_what_an_endpoint_says_of_a_key_is_kept_private(connect: Connect) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "Incorrect key: sk-123"}}, status=401)

    failed = await error_of(ask(await connect(handle), chat_with()))
    assert failed.code == "llm_failed"
    assert "llm.api_key" in str(failed)
    assert "sk-123" not in str(failed)


async def test_warming_costs_a_foreign_endpoint_nothing_and_yields_nothing(
    connect: Connect,
) -> None:
    async def answer(body: dict[str, Any], response: web.StreamResponse) -> None:
        await response.write(event("B", "length") + DONE)

    foreign, own = Scripted(answer), Scripted(answer)
    assert await everything(ask(await connect(foreign.handle), chat_with(max_tokens=0))) == []
    assert foreign.bodies == []
    warmed = await everything(
        ask(await connect(own.handle, embedded=True), chat_with(max_tokens=0))
    )
    assert [delta.text for delta in warmed] == [""]
    assert own.bodies[0]["max_tokens"] == 0
    assert own.bodies[0]["cache_prompt"] is True


async def test_an_endpoint_that_worked_before_it_hung_up_is_not_asked_twice(
    connect: Connect,
) -> None:
    asked = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.5)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    assert (await error_of(ask(await connect(handle), chat_with()))).code == "llm_cut"
    assert asked == 1


async def test_a_kept_connection_that_was_just_closed_costs_no_answer(connect: Connect) -> None:
    asked = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked == 2:
            assert request.transport is not None
            request.transport.abort()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event("Yes", "stop") + DONE)
        return response

    client = await connect(handle)
    for _ in range(2):
        assert (await everything(ask(client, chat_with())))[0].text == "Yes"
    assert asked == 3
