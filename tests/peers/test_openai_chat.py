"""The language model and the list of models, through the `openai` Python SDK."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import APITimeoutError, AsyncOpenAI, BadRequestError, NotFoundError

from tests.peers.test_openai_python import ORDER_STATUS
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

ASKED: Any = [
    {"role": "developer", "content": "Answer in one word."},
    {"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]},
]
TOOL: Any = {
    "type": "function",
    "function": {name: part for name, part in ORDER_STATUS.items() if name != "type"},
}

IDLE = 'voiceforge_worker_running{worker="llm"} 0'


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as client:
        yield client


async def test_a_chat_is_answered_and_counted(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="gpt-4o-mini", messages=ASKED, max_tokens=20, temperature=0
    )
    [choice] = answer.choices
    assert "Paris" in (choice.message.content or "")
    assert choice.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 10
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model


async def test_an_answer_streams_with_its_usage(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="voiceforge",
        messages=ASKED,
        max_completion_tokens=20,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "Paris" in text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize("streams", [False, True])
async def test_a_function_is_called(client: AsyncOpenAI, streams: bool) -> None:
    asked: Any = [{"role": "user", "content": "Where is my order number 42?"}]
    wanted: Any = {"type": "function", "function": {"name": "order_status"}}
    how = {"model": "gpt-4o", "messages": asked, "tools": [TOOL], "tool_choice": wanted}
    name = arguments = ""
    if streams:
        async for chunk in await client.chat.completions.create(**how, stream=True):
            for piece in chunk.choices[0].delta.tool_calls or ():
                assert piece.function is not None
                name += piece.function.name or ""
                arguments += piece.function.arguments or ""
    else:
        answer = await client.chat.completions.create(**how)
        assert answer.choices[0].message.tool_calls is not None
        [call] = answer.choices[0].message.tool_calls
        assert call.type == "function"
        name, arguments = call.function.name, call.function.arguments
        assert answer.choices[0].finish_reason == "tool_calls"
    assert name == "order_status"
    assert "42" in str(json.loads(arguments)["number"])


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"model": "gpt-9"}, "unknown model 'gpt-9'"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "it may be text"),
        ({"n": 3}, "n"),
        ({"max_tokens": 2**64}, "max_tokens"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "no tool is called 'x'"),
    ],
)
async def test_what_cannot_be_answered_is_told(
    client: AsyncOpenAI, wanted: dict[str, Any], told: str
) -> None:
    usual = {"model": "voiceforge", "messages": ASKED}
    with pytest.raises(BadRequestError, match=told):
        await client.chat.completions.create(**{**usual, **wanted})


async def test_a_client_that_leaves_ends_the_answer(server: Server, client: AsyncOpenAI) -> None:
    """The story would take half a minute."""
    hasty = client.with_options(timeout=2, max_retries=0)
    asked: Any = [{"role": "user", "content": "Write a story of three thousand words."}]
    with pytest.raises(APITimeoutError):
        await hasty.chat.completions.create(model="voiceforge", messages=asked, temperature=0)
    async with asyncio.timeout(5):
        while IDLE not in server.get("/metrics")[1]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    assert [line for line in server.logged() if line["level"] == "error"] == []


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    listed = {model.id async for model in client.models.list()}
    assert {"voiceforge", "tts-1", "gpt-realtime", "whisper-1"} <= listed
    assert (await client.models.retrieve("tts-1")).id == "tts-1"
    with pytest.raises(NotFoundError, match="there is no model 'gpt-9'"):
        await client.models.retrieve("gpt-9")
