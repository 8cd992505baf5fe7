"""The items of a conversation, as they stand in its history."""

import secrets
from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant"]
Modality = Literal["audio", "text"]
Status = Literal["in_progress", "completed", "incomplete"]


class Part(msgspec.Struct, frozen=True):
    """One part of a message. For audio, `text` is its transcript (None: not yet known)."""

    kind: Literal["text", "audio"]
    text: str | None


class Message(msgspec.Struct, frozen=True, tag="message", tag_field="type"):
    """What one side said. An assistant's parts hold what was heard, once it has been heard."""

    id: str
    role: Role
    parts: tuple[Part, ...]
    status: Status = "completed"


class FunctionCall(msgspec.Struct, frozen=True, tag="function_call", tag_field="type"):
    """The LLM asks for a tool; `arguments` is JSON text as the LLM wrote it.

    One of `ours` is run by the server and has its `output` here, or if it `failed`, why. The output
    of any other comes from the client, as an item of its own.
    """

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status = "completed"
    ours: bool = False
    output: str | None = None
    failed: bool = False


class FunctionOutput(msgspec.Struct, frozen=True, tag="function_call_output", tag_field="type"):
    """What a tool answered."""

    id: str
    call_id: str
    output: str
    status: Status = "completed"


Item = Message | FunctionCall | FunctionOutput


def new_item_id() -> str:
    """An id for an item that nobody has named."""
    return f"item_{secrets.token_hex(12)}"
