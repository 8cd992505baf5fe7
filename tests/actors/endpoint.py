"""An LLM endpoint that answers as a test says, and a client that asks it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from actors.llm_plan import Endpoint
from actors.openai_llm import ChatRequest, OpenAIChat
from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.inference import InferenceError, Priority

Answer = Callable[[dict[str, Any], web.StreamResponse], Awaitable[None]]
Connect = Callable[..., Awaitable[OpenAIChat]]


def chat_with(text: str = "Hello", **more: Any) -> Chat:
    return Chat((ChatMessage("user", text),), **more)


def event(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    delta = {"content": text} if text else {}
    return raw({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def raw(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


class Scripted:
    """An endpoint that answers as the test says, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.hung_up = asyncio.Event()
        self._answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._answer(body, response)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise
        return response


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    closing: list[Callable[[], Awaitable[None]]] = []

    async def connect(handle: Any, *, embedded: bool = False, **more: Any) -> OpenAIChat:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", handle)
        server = TestServer(app)
        await server.start_server()
        endpoint = Endpoint(str(server.make_url("/v1")), "qwen", "secret", embedded=embedded)
        client = OpenAIChat(endpoint, **more)
        closing.extend((client.close, server.close))
        return client

    yield connect
    for close in closing:
        await close()


def ask(client: OpenAIChat, chat: Chat, priority: Priority = Priority.FIRST) -> ChatRequest:
    return client.request(chat, priority=priority, deadline_ms=1000)


async def everything(request: ChatRequest) -> list[ChatDelta]:
    async with asyncio.timeout(20):
        return [delta async for delta in request]


async def error_of(request: ChatRequest) -> InferenceError:
    with pytest.raises(InferenceError) as failed:
        await everything(request)
    return failed.value
