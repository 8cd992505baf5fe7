"""Conversation items as the protocol writes them, and the engine's items behind them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.items import FunctionCall, FunctionOutput, Item, Message, Part, Status, new_item_id
from engine.session import RequestError
from transports.realtime.text import check_text
from transports.realtime.wire import JsonObject

ItemId = Annotated[str, Meta(min_length=1, max_length=64)]


OURS = "voiceforge"
"""Tools that this server runs are shown as those of an MCP server with this name: stock clients
know that nothing is asked of them then."""


class ClientPart(msgspec.Struct, frozen=True, kw_only=True):
    """A content part as a client writes it; which fields count depends on `type`."""

    type: Literal["input_text", "input_audio", "input_image", "output_text", "output_audio", "text"]
    text: str | None = None
    audio: bytes | None = None
    transcript: str | None = None


class ClientMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    role: Literal["system", "user", "assistant"]
    content: list[ClientPart]
    id: ItemId | None = None
    status: Status | None = None


class ClientCall(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    name: str
    arguments: str
    call_id: str | None = None
    id: ItemId | None = None


class ClientOutput(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"
):
    call_id: str
    output: str
    id: ItemId | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="item_reference"):
    """In a response's input: the item of the conversation with this id."""

    id: ItemId


ClientItem = ClientMessage | ClientCall | ClientOutput


class Recording(msgspec.Struct, frozen=True):
    """A user message that was recorded, as the client's bytes."""

    id: str
    role: str
    audio: bytes


def item_of(item: ClientItem, param: str) -> Item | Recording:
    """The engine's item. Raises `RequestError` for content that its role cannot have."""
    item_id = item.id or new_item_id()
    match item:
        case ClientCall():
            check_text(item.name, f"{param}.name")
            check_text(item.arguments, f"{param}.arguments")
            return FunctionCall(item_id, item.call_id or item_id, item.name, item.arguments)
        case ClientOutput():
            check_text(item.output, f"{param}.output")
            return FunctionOutput(item_id, item.call_id, item.output)
        case ClientMessage():
            return _message_of(item, item_id, param)


_KINDS = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio"),
    "assistant": ("output_text", "output_audio", "text"),
}


def _message_of(item: ClientMessage, item_id: str, param: str) -> Item | Recording:
    if not item.content:
        raise RequestError(
            "invalid_value", f"'{param}.content' is empty: give it one part", f"{param}.content"
        )
    parts = []
    for index, part in enumerate(item.content):
        where = f"{param}.content[{index}]"
        allowed = _KINDS[item.role]
        if part.type not in allowed:
            raise RequestError(
                "invalid_value",
                f"a {item.role} message cannot have a part of type {part.type!r}: "
                f"use {' or '.join(allowed)}",
                f"{where}.type",
            )
        if part.audio is not None and part.type == "input_audio":
            return _recording_of(item, item_id, part.audio, param)
        parts.append(_part_of(part, where))
    check_text("".join(part.text or "" for part in parts), f"{param}.content")
    return Message(item_id, item.role, tuple(parts), item.status or "completed")


def _recording_of(item: ClientMessage, item_id: str, audio: bytes, param: str) -> Recording:
    if len(item.content) > 1:
        raise RequestError(
            "invalid_value",
            f"a message with audio has one part, this one has {len(item.content)}: send the "
            "others as items of their own",
            f"{param}.content",
        )
    return Recording(item_id, item.role, audio)


def _part_of(part: ClientPart, where: str) -> Part:
    kind: Literal["text", "audio"] = "audio" if part.type.endswith("audio") else "text"
    field = "transcript" if kind == "audio" else "text"
    text = part.transcript if kind == "audio" else part.text
    if text is None:
        either = " or 'audio'" if part.type == "input_audio" else ""
        raise RequestError(
            "missing_required_parameter",
            f"a part of type {part.type!r} needs '{field}'{either}",
            f"{where}.{field}",
        )
    return Part(kind, check_text(text, f"{where}.{field}"))


def wire_item(item: Item) -> JsonObject:
    """The item as the protocol shows it; audio is shown by its transcript alone."""
    shown: JsonObject = {"id": item.id, "object": "realtime.item"}
    match item:
        case Message():
            shown |= {
                "type": "message",
                "status": item.status,
                "role": item.role,
                "content": [_wire_part(item.role, part) for part in item.parts],
            }
        case FunctionCall(ours=True):
            shown |= {
                "type": "mcp_call",
                "server_label": OURS,
                "name": item.name,
                "arguments": item.arguments,
                "output": None if item.failed else item.output,
                "error": {"type": "tool_execution_error", "message": item.output}
                if item.failed
                else None,
            }
        case FunctionCall():
            shown |= {
                "type": "function_call",
                "status": item.status,
                "call_id": item.call_id,
                "name": item.name,
                "arguments": item.arguments,
            }
        case FunctionOutput():
            shown |= {
                "type": "function_call_output",
                "status": item.status,
                "call_id": item.call_id,
                "output": item.output,
            }
    return shown


def _wire_part(role: str, part: Part) -> JsonObject:
    side = "output" if role == "assistant" else "input"
    if part.kind == "audio":
        return {"type": f"{side}_audio", "transcript": part.text}
    return {"type": f"{side}_text", "text": part.text or ""}
