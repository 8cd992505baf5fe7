"""An LLM endpoint that fails as the last message asks: `slow`, `cut`, `garbage`, `busy`.

Asked for `breath`, it writes at once what is spoken in one breath of some 20 s.
"""

import asyncio
import json

from aiohttp import web

from tests.server.local_server import LocalServer

BREATH = ("Lighthouse keepers always tell wonderfully long stories " * 6).strip() + "."


class FailingLlm(LocalServer):
    """Answers, or does what it was asked to do instead."""

    def __init__(self) -> None:
        super().__init__(answer)


async def answer(request: web.Request) -> web.StreamResponse:
    """One chat completion, or what was asked for instead of it."""
    body = await request.json()
    asked = body["messages"][-1]["content"]
    if asked == "busy":
        return web.json_response({"error": {"message": "come back later"}}, status=503)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    if asked == "slow":
        await asyncio.sleep(120)
    if asked == "garbage":
        await response.write(b"data: <html>\n\n")
        return response
    for word in (BREATH,) if asked == "breath" else ("Hello", " there,", " caller."):
        await response.write(event(word))
    if asked == "cut":
        assert request.transport is not None
        request.transport.abort()
        return response
    await response.write(event("", "stop") + b"data: [DONE]\n\n")
    return response


def event(text: str, finish: str | None = None) -> bytes:
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
