"""The embedded LLM with its real model, in its real process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest
import pytest_asyncio
from msgspec.structs import replace

from actors.llm_plan import Embedded, LlmPlan, Patience
from actors.store import Store
from actors.workers import MODELS, llm_command
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolSpec
from engine.inference import InferenceError, Priority
from engine.pool import Pool, PoolRequest
from tests.local import LocalReplica

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]

Llm = Pool[Chat, ChatDelta]
Asked = PoolRequest[Chat, ChatDelta]

_HOTEL = (
    "You are the telephone assistant of a small hotel. Answer in one short sentence. "
    "Breakfast is served from seven to ten. Dogs are welcome and cost eight euros a night."
)
_WEATHER = ToolSpec(
    "get_weather",
    "Get the current weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Llm]:
    embedded = Embedded(MODELS["llm"], str(Store().root), threads=2)
    plan = LlmPlan(embedded, patience=Patience(connect_s=60, first_token_s=60))
    llm: Llm = Pool("llm", ChatDelta, [LocalReplica("llm", llm_command(plan))])
    await llm.start()
    await llm.ready()
    yield llm
    await llm.close()


def _ask(client: Llm, chat: Chat) -> Asked:
    return client.request(chat, priority=Priority.FIRST, deadline_ms=2000)


async def _all(request: Asked) -> list[ChatDelta]:
    async with asyncio.timeout(120):
        return [delta async for delta in request]


def _chat(*texts: str, **more: object) -> Chat:
    roles = ("system", "user")
    messages = tuple(ChatMessage(role, text) for role, text in zip(roles, texts, strict=False))  # type: ignore[arg-type]
    return Chat(messages, temperature=0.0, **more)  # type: ignore[arg-type]


async def test_it_answers_sensibly_and_counts_its_tokens(client: Llm) -> None:
    request = _ask(client, _chat(_HOTEL, "When is breakfast served?", max_tokens=40))
    deltas = await _all(request)
    text = "".join(delta.text for delta in deltas)
    assert "seven" in text
    assert "ten" in text
    assert deltas[-1].finish == "stop"
    assert deltas[-1].input_tokens > 30
    assert deltas[-1].output_tokens > 4
    assert request.compute_ms > 0


async def test_a_warmed_prompt_is_not_computed_again(client: Llm) -> None:
    instructions = "You are Zelda, a librarian who likes short answers. " + _HOTEL
    assert (
        "".join(d.text for d in await _all(_ask(client, _chat(instructions, max_tokens=0)))) == ""
    )
    deltas = await _all(_ask(client, _chat(instructions, "Are dogs welcome?", max_tokens=4)))
    assert deltas[-1].cached_tokens > deltas[-1].input_tokens * 0.6


async def test_eight_conversations_with_the_same_instructions_stay_read(client: Llm) -> None:
    rules = _HOTEL + " ".join(
        f"Room {n} costs {80 + n} euros and has a sea view." for n in range(20)
    )
    calls = [_chat(rules, conversation=f"caller {number}") for number in range(8)]
    for call in calls:  # as sessions begin
        await _all(_ask(client, replace(call, max_tokens=0)))
    ends: list[ChatDelta] = []

    async def turn(call: Chat, words: str) -> Chat:
        mine = ChatMessage("user", f"I am {call.conversation}. {words}")
        asked = replace(call, messages=(*call.messages, mine), max_tokens=8)
        deltas = await _all(_ask(client, asked))
        ends.append(deltas[-1])
        said = ChatMessage("assistant", "".join(delta.text for delta in deltas))
        return replace(asked, messages=(*asked.messages, said))

    for words in ("What is the price of a room?", "Is breakfast included?", "May I bring my dog?"):
        calls = list(await asyncio.gather(*(turn(call, words) for call in calls)))
    # A tenth is what they say; beyond that one or another may be read again.
    assert sum(end.cached_tokens for end in ends) > 0.8 * sum(end.input_tokens for end in ends)


async def test_what_was_read_for_a_dropped_question_is_not_read_again(client: Llm) -> None:
    story = "I want to tell you about my holidays. " + "It rained and we stayed inside. " * 12
    await _all(_ask(client, _chat(_HOTEL, max_tokens=0)))  # as a session begins
    dropped = _ask(client, _chat(_HOTEL, story + "So I", max_tokens=8))
    await asyncio.sleep(0.2)  # it takes over a second to read
    dropped.cancel()
    asked = await _all(_ask(client, _chat(_HOTEL, story + "So I need a room.", max_tokens=8)))
    assert asked[-1].cached_tokens > asked[-1].input_tokens * 0.8


async def test_who_asks_does_not_wait_until_a_long_prompt_is_read(client: Llm) -> None:
    rules = "Breakfast is from seven to ten, and dogs are welcome in all rooms. " * 60
    began = asyncio.get_running_loop().time()
    reading = client.request(
        _chat(rules, "Hello.", max_tokens=1), priority=Priority.SPECULATIVE, deadline_ms=60_000
    )
    read = asyncio.create_task(_all(reading))
    await asyncio.sleep(0.3)
    asked_at = asyncio.get_running_loop().time()
    await anext(_ask(client, _chat("Answer briefly.", "Is it warm?", max_tokens=1)))
    waited_s = asyncio.get_running_loop().time() - asked_at
    assert not read.done()
    last = (await read)[-1]
    took_s = asyncio.get_running_loop().time() - began
    assert waited_s < took_s / 3
    assert last.cached_tokens > 0, "what was read is not read again"


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
async def test_it_calls_functions(client: Llm, choice: str) -> None:
    chat = _chat(
        "You are a helpful assistant.",
        "What is the weather in Paris?",
        tools=(_WEATHER,),
        tool_choice=choice,
        max_tokens=80,
    )
    deltas = await _all(_ask(client, chat))
    calls = [call for delta in deltas for call in delta.tool_calls]
    assert [(call.name, call.arguments) for call in calls] == [("get_weather", '{"city": "Paris"}')]
    assert deltas[-1].finish == "tool_calls"


async def test_it_answers_from_a_functions_output(client: Llm) -> None:
    call = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    asked = _chat("Answer in one short sentence.", "What is the weather in Paris?")
    messages = (
        *asked.messages,
        ChatMessage("assistant", tool_calls=({"id": "1", "type": "function", "function": call},)),
        ChatMessage("tool", "It is raining.", tool_call_id="1"),
    )
    chat = Chat(messages, tools=(_WEATHER,), temperature=0.0, max_tokens=60)
    deltas = await _all(_ask(client, chat))
    assert "rain" in "".join(delta.text for delta in deltas)
    assert [call for delta in deltas for call in delta.tool_calls] == []


async def test_a_begun_answer_goes_on_as_it_would_have(client: Llm) -> None:
    chat = _chat("You are helpful.", "Recommend three books. Number them.", max_tokens=60)
    whole = "".join(delta.text for delta in await _all(_ask(client, chat)))
    words = whole.split(" ")
    for cut in range(1, len(words) - 1, 3):
        said = " ".join(words[:cut])
        going_on = replace(chat, messages=(*chat.messages, ChatMessage("assistant", said)))
        assert said + "".join(delta.text for delta in await _all(_ask(client, going_on))) == whole


async def test_cancelling_stops_the_generation(client: Llm) -> None:
    request = _ask(client, _chat("You write novels.", "Write a novel of a hundred chapters."))
    await anext(request)
    process = psutil.Process(*client.pids)
    request.cancel()
    async with asyncio.timeout(30):
        idle = False
        while not idle:
            before = process.cpu_times().user
            await asyncio.sleep(0.5)
            idle = process.cpu_times().user - before < 0.05


async def test_nobody_gets_in_without_the_key(client: Llm) -> None:
    listening = [c for c in psutil.Process(*client.pids).net_connections() if c.status == "LISTEN"]
    (where,) = {(c.laddr.ip, c.laddr.port) for c in listening}
    assert where[0] == "127.0.0.1"
    url = f"http://127.0.0.1:{where[1]}/v1/chat/completions"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"messages": []}) as response,
    ):
        assert response.status == 401


async def test_a_killed_llm_cuts_its_answer_and_comes_back(client: Llm) -> None:
    request = _ask(client, _chat("You write novels.", "Write a novel of a hundred chapters."))
    await anext(request)
    os.kill(client.pids[0], signal.SIGKILL)
    with pytest.raises(InferenceError) as cut:
        await _all(request)
    assert cut.value.code == "worker_lost"
    deltas = await _all(_ask(client, _chat(_HOTEL, "When is breakfast served?", max_tokens=3)))
    assert deltas[0].text
    assert client.state.restarts == 1
