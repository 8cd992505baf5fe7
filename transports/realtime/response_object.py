"""The `response` object: what a client asks of one response, and how one is shown."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta

from engine.frames import ResponseEnded, ResponseStarted, Usage
from engine.inference import kind_of
from engine.items import Item
from engine.session import RequestError
from engine.settings import ResponseRequest
from transports.realtime.items import (
    ClientItem,
    Recording,
    Reference,
    item_of,
    wire_item,
)
from transports.realtime.session_object import (
    AudioFormat,
    MaxTokens,
    Modalities,
    RealtimeSession,
    SessionObject,
    Temperature,
    ToolChoice,
    Tools,
    VoiceId,
)
from transports.realtime.session_settings import (
    max_tokens_of,
    modality_of,
    tool_choice_of,
    tools_of,
    voice_of,
)
from transports.realtime.text import check_text
from transports.realtime.wire import JsonObject, Strict

Metadata = Annotated[dict[str, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)]


class OutputOverrides(Strict, frozen=True):
    format: AudioFormat | None = None
    voice: str | VoiceId | None = None


class AudioOverrides(Strict, frozen=True):
    output: OutputOverrides = OutputOverrides()


class Overrides(Strict, frozen=True):
    """What differs from the session for one response."""

    conversation: Literal["auto", "none"] = "auto"
    input: list[ClientItem | Reference] | None = None
    instructions: str | None = None
    output_modalities: Modalities | None = None
    audio: AudioOverrides = AudioOverrides()
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    reasoning: JsonObject | None = None
    prompt: JsonObject | None = None
    metadata: Metadata | None = None


LookUp = Callable[[str], Item]
"""Finds an item of the conversation by its id, or raises `RequestError`."""


def request_of(
    overrides: Overrides | None,
    session: SessionObject,
    look_up: LookUp,
    event_id: str | None,
) -> ResponseRequest:
    """The engine's request. Raises `RequestError` for what cannot be had in one response."""
    if overrides is None:
        return ResponseRequest(event_id=event_id)
    output = overrides.audio.output
    _check(overrides, session)
    return ResponseRequest(
        in_conversation=overrides.conversation == "auto",
        instructions=overrides.instructions,
        modality=modality_of(overrides.output_modalities) if overrides.output_modalities else None,
        voice=voice_of(output.voice, "response.audio.output.voice") if output.voice else None,
        tools=None if overrides.tools is None else tools_of(overrides.tools, "response.tools"),
        tool_choice=None
        if overrides.tool_choice is None
        else tool_choice_of(overrides.tool_choice, "response.tool_choice"),
        temperature=overrides.temperature,
        max_output_tokens=None
        if overrides.max_output_tokens is None
        else max_tokens_of(overrides.max_output_tokens),
        input=None if overrides.input is None else _input_of(overrides.input, look_up),
        metadata=overrides.metadata or {},
        asked=_asked(overrides),
        event_id=event_id,
    )


def _asked(overrides: Overrides) -> dict[str, object]:
    """What the response object shows of its own, in the client's words."""
    own = {
        "voice": overrides.audio.output.voice,
        "max_output_tokens": overrides.max_output_tokens,
    }
    return {name: value for name, value in own.items() if value is not None}


def _check(overrides: Overrides, session: SessionObject) -> None:
    if overrides.instructions is not None:
        check_text(overrides.instructions, "response.instructions")
    if overrides.prompt is not None:
        raise RequestError(
            "unsupported_parameter",
            "stored prompts live at OpenAI: put the text into response.instructions",
            "response.prompt",
        )
    wanted = overrides.audio.output.format
    if isinstance(session, RealtimeSession) and wanted not in (None, session.audio.output.format):
        raise RequestError(
            "unsupported_parameter",
            "one response cannot have an audio format of its own: set it for the session with "
            "session.audio.output.format",
            "response.audio.output.format",
        )


def _input_of(items: list[ClientItem | Reference], look_up: LookUp) -> tuple[Item, ...]:
    found: list[Item] = []
    for index, item in enumerate(items):
        if isinstance(item, Reference):
            found.append(look_up(item.id))
            continue
        engine_item = item_of(item, f"response.input[{index}]")
        if isinstance(engine_item, Recording):
            raise RequestError(
                "unsupported_parameter",
                "audio in a response's input is not transcribed: create the item first and give "
                "an item_reference to it",
                f"response.input[{index}].content",
            )
        found.append(engine_item)
    return tuple(found)


def begun(frame: ResponseStarted, session: SessionObject, conversation_id: str) -> JsonObject:
    """The response as `response.created` shows it."""
    shown: JsonObject = {
        "object": "realtime.response",
        "id": frame.response_id,
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "conversation_id": conversation_id if frame.in_conversation else None,
        "output_modalities": [frame.modality],
        "usage": None,
        "metadata": frame.metadata or None,
    }
    if isinstance(session, RealtimeSession):
        output, asked = session.audio.output, frame.asked
        shown["max_output_tokens"] = asked.get("max_output_tokens", session.max_output_tokens)
        voice = asked.get("voice", output.voice)
        shown["audio"] = {"output": {"format": output.format, "voice": voice}}
    return shown


def ended(frame: ResponseEnded, created: JsonObject) -> JsonObject:
    """The response as `response.done` shows it, made from what `response.created` showed."""
    return created | {
        "status": frame.status,
        "status_details": _details(frame),
        "output": [wire_item(item) for item in frame.items],
        "usage": _usage(frame.usage),
    }


def _details(frame: ResponseEnded) -> JsonObject | None:
    if frame.status == "completed":
        return None
    if frame.status == "failed":
        kind = kind_of(frame.reason)
        error = {"type": kind, "code": frame.reason, "message": frame.message}
        return {"type": "failed", "error": error}
    return {"type": frame.status, "reason": frame.reason}


def _usage(usage: Usage) -> JsonObject:
    """All tokens are text here: speech is made from text and is counted in ms of its own."""
    return {
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "input_token_details": {
            "text_tokens": usage.input_tokens,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": usage.cached_tokens,
            "cached_tokens_details": {
                "text_tokens": usage.cached_tokens,
                "audio_tokens": 0,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": usage.output_tokens, "audio_tokens": 0},
        "voiceforge": {"audio_ms": usage.audio_ms},
    }
