"""What a client may change of a session whose agent somebody else has made.

How audio and text come and go is the client's own affair, always: formats, modalities,
transcripts. All else is, under these names, the agent's to allow.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET

from engine.errors import RequestError
from engine.items import FunctionCall, FunctionOutput, Item, Message
from engine.settings import ResponseRequest
from transports.realtime.items import Recording
from transports.realtime.session_object import SessionObject
from transports.realtime.wire import JsonObject

Override = Literal[
    "instructions",
    "voice",
    "greeting",
    "variables",
    "turn_detection",
    "tools",
    "sampling",
    "limits",
    "recording",
]

ALL: tuple[Override, ...] = get_args(Override)

PATHS: Mapping[Override, tuple[str, ...]] = {
    "instructions": ("instructions", "prompt"),
    "voice": ("audio.output.voice", "audio.output.speed", "voiceforge.fallback_voices"),
    "greeting": ("voiceforge.greeting",),
    "variables": ("voiceforge.variables",),
    "turn_detection": ("audio.input.turn_detection",),
    "tools": ("tools", "tool_choice", "parallel_tool_calls"),
    "sampling": ("temperature", "max_output_tokens"),
    "limits": ("voiceforge.longest_ms", "voiceforge.reprompt"),
    "recording": ("voiceforge.record",),
}

SAID_BY_NULL = ("audio.input.turn_detection",)
"""Push-to-talk. Elsewhere null is what stock clients send for nothing."""

OF_RESPONSE: Mapping[Override, tuple[str, ...]] = {
    "instructions": ("instructions", "input"),
    "voice": ("voice",),
    "tools": ("tools", "tool_choice"),
    "sampling": ("temperature", "max_output_tokens"),
}
"""Fields of `ResponseRequest`."""


def permitted(
    update: JsonObject,
    allowed: Collection[Override],
    current: SessionObject,
    fixed: Collection[str] = (),
) -> tuple[JsonObject, list[str]]:
    """What of an update is let through, and the paths of what is not and would have changed
    something: stock clients send everything, much of it empty or as it is. Variables with the names
    `fixed` stay as they are.
    """
    refused: list[str] = []
    if len(allowed) == len(ALL) and not fixed:
        return update, refused
    shown: JsonObject = msgspec.to_builtins(current)
    kept = update
    if update.get("type", shown["type"]) != shown["type"]:
        kept = {**update, "type": shown["type"]}
        refused.append("session.type")
    for name in ALL:
        for path in () if name in allowed else PATHS[name]:
            value = _at(kept, path)
            if value is not UNSET:
                kept = _without(kept, path.split("."))
                said = value or (value is None and path in SAID_BY_NULL)
                if said and value != _at(shown, path):
                    refused.append(f"session.{path}")
    variables = _at(kept, "voiceforge.variables")
    if fixed and isinstance(variables, dict):
        had = shown["voiceforge"]["variables"]
        tried = [name for name in fixed if name in variables and variables[name] != had.get(name)]
        refused += [f"session.voiceforge.variables.{name}" for name in sorted(tried)]
        free = {name: value for name, value in variables.items() if name not in fixed}
        kept = {**kept, "voiceforge": {**kept["voiceforge"], "variables": free}}
    return kept, refused


def check_response(request: ResponseRequest, allowed: Collection[Override]) -> None:
    """Raises `RequestError` for a response that is to be other than the agent's."""
    for name, fields in OF_RESPONSE.items():
        for field in fields:
            if name not in allowed and getattr(request, field) is not None:
                raise not_allowed(f"response.{field}")


def check_item(
    item: Item | Recording, allowed: Collection[Override], history: Iterable[Item]
) -> None:
    """Raises `RequestError` for what the LLM would take for instructions, for its own words, or for
    what one of the server's tools found.
    """
    match item:
        case Message(role="system" | "assistant") if "instructions" not in allowed:
            raise not_allowed("item.role")
        case FunctionCall() if "tools" not in allowed:
            raise not_allowed("item.type")
        case FunctionOutput(call_id=call_id) if "tools" not in allowed:
            calls = (one for one in history if isinstance(one, FunctionCall))
            if not any(one.call_id == call_id and not one.ours for one in calls):
                raise not_allowed("item.call_id")


def not_allowed(path: str) -> RequestError:
    """The error of who changes what the agent does not let it."""
    text = f"the session's agent does not allow {path}: its `overrides` name what may be changed"
    return RequestError("override_not_allowed", text, path)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return UNSET
        value = value[name]
    return value


def _without(value: JsonObject, names: list[str]) -> JsonObject:
    name, rest = names[0], names[1:]
    if rest:
        return {**value, name: _without(value[name], rest)}
    return {key: inner for key, inner in value.items() if key != name}
