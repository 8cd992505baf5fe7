"""The `session` object of the protocol: what a client sets with `session.update` and gets back.

One set of structs serves both ways. An update is merged into the object in force and the result is
validated as a whole, so that an error names the field by its path in the object.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from transports.realtime.aliases import DEFAULT_MODEL, DEFAULT_TRANSCRIBER, DEFAULT_VOICE
from transports.realtime.wire import JsonObject, Strict

Modality = Literal["audio", "text"]
Modalities = Annotated[list[Modality], Meta(min_length=1, max_length=2)]
MaxTokens = Annotated[int, Meta(ge=1)] | Literal["inf"]
Milliseconds = Annotated[int, Meta(ge=0)]
Speed = Annotated[float, Meta(ge=0.25, le=4.0)]
Temperature = Annotated[float, Meta(ge=0.0, le=2.0)]
Include = Literal["item.input_audio_transcription.logprobs"]


class Pcm(Strict, frozen=True, tag_field="type", tag="audio/pcm"):
    """Mono 16-bit little-endian PCM."""

    rate: Literal[24000] = 24000


class Pcmu(Strict, frozen=True, tag_field="type", tag="audio/pcmu"):
    """G.711 mu-law at 8 kHz."""


class Pcma(Strict, frozen=True, tag_field="type", tag="audio/pcma"):
    """G.711 A-law at 8 kHz."""


AudioFormat = Pcm | Pcmu | Pcma


Keyword = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"\w")]


class Transcription(Strict, frozen=True, omit_defaults=True):
    """Asks for transcripts of the caller. `model` chooses who hears: `moonshine-tiny-en` the fast
    recogniser, which knows English, `whisper-base` the Whisper that the server has; every other
    name leaves it to the language. `keywords` are names and words that may be said, as they are to
    be written. `prompt` and `delay` are accepted only.
    """

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    keywords: Annotated[list[Keyword], Meta(max_length=100)] | None = None
    languages: list[str] | None = None
    delay: str | None = None


class ServerVad(Strict, frozen=True, tag_field="type", tag="server_vad"):
    """Turns end after a silence. Limits are those of the GA reference."""

    threshold: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.5
    prefix_padding_ms: Annotated[int, Meta(ge=0, le=5_000)] = 300
    silence_duration_ms: Annotated[int, Meta(ge=0, le=10_000)] = 500
    idle_timeout_ms: Annotated[int, Meta(ge=5_000, le=30_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Strict, frozen=True, tag_field="type", tag="semantic_vad"):
    """Turns end by what was said and how."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = ServerVad | SemanticVad


class InputAudio(Strict, frozen=True):
    """How the caller's audio comes and what is made of it. `turn_detection` None: push-to-talk."""

    format: AudioFormat = Pcm()
    transcription: Transcription | None = None
    noise_reduction: JsonObject | None = None
    turn_detection: TurnDetection | None = ServerVad()


class VoiceId(Strict, frozen=True):
    """A voice by id, the other way in which the protocol names one."""

    id: str


class OutputAudio(Strict, frozen=True):
    """How the agent sounds."""

    format: AudioFormat = Pcm()
    voice: str | VoiceId = DEFAULT_VOICE
    speed: Speed = 1.0


class RealtimeAudio(Strict, frozen=True):
    input: InputAudio = InputAudio()
    output: OutputAudio = OutputAudio()


class TranscriptionAudio(Strict, frozen=True):
    input: InputAudio = InputAudio(transcription=Transcription(model=DEFAULT_TRANSCRIBER))


