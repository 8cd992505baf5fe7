"""An LLM endpoint that costs nothing: two short sentences, whatever it is asked.

`python -m bench.answerer PORT`. How many callers a machine can hear and answer, apart from what a
language model costs: its first token comes after 200 ms and 40 a second follow, as from a GPU
somewhere else. The events are made beforehand.
"""

import asyncio
import itertools
import sys

from aiohttp import web

from bench.storyteller import event

FIRST_TOKEN_S = 0.2
TOKEN_S = 0.025
ANSWERS = (
    "The library is open until eight this evening. On Sundays it closes at five.",
    "That is a good question, and there are several answers. The shortest one is yes.",
    "I would take the train in the morning. It leaves at seven from the second platform.",
    "You can boil it for about ten minutes. Then let it cool down before you peel it.",
    "It should be sunny for most of the day. Take a jacket for the evening, though.",
    "I have put it on your list for tomorrow. Is there anything else that you need?",
    "The nearest one is two streets from here. Turn left at the church and go on.",
)


def events(text: str) -> list[bytes]:
    """An answer as server-sent events, a word at a time."""
    words = text.split(" ")
    said = [
        event("quick", {"content": f" {word}" if at else word}) for at, word in enumerate(words)
    ]
    return [*said, event("quick", {}, finish="stop") + b"data: [DONE]\n\n"]


def application() -> web.Application:
    """The endpoint; answers come in turn."""
    answers = itertools.cycle([events(text) for text in ANSWERS])

    async def completions(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(FIRST_TOKEN_S)
        for part in next(answers):
            await response.write(part)
            await asyncio.sleep(TOKEN_S)
        return response

    async def healthy(request: web.Request) -> web.Response:
        return web.Response(text="ready")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    app.router.add_get("/health", healthy)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
