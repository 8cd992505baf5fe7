"""The OpenAI chat-completions dialect: requests as JSON, answers as server-sent events.

Shapes: https://platform.openai.com/docs/api-reference/chat/create, and llama.cpp's additions
(`cache_prompt`, `return_progress`, `timings_per_token`, `timings`, `id_slot`, `verbose`), which go
to and come from the embedded server only.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.written_calls import call_schema
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolCall, ToolSpec

_MAX_EVENT_BYTES = 1024 * 1024  # a token's event has hundreds of bytes


class BadStream(Exception):
    """The endpoint sent what is no stream of chat completions."""


class _Function(msgspec.Struct):
    name: str
    description: str
    parameters: dict[str, Any]


class _Tool(msgspec.Struct):
    function: _Function
    type: str = "function"


class _StreamOptions(msgspec.Struct):
    include_usage: bool = True


class _Body(msgspec.Struct, omit_defaults=True):
    model: str
    messages: tuple[ChatMessage, ...]
    stream: bool  # no default: always sent
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] = []
    tool_choice: str | dict[str, Any] = "auto"
    temperature: float | None = None
    max_tokens: int | None = None
    cache_prompt: bool | None = None
    return_progress: bool | None = None
    timings_per_token: bool | None = None
    id_slot: int | None = None
    verbose: bool | None = None
    response_format: dict[str, Any] | None = None


def chat_body(
    chat: Chat, model: str, *, embedded: bool, usage: bool, slot: int | None = None
) -> bytes:
    """The JSON of a streaming request. `usage` asks for token counts; not every endpoint can.

    `slot`: of llama.cpp, where that is not left to it.
    """
    tools, choice = chat.tools, chat.tool_choice
    bound = _bound_tools(chat) if embedded else ()
    if bound:
        choice = "none"  # llama.cpp refuses a schema beside tools that may be called
    body = _Body(
        model=model,
        messages=chat.messages,
        stream=True,
        stream_options=_StreamOptions() if usage else None,
        tools=[_tool(tool) for tool in tools],
        tool_choice=_choice(choice) if tools else "auto",
        temperature=chat.temperature,
        max_tokens=chat.max_tokens,
        cache_prompt=True if embedded else None,
        return_progress=True if embedded else None,
        timings_per_token=True if embedded else None,
        id_slot=slot,
        verbose=True if embedded else None,
        response_format=_response_format(bound) if bound else None,
    )
    return msgspec.json.encode(body)


def _bound_tools(chat: Chat) -> tuple[ToolSpec, ...]:
    """The tools of which the model must call one."""
    match chat.tool_choice:
        case "auto" | "none":
            return ()
        case "required":
            return chat.tools
        case name:
            return tuple(tool for tool in chat.tools if tool.name == name)


def _response_format(tools: tuple[ToolSpec, ...]) -> dict[str, Any]:
    schema = {"name": "call", "schema": call_schema(tools)}
    return {"type": "json_schema", "json_schema": schema}


def _tool(tool: ToolSpec) -> _Tool:
    return _Tool(_Function(tool.name, tool.description, tool.parameters))


def _choice(choice: str) -> str | dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


class _CallFunction(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _CallFunction = msgspec.field(default_factory=_CallFunction)


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0.0
    predicted_ms: float = 0.0
    predicted_n: int = 0


class Progress(msgspec.Struct):
    """How much of a prompt is read, in tokens; `processed` counts what was known before, too."""

    total: int = 0
    processed: int = 0

    @property
    def left(self) -> int:
        """Tokens that are not read yet."""
        return max(0, self.total - self.processed)


class _Verbose(msgspec.Struct):
    id_slot: int | None = None


class ErrorBody(msgspec.Struct):
    """What endpoints say when they refuse."""

    message: str = ""


class Event(msgspec.Struct):
    """One event of the stream. `timings`, `prompt_progress` and, as an answer ends, `verbose` come
    from llama.cpp only.
    """

    choices: list[_Choice] = []
    usage: _Usage | None = None
    timings: _Timings | None = None
    prompt_progress: Progress | None = None
    verbose: _Verbose | None = msgspec.field(default=None, name="__verbose")
    error: ErrorBody | str | None = None

    @property
    def finish(self) -> str:
        """Why the answer ended, once it has."""
        return next((choice.finish_reason for choice in self.choices if choice.finish_reason), "")

    @property
    def delta(self) -> ChatDelta | None:
        """The piece of the answer in it, if there is one."""
        text = "".join(choice.delta.content or "" for choice in self.choices)
        calls = [call for choice in self.choices for call in choice.delta.tool_calls or ()]
        if not text and not calls:
            return None
        return ChatDelta(text=text, tool_calls=tuple(map(_tool_call, calls)))

    @property
    def slot(self) -> int | None:
        """The slot of llama.cpp in which it was answered."""
        return self.verbose.id_slot if self.verbose is not None else None

    @property
    def failure(self) -> str | None:
        """The endpoint's message, if this is an error."""
        return self.error.message if isinstance(self.error, ErrorBody) else self.error


def _tool_call(call: _Call) -> ToolCall:
    function = call.function
    return ToolCall(call.index, function.arguments or "", call.id or "", function.name or "")


def counted(delta: ChatDelta, timings: _Timings | None, model: str, before: int = 0) -> ChatDelta:
    """The piece with what the answer has taken so far, as llama.cpp tells with each: one that is
    cut has no end. `before` as in `last_delta`.
    """
    if timings is None:
        return delta
    return replace(
        delta,
        model=model,
        input_tokens=max(0, timings.cache_n + timings.prompt_n - before),
        output_tokens=timings.predicted_n + before,
        cached_tokens=max(0, timings.cache_n - before),
    )


def last_delta(finish: str, usage: _Usage | None, model: str, before: int = 0) -> ChatDelta:
    """The end of an answer, with what it took.

    `before`: tokens of it that were said before, and came with this piece's prompt.
    """
    if usage is None:
        return ChatDelta(finish=finish, model=model)
    cached = usage.prompt_tokens_details
    return ChatDelta(
        finish=finish,
        model=model,
        input_tokens=usage.prompt_tokens - before,
        output_tokens=usage.completion_tokens + before,
        cached_tokens=max(0, (cached.cached_tokens or 0) - before) if cached else 0,
    )


class EventStream:
    """Cuts bytes of a `text/event-stream` into events; `done` once the endpoint said `[DONE]`."""

    def __init__(self) -> None:
        self.done = False
        self._rest = b""
        self._decoder = msgspec.json.Decoder(Event)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes. Raises `BadStream` for what is none."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _MAX_EVENT_BYTES:
            raise BadStream(f"an event is over {_MAX_EVENT_BYTES} bytes long")
        for line in lines:
            if not line.startswith(b"data:"):
                continue  # comments keep the line alive; names and ids say nothing to us
            value = line[5:].strip()
            if value == b"[DONE]":
                self.done = True
            else:
                yield self._decode(value)

    def _decode(self, value: bytes) -> Event:
        try:
            return self._decoder.decode(value)
        except ValueError as wrong:
            raise BadStream(f"an event is no chat completion: {wrong}") from wrong


def refusal_text(body: bytes) -> str:
    """What an endpoint's error answer says, at most 500 characters of it."""
    try:
        said = msgspec.json.decode(body, type=Event).failure
    except ValueError:
        said = None
    return (said or body.decode(errors="replace"))[:500]
