"""What a program asks of the language model: OpenAI's chat completions, as far as it can be."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.capabilities import Chat, ChatMessage, ToolSpec
from server.access.denied import Denied

STOCK = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini")
"""Names by which a stock client's configuration asks for the LLM that is here."""


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """A piece of a message. There are no others: the LLM neither sees nor hears here."""

    text: str


class CalledFunction(msgspec.Struct, frozen=True):
    """`arguments` are JSON, as the LLM wrote it."""

    name: str
    arguments: str = ""


class ToolCall(msgspec.Struct, frozen=True):
    """A call that the LLM made."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class ChatSaid(msgspec.Struct, frozen=True):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class Function(msgspec.Struct, frozen=True):
    """`parameters` is a JSON Schema object."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = {}


class ChatTool(msgspec.Struct, frozen=True):
    """A function that the LLM may call."""

    function: Function
    type: Literal["function"] = "function"


Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""llama.cpp takes no more."""


class ChosenFunction(msgspec.Struct, frozen=True):
    name: str


class ChosenTool(msgspec.Struct, frozen=True):
    """The function that it has to call."""

    function: ChosenFunction
    type: Literal["function"] = "function"


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class ChatWanted(msgspec.Struct, frozen=True):
    """What is to be answered. Fields that are not here are OpenAI's, and change nothing."""

    messages: Annotated[list[ChatSaid], Meta(min_length=1, max_length=1000)]
    model: str = "voiceforge"
    tools: Annotated[list[ChatTool], Meta(max_length=128)] | None = None
    tool_choice: Literal["auto", "none", "required"] | ChosenTool = "auto"
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=1)] | None = None


def chat_of(wanted: ChatWanted, llm: str) -> Chat:
    """What the LLM is asked. Raises `Denied`."""
    models = ("voiceforge", llm, *STOCK)
    if wanted.model not in models:
        text = f"unknown model {wanted.model[:64]!r}: choose one of {', '.join(models)}"
        raise Denied(400, "invalid_value", f"model: {text}")
    choice = wanted.tool_choice
    tools = tuple(
        ToolSpec(tool.function.name, tool.function.description, tool.function.parameters)
        for tool in wanted.tools or ()
    )
    named = choice.function.name if isinstance(choice, ChosenTool) else None
    if named is not None and named not in {tool.name for tool in tools}:
        raise Denied(400, "invalid_value", f"tool_choice: no tool is called {named[:64]!r}")
    return Chat(
        tuple(message_of(said) for said in wanted.messages),
        tools,
        named or (choice if isinstance(choice, str) else "auto"),
        wanted.temperature,
        wanted.max_completion_tokens or wanted.max_tokens,
    )


def message_of(said: ChatSaid) -> ChatMessage:
    """A message as the LLM reads it."""
    text = said.content
    if isinstance(text, list):
        text = "".join(part.text for part in text)
    role = "system" if said.role == "developer" else said.role
    calls = tuple(msgspec.to_builtins(call) for call in said.tool_calls or ())
    return ChatMessage(role, text, calls, said.tool_call_id)
