"""An answer as OpenAI's clients read it: whole, or in server-sent events."""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from engine.capabilities import ChatDelta
from engine.inference import InferenceError
from server.media_types import event


class Answered:
    """An answer as it comes, and what it came to."""

    def __init__(self, model: str) -> None:
        self.head = {
            "id": f"chatcmpl-{secrets.token_urlsafe(18)}",
            "created": int(time.time()),
            "model": model,
        }
        self.text = ""
        self.calls: list[dict[str, Any]] = []
        self.finish = "stop"
        self.usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)

    def take(self, delta: ChatDelta) -> dict[str, Any]:
        """Add a piece; it, as a client is sent it."""
        self.text += delta.text
        self.finish = delta.finish or self.finish
        if delta.model:
            self.head["model"] = delta.model
        if delta.input_tokens or delta.output_tokens:
            both = delta.input_tokens, delta.output_tokens
            self.usage = dict(zip(self.usage, (*both, sum(both)), strict=True))
        told: dict[str, Any] = {"content": delta.text} if delta.text else {}
        for call in delta.tool_calls:
            while len(self.calls) <= call.index:
                self.calls.append({"function": {"name": "", "arguments": ""}, "type": "function"})
            whole = self.calls[call.index]
            whole["function"]["arguments"] += call.arguments
            piece: dict[str, Any] = {"index": call.index, "function": {"arguments": call.arguments}}
            if call.id or call.name:
                whole["id"], whole["function"]["name"] = call.id, call.name
                piece |= {"id": call.id, "type": "function"}
                piece["function"]["name"] = call.name
            told.setdefault("tool_calls", []).append(piece)
        return told

    async def take_all(self, deltas: AsyncIterator[ChatDelta]) -> None:
        """Add every piece."""
        async for delta in deltas:
            self.take(delta)

    def whole(self) -> dict[str, Any]:
        """The completion."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.calls:
            message["tool_calls"] = self.calls
        choice = {"index": 0, "message": message, "finish_reason": self.finish, "logprobs": None}
        return {
            **self.head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self.usage,
        }

    def chunk(self, delta: dict[str, Any] | None, finish: str | None = None) -> bytes:
        """One event; without a delta that of the usage."""
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        told = {**self.head, "object": "chat.completion.chunk", "choices": choices}
        if delta is None:
            told["usage"] = self.usage
        return event(told)


async def events(
    answered: Answered,
    first: ChatDelta,
    rest: AsyncGenerator[ChatDelta, None],
    *,
    usage: bool,
) -> AsyncIterator[bytes]:
    """The answer as server-sent events. What fails in the middle is an event, too."""
    async with aclosing(rest):
        yield answered.chunk({"role": "assistant", **answered.take(first)})
        try:
            async for delta in rest:
                if told := answered.take(delta):
                    yield answered.chunk(told)
        except InferenceError as error:
            told = {"error": {"type": "server_error", "code": error.code, "message": str(error)}}
            yield event(told)
            return
        yield answered.chunk({}, answered.finish)
        if usage:
            yield answered.chunk(None)
        yield b"data: [DONE]\n\n"
