"""What one session is asked to be. A change makes a new one: `msgspec.structs.replace`."""

from typing import Literal

import msgspec

from engine.capabilities import ToolSpec
from engine.items import Item, Modality


class TurnSettings(msgspec.Struct, frozen=True):
    """How the caller's turns are found. `None` in its place: the client commits them itself.

    `server_vad` ends a turn after `silence_ms` without speech; `semantic_vad` by what was said and
    how, `eagerness` saying how soon (`auto` is `medium`). `threshold` is the VAD's, 0-1.
    """

    kind: Literal["server_vad", "semantic_vad"] = "semantic_vad"
    threshold: float = 0.5
    prefix_ms: int = 300
    silence_ms: int = 500
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


class Greeting(msgspec.Struct, frozen=True):
    """What the agent says first: `text` verbatim."""

    text: str
    interruptible: bool = True


class Reprompt(msgspec.Struct, frozen=True):
    """What the agent does after `after_ms` of silence on both sides, at most `times` in a row.

    `text` is said verbatim; without it the LLM is asked to go on.
    """

    after_ms: int
    text: str | None = None
    times: int = 2


class SessionSettings(msgspec.Struct, frozen=True):
    """Everything that a client may set. Durations in ms; None means no limit or not wanted.

    `recogniser` and `terms`: as `by` and `terms` of a `Clip`. Where `voice` fails one of the
    `fallback_voices` speaks, the first that can. `variables` fill `{{name}}` in `instructions` and
    in the greeting. `record`: both sides' audio.
    """

    kind: Literal["conversation", "transcription"] = "conversation"
    instructions: str = ""
    variables: dict[str, str] = {}
    modality: Modality = "audio"
    voice: str = "joe"
    fallback_voices: tuple[str, ...] = ()
    speed: float = 1.0
    turn: TurnSettings | None = TurnSettings()
    transcribe: bool = False
    language: str = "en"
    recogniser: Literal["auto", "fast", "many"] = "auto"
    terms: tuple[str, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    temperature: float | None = None
    max_output_tokens: int | None = None
    greeting: Greeting | None = None
    reprompt: Reprompt | None = None
    longest_ms: int | None = None
    record: bool = False


class ResponseRequest(msgspec.Struct, frozen=True):
    """One response as a client asks for it; None means: as the session has it.

    `in_conversation` False makes it out-of-band: it neither takes the floor nor enters the history,
    and `input`, when given, replaces the history for it. `asked` comes back with its
    `ResponseStarted`, for a transport that shows what was asked in the client's own words.
    """

    in_conversation: bool = True
    instructions: str | None = None
    modality: Modality | None = None
    voice: str | None = None
    tools: tuple[ToolSpec, ...] | None = None
    tool_choice: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    input: tuple[Item, ...] | None = None
    metadata: dict[str, str] = {}
    asked: dict[str, object] = {}
    event_id: str | None = None
