"""Function calls that a small model writes as text instead of calling.

Qwen2.5-Coder 0.5B knows what to call but leaves out the tags that llama.cpp looks for: it writes
`{"name": …, "arguments": {…}}`, bare, fenced as JSON or tagged, and then rambles on. llama.cpp's
own `tool_choice` does not bind it either, while a JSON schema does.
"""

import json
import re
import uuid
from typing import Any

from msgspec.structs import replace

from actors.recent import recent
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolCall, ToolSpec

_OPENING = re.compile(r"\s*(<tool_call>|```(json)?)?\s*(?=\{)")
_MAYBE_OPENING = re.compile(r"\s*(<[a-z_>]*|`{1,3}[json]*)?\s*")
_LONGEST_CALL = 8_000  # characters; nothing that a voice agent calls takes more


def call_schema(tools: tuple[ToolSpec, ...]) -> dict[str, Any]:
    """The JSON Schema of a call to one of `tools`, to bind the model's text to."""
    return {"oneOf": [_schema(tool) for tool in tools]}


def _schema(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": tool.parameters},
        "required": ["name", "arguments"],
    }


def answerable(chat: Chat) -> Chat:
    """The chat as a small model copes with it: it answers from a function's output.

    Qwen2.5-Coder 0.5B copies any call that it sees, output or not, and calls whatever it is
    offered. So it sees the outputs without the calls, and no function while it has an output to
    tell of or may call none. It therefore makes no second call before it has spoken. Of a long
    conversation it sees what is recent.
    """
    messages = tuple(map(_without_calls, filter(_says_something, chat.messages)))
    messages = recent(messages, spoken=chat.voice_speed is not None)
    telling = bool(messages) and messages[-1].role == "tool"
    tools = () if telling or chat.tool_choice == "none" else chat.tools
    return replace(chat, messages=messages, tools=tools)


def _says_something(message: ChatMessage) -> bool:
    return bool(message.content) or not message.tool_calls


def _without_calls(message: ChatMessage) -> ChatMessage:
    return replace(message, tool_calls=()) if message.tool_calls else message


class WrittenCalls:
    """Reads an answer as it comes: passes text on, and turns one that is a call into the call.

    Only an answer that begins as one can be; `found` is set once it is whole.
    """

    def __init__(self, tools: tuple[ToolSpec, ...]) -> None:
        self.found = False
        self._names = {tool.name for tool in tools}
        self._held: str | None = "" if tools else None

    def feed(self, delta: ChatDelta) -> list[ChatDelta]:
        """What of the answer can be passed on now; nothing after a call."""
        if self.found:
            return []
        if self._held is None or delta.tool_calls:
            return [*self.rest(), delta]
        self._held += delta.text
        call = self._call(self._held)
        if call is not None:
            self.found = True
            self._held = None
            return [ChatDelta(tool_calls=(call,))]
        return [] if _may_be_call(self._held) else self.rest()

    def rest(self) -> list[ChatDelta]:
        """What was held back and turned out to be text."""
        text, self._held = self._held, None
        return [ChatDelta(text=text)] if text else []

    def _call(self, text: str) -> ToolCall | None:
        opening = _OPENING.match(text)
        if opening is None:
            return None
        try:
            written, _ = json.JSONDecoder().raw_decode(text, opening.end())
        except (ValueError, RecursionError):
            return None  # not whole yet, or never
        name = written.get("name") if isinstance(written, dict) else None
        if not isinstance(name, str) or name not in self._names:
            return None
        arguments = json.dumps(written.get("arguments") or {}, ensure_ascii=False)
        return ToolCall(0, arguments, f"call_{uuid.uuid4().hex[:16]}", name)


def _may_be_call(text: str) -> bool:
    if len(text) > _LONGEST_CALL:
        return False
    opening = _OPENING.match(text)
    if opening is None:
        return bool(_MAYBE_OPENING.fullmatch(text))
    return not _whole(text, opening.end())


def _whole(text: str, at: int) -> bool:
    """Is there a whole JSON value at `at`? One that is no call will not become one."""
    try:
        json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return False
    except RecursionError:
        return True  # nested too deeply to be a call
    return True
