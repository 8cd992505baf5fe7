"""`/v1/chat/completions`: the language model for programs."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.response import Stream

from engine.capabilities import Chat, ChatDelta
from engine.inference import InferenceError, Priority
from engine.meter import Meter
from engine.services import Llm
from server.access.authority import Needs
from server.access.caller import Caller, caller_of
from server.access.denied import Denied, retry
from server.chat.answered import Answered, events
from server.chat.wanted import ChatWanted, chat_of
from server.door import Quota, admit
from server.leaving import unless_left
from server.media_types import EVENTS, sends
from server.metering.collector import Collector
from server.refusals import refusals

DEADLINE_MS = 5000
"""For the first token: for the order among those that are no callers."""

RETRY_S = 5

Asked = Request[Any, Any, Any]


def routes(llm: Callable[[], Llm], quota: Quota, collector: Collector) -> list[HTTPRouteHandler]:
    """The handlers. What is asked of the LLM is counted by the `collector`."""

    @post(
        "/v1/chat/completions",
        guards=[Needs("speech")],
        status_code=200,
        responses=refusals(),
        operation_class=sends(EVENTS, json=True),
        summary="Answer a chat",
    )
    async def complete(
        data: JSONBody[ChatWanted], request: Asked
    ) -> Stream | Response[dict[str, Any]]:
        """By the server's language model. Callers come first. With `stream` in events."""
        chat = chat_of(data, llm()[1])
        caller = caller_of(request.scope)
        await admit(quota, caller)
        answered = Answered(llm()[1])
        deltas = thought(chat, caller)
        try:
            if not data.stream:
                async with aclosing(deltas):
                    await unless_left(request, answered.take_all(deltas))
                return Response(answered.whole())
            first = await unless_left(request, anext(deltas, ChatDelta()))
        except InferenceError as error:
            raise failure(error) from error
        usage = data.stream_options is not None and data.stream_options.include_usage
        return Stream(events(answered, first, deltas, usage=usage), media_type=EVENTS)

    async def thought(chat: Chat, caller: Caller) -> AsyncGenerator[ChatDelta, None]:
        meter = Meter()
        collector.began(f"chat_{secrets.token_urlsafe(12)}", meter, caller)
        request = meter.watch(*llm()).request(
            chat, priority=Priority.BATCH, deadline_ms=DEADLINE_MS
        )
        try:
            async for delta in request:
                yield delta
        finally:
            request.cancel()
            collector.ended(meter)

    return [complete]


def failure(error: InferenceError) -> Denied:
    """The LLM's no."""
    if error.code in ("llm_refused", "bad_payload"):
        return Denied(400, error.code, str(error))
    return retry(503, error.code, str(error), RETRY_S)