class FunctionTool(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function that the agent may call; `parameters` is a JSON Schema object."""

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
    description: str = ""
    parameters: JsonObject = msgspec.field(default_factory=dict)


class McpTool(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """Known so that it can be refused by name."""

    server_label: str = ""


class ChooseFunction(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    name: str


class ChooseMcp(msgspec.Struct, frozen=True, tag_field="type", tag="mcp"):
    """Known so that it can be refused by name."""

    server_label: str = ""


Tools = list[FunctionTool | McpTool]
ToolChoice = Literal["auto", "none", "required"] | ChooseFunction | ChooseMcp


class GreetingObject(Strict, frozen=True):
    """What the agent says first, verbatim."""

    text: Annotated[str, Meta(min_length=1)]
    interruptible: bool = True


class RepromptObject(Strict, frozen=True):
    """What the agent says after a silence on both sides; without `text` the LLM goes on."""

    after_ms: Annotated[int, Meta(ge=1_000)]
    text: str | None = None
    times: Annotated[int, Meta(ge=1)] = 2


class Extension(Strict, frozen=True):
    """What this server adds to the protocol. `resume` is the secret to come back with.

    `agent` is who answers, chosen at the beginning. `not_allowed` names what the last update would
    have changed if the agent let it.
    """

    greeting: GreetingObject | None = None
    fallback_voices: Annotated[list[str], Meta(max_length=3)] = msgspec.field(default_factory=list)
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    reprompt: RepromptObject | None = None
    longest_ms: Annotated[int, Meta(ge=1_000)] | None = None
    record: bool = False
    resume: str | None = None
    agent: str | None = None
    not_allowed: list[str] | None = None


class RealtimeSession(Strict, frozen=True, tag_field="type", tag="realtime"):
    """A conversation. `truncation`, `tracing`, `reasoning` and `include` are accepted only."""

    id: str | None = None
    object: str = "realtime.session"
    model: str = DEFAULT_MODEL
    output_modalities: Modalities = msgspec.field(default_factory=lambda: ["audio"])
    instructions: str = ""
    audio: RealtimeAudio = RealtimeAudio()
    tools: Tools = msgspec.field(default_factory=list)
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    max_output_tokens: MaxTokens = "inf"
    temperature: Temperature | None = None
    truncation: str | JsonObject | None = "auto"
    tracing: str | JsonObject | None = None
    reasoning: JsonObject | None = None
    prompt: JsonObject | None = None
    include: list[Include] | None = None
    expires_at: int | None = None
    voiceforge: Extension = Extension()


class TranscriptionSession(Strict, frozen=True, tag_field="type", tag="transcription"):
    """A session that only listens."""

    id: str | None = None
    object: str = "realtime.transcription_session"
    audio: TranscriptionAudio = TranscriptionAudio()
    include: list[Include] | None = None
    expires_at: int | None = None
    voiceforge: Extension = Extension()


SessionObject = RealtimeSession | TranscriptionSession


def identified(session: SessionObject, session_id: str, resume: str | None) -> SessionObject:
    """`session` as the object of the session with this id and this secret to come back with."""
    own = msgspec.structs.replace(session.voiceforge, resume=resume)
    return msgspec.structs.replace(session, id=session_id, voiceforge=own)


def answered_by(agent: str | None, session: SessionObject) -> SessionObject:
    """`session`, in which this agent answers."""
    own = msgspec.structs.replace(session.voiceforge, agent=agent)
    return msgspec.structs.replace(session, voiceforge=own)


def noting(session: SessionObject, not_allowed: list[str]) -> SessionObject:
    """`session`, with the paths of what an update may not change."""
    own = msgspec.structs.replace(session.voiceforge, not_allowed=not_allowed or None)
    return msgspec.structs.replace(session, voiceforge=own)


READ_ONLY = ("id", "object", "expires_at")
"""Fields that a client may send back as it got them; they change nothing."""

OWN_READ_ONLY = ("resume", "agent", "not_allowed")
"""Those of the `voiceforge` block."""

MERGED = {
    ("audio",),
    ("audio", "input"),
    ("audio", "output"),
    ("voiceforge",),
    ("voiceforge", "variables"),
}
"""Objects of which an update may give a part; every other value is replaced as a whole."""


def merge(current: SessionObject, update: JsonObject) -> SessionObject:
    """`current` with what `update` names changed; a new object when the type changes.

    Raises `msgspec.ValidationError` with the path of the first field that is wrong.
    """
    base: JsonObject = msgspec.to_builtins(current)
    kind = update.get("type")
    if kind != base["type"]:
        fresh = {"id": current.id, "voiceforge": base["voiceforge"]}
        base = {**msgspec.to_builtins(_new(kind, update)), **fresh}
    wanted = {name: value for name, value in update.items() if name not in READ_ONLY}
    if isinstance(extension := wanted.get("voiceforge"), dict):
        wanted["voiceforge"] = {k: v for k, v in extension.items() if k not in OWN_READ_ONLY}
    return _convert(_merge(base, wanted, ()))


def _new(kind: object, update: JsonObject) -> SessionObject:
    if kind == "realtime":
        return RealtimeSession()
    if kind == "transcription":
        return TranscriptionSession()
    only_type = {"type": kind} if "type" in update else {}
    return _convert(only_type)


def _convert(plain: JsonObject) -> SessionObject:
    session: SessionObject = msgspec.convert(plain, SessionObject)
    return session


def _merge(base: JsonObject, update: JsonObject, path: tuple[str, ...]) -> JsonObject:
    merged = dict(base)
    for name, value in update.items():
        below = (*path, name)
        old = base.get(name)
        part: Any = value
        if below in MERGED and isinstance(value, dict) and isinstance(old, dict):
            part = _merge(old, value, below)
        merged[name] = part
    return merged
