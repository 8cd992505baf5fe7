"""An LLM endpoint that tells one long story, whatever it is asked.

`python -m bench.storyteller PORT`. How the floor is kept is measured while the agent speaks for a
minute. The default model of 0.5 billion parameters, asked for a story, mostly answers the question
in eight words; so there the words come from here, at the pace that model has. Everything else of
both sides is real.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import msgspec
import uvicorn
from litestar import Litestar, get, post
from litestar.response import Stream

TOKEN_S = 0.05  # 20 tokens a second (models.md)
STORY = (
    "Long ago, a keeper lived alone in a lighthouse on a small green island. "
    "Every evening he climbed the winding stairs and lit the great lamp. "
    "One night a storm came up from the west, and the waves rose as high as the roof. "
    "Through the rain he saw a little boat without a sail. "
    "He ran down to the shore with a rope and a lantern. "
    "An old woman and a boy sat in the boat, wet and cold. "
    "He pulled them in, made a fire, and gave them soup and bread. "
    "The boy asked why the lamp must burn all night. "
    "The keeper said that somebody is always on the way home. "
    "In the morning the sea was calm and the sky was blue. "
    "The old woman thanked him and gave him a silver whistle. "
    "Whenever the fog was thick, he blew it, and the ships heard it far away. "
    "Years later the boy came back as the captain of a tall ship. "
    "He brought oil for the lamp, books for the winter, and a young dog. "
    "From that day on the keeper was never lonely again."
)


class Asked(msgspec.Struct):
    """As much of a chat-completions request as matters here."""

    model: str = ""
    max_tokens: int | None = None


async def told(asked: Asked) -> AsyncIterator[bytes]:
    """The story as server-sent events, a word at a time."""
    words = STORY.split(" ")[: asked.max_tokens]
    for at, word in enumerate(words):
        yield event(asked.model, {"content": f" {word}" if at else word})
        await asyncio.sleep(TOKEN_S)
    yield event(asked.model, {}, finish="stop")
    yield b"data: [DONE]\n\n"


def event(model: str, delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-story",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [choice],
    }
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


@post("/v1/chat/completions", status_code=200)
async def completions(data: Asked) -> Stream:
    """Answer with the story."""
    return Stream(told(data), media_type="text/event-stream")


@get("/health")
async def healthy() -> str:
    return "ready"


if __name__ == "__main__":
    app = Litestar([completions, healthy], openapi_config=None)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
