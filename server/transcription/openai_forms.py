"""What OpenAI's SDKs ask of a transcription, and what they read."""

import re
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from actors.languages import primary
from server.access.denied import Denied
from server.forms import fault
from server.transcription.segments import Segment
from server.transcription.told import Told
from server.transcription.transcribing import LONGEST_TERM, MOST_TERMS, Wanted
from transports.realtime import aliases

Format = Literal["json", "text", "srt", "vtt", "verbose_json"]

FRAME_MS = 10
"""In which Whisper counts where a segment is sought."""

LISTED = re.compile(r"[,;\n]")

Granularity = Literal["word", "segment"]


class TranscriptionWanted(msgspec.Struct, frozen=True):
    """How a recording is to be transcribed: `language` is an ISO 639-1 code, else it is found;
    `prompt` are names and words that may be said, with commas between. `temperature` changes
    nothing: the likeliest words are taken.
    """

    model: str = "whisper-1"
    language: Annotated[str, Meta(max_length=32)] = ""
    prompt: Annotated[str, Meta(max_length=4000)] = ""
    response_format: Format = "json"
    stream: bool = False
    timestamp_granularities: list[Granularity] = []
    temperature: Annotated[float, Meta(ge=0, le=1)] = 0.0

    @property
    def timed(self) -> bool:
        """Whether the times of words are needed."""
        return self.response_format in ("srt", "vtt", "verbose_json")


def wanted(fields: dict[str, list[str]]) -> TranscriptionWanted:
    """What a form asks for. Unknown fields are OpenAI's, and change nothing. Raises `Denied`."""
    lists = fields.get("timestamp_granularities[]", []) + fields.get("timestamp_granularities", [])
    told: dict[str, Any] = {name: values[-1] for name, values in fields.items() if values[-1]}
    told["timestamp_granularities"] = lists
    try:
        asked = msgspec.convert(told, TranscriptionWanted, strict=False)
    except msgspec.ValidationError as error:
        field, said = fault(error)
        text = f"{field}: {said}" if field else said
        raise Denied(400, "invalid_value", text) from error
    try:
        aliases.check_transcriber(asked.model)
    except aliases.UnknownName as error:
        raise Denied(400, "invalid_value", f"model: {error}") from error
    if asked.stream and asked.response_format in ("srt", "vtt"):
        text = f"with stream it is json, text or verbose_json, not {asked.response_format}"
        raise Denied(400, "invalid_value", f"response_format: {text}")
    fast = asked.model == aliases.FAST_TRANSCRIBER
    if fast and primary(asked.language or "en") != "en":
        text = f"{asked.model} knows English only: ask {aliases.WHISPER} for {asked.language}"
        raise Denied(400, "invalid_value", f"language: {text}")
    if asked.timed and fast:
        text = f"{asked.model} knows no times of words: ask {aliases.WHISPER} for"
        raise Denied(400, "invalid_value", f"response_format: {text} {asked.response_format}")
    return asked


def hearing(asked: TranscriptionWanted) -> Wanted:
    """How that is heard. What is too long in a prompt is no name."""
    fast = asked.model == aliases.FAST_TRANSCRIBER
    terms = [term for part in LISTED.split(asked.prompt) if (term := part.strip())]
    return Wanted(
        asked.language or ("en" if fast else "auto"),
        asked.timed,
        tuple(term for term in terms if len(term) <= LONGEST_TERM)[:MOST_TERMS],
        "fast" if fast else "many",
    )


def usage(told: Told) -> dict[str, Any]:
    """What OpenAI would bill."""
    return {"type": "duration", "seconds": round(told.duration_ms / 1000, 2)}


def whole(told: Told) -> dict[str, Any]:
    """The answer as JSON."""
    return {"text": told.text, "usage": usage(told)}


def verbose(told: Told, granularities: Sequence[Granularity]) -> dict[str, Any]:
    """The answer with times. What a recogniser here does not tell is null."""
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": told.language,
        "duration": told.duration_ms / 1000,
        "text": told.text,
        "usage": usage(told),
    }
    if "word" in granularities:
        answer["words"] = [
            {"word": word.text, "start": word.start_ms / 1000, "end": word.end_ms / 1000}
            for word in told.words
        ]
    if "segment" in granularities or not granularities:
        answer["segments"] = [
            verbose_segment(number, one) for number, one in enumerate(told.segments())
        ]
    return answer


def verbose_segment(number: int, one: Segment) -> dict[str, Any]:
    """A segment as OpenAI's SDKs read it."""
    data = one.text.encode()
    return {
        "id": number,
        "seek": one.start_ms // FRAME_MS,
        "start": one.start_ms / 1000,
        "end": one.end_ms / 1000,
        "text": one.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": float(np.log(one.probability)),
        "compression_ratio": len(data) / len(zlib.compress(data)),
        "no_speech_prob": None,
    }
