"""An LLM endpoint that fails as the last message asks: `slow`, `cut`, `garbage`, `busy`.

Asked for `breath`, it writes at once what is spoken in one breath of some 20 s.
"""

import asyncio
import json
import threading
from types import TracebackType

from aiohttp import web

BREATH = ("Lighthouse keepers always tell wonderfully long stories " * 6).strip() + "."


class FailingLlm:
    """Serves in a thread of its own; `up` and `down` open and close its port. Use `with`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.port = 0

    def __enter__(self) -> "FailingLlm":
        self._thread.start()
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def up(self) -> None:
        asyncio.run_coroutine_threadsafe(self._up(), self._loop).result(10)

    def down(self) -> None:
        asyncio.run_coroutine_threadsafe(self._down(), self._loop).result(10)

    async def _up(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _down(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


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
