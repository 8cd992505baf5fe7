"""What a client asks of `/v1/speech-to-text/realtime`, in its address."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from actors.stenographer import Manner
from actors.stt_router import Recogniser
from engine.settings import TurnSettings
from server.access.denied import Denied
from server.eleven import aliases
from server.eleven.input_formats import USUAL, Name, rate_of
from server.eleven.languages import UnknownLanguage, tag_of
from server.eleven.speech_to_text import FOUND, Term
from server.forms import fault
from server.transcription.transcribing import MOST_TERMS
from transports.outbox import Message
from transports.realtime.aliases import FAST_TRANSCRIBER, TRANSCRIBERS, WHISPER

LISTS = ("keyterms",)

Duration = Annotated[int, Meta(ge=50, le=2000)]


class Options(msgspec.Struct, frozen=True):
    """How it is transcribed, and told. What ElevenLabs has beside it is accepted where that changes
    nothing, as faint sounds are always passed over (`filter_background_audio`).
    """

    model_id: str = aliases.REALTIME_SCRIBE
    audio_format: Name = USUAL
    language_code: str | None = None
    commit_strategy: Literal["manual", "vad"] = "manual"
    vad_silence_threshold_secs: Annotated[float, Meta(ge=0.3, le=3)] = 1.5
    vad_threshold: Annotated[float, Meta(ge=0.1, le=0.9)] = TurnSettings().threshold
    min_speech_duration_ms: Duration = 100
    min_silence_duration_ms: Duration = 100
    include_timestamps: bool = False
    include_language_detection: bool = False
    keyterms: Annotated[list[Term], Meta(max_length=MOST_TERMS)] = []
    no_verbatim: bool = False
    entity_detection: str = ""
    entity_redaction: str = ""
    transcript_edit: str = ""
    token: str = ""


UNSUPPORTED = {
    "no_verbatim": "what is said is written as it is heard: leave it out",
    "entity_detection": FOUND,
    "entity_redaction": FOUND,
    "transcript_edit": "a transcript is edited by POST /v1/chat/completions: leave it out",
    "token": "there are no single-use tokens here: send the key as `xi-api-key`",
}


def options_of(scope: Message) -> Options:
    """What the address of a connection asks for. Raises `Denied`."""
    query = parse_qs(scope.get("query_string", b"").decode(errors="replace"))
    told: dict[str, Any] = {name: values[-1] for name, values in query.items()}
    told |= {name: query.get(name, []) for name in LISTS}
    try:
        options = msgspec.convert(told, Options, strict=False)
    except msgspec.ValidationError as error:
        field, said = fault(error)
        raise Denied(400, "invalid_value", f"{field}: {said}") from error
    for name, instead in UNSUPPORTED.items():
        if getattr(options, name):
            raise Denied(400, "unsupported", f"{name}: {instead}")
    aliases.check_scribe(options.model_id, (aliases.REALTIME_SCRIBE, *TRANSCRIBERS))
    return options


def manner_of(options: Options) -> Manner:
    """How that is written down. Raises `Denied`."""
    by = recogniser(options.model_id)
    try:
        language = tag_of(options.language_code)
    except UnknownLanguage as error:
        raise Denied(400, "invalid_value", f"language_code {error}") from error
    if by == "fast" and language not in ("en", "auto"):
        text = f"language_code: {options.model_id} knows English only: ask {WHISPER}"
        raise Denied(400, "unsupported", text)
    if by == "fast" and options.include_timestamps:
        text = f"include_timestamps: {options.model_id} knows no times of words: ask {WHISPER}"
        raise Denied(400, "unsupported", text)
    silence_ms = max(
        round(1000 * options.vad_silence_threshold_secs), options.min_silence_duration_ms
    )
    return Manner(
        language="en" if by == "fast" else language,
        by=by,
        terms=tuple(options.keyterms),
        silence_ms=silence_ms if options.commit_strategy == "vad" else None,
        speech_ms=options.min_speech_duration_ms,
        threshold=options.vad_threshold,
        times=options.include_timestamps,
        language_told=options.include_language_detection,
    )


def recogniser(model_id: str) -> Recogniser:
    """Who hears somebody live under this name: whoever is best, if it is none of ours."""
    ours: dict[str, Recogniser] = {FAST_TRANSCRIBER: "fast", WHISPER: "many"}
    return ours.get(model_id, "auto")


def shown(options: Options) -> dict[str, Any]:
    """What holds for a session, as its client is told."""
    return {
        "sample_rate": rate_of(options.audio_format),
        "audio_format": options.audio_format,
        "language_code": options.language_code,
        "commit_strategy": options.commit_strategy,
        "vad_silence_threshold_secs": options.vad_silence_threshold_secs,
        "vad_threshold": options.vad_threshold,
        "min_speech_duration_ms": options.min_speech_duration_ms,
        "min_silence_duration_ms": options.min_silence_duration_ms,
        "model_id": options.model_id,
        "enable_logging": False,
        "include_timestamps": options.include_timestamps,
        "include_language_detection": options.include_language_detection,
        "keyterms": options.keyterms,
    }
