"""What ElevenLabs' SDKs ask of a transcription: the form that comes with a recording."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from server.access.denied import Denied
from server.eleven import aliases
from server.eleven.errors import invalid
from server.eleven.exports import CANNOT, Export
from server.eleven.languages import UnknownLanguage, tag_of
from server.forms import fault
from server.transcription.transcribing import LONGEST_TERM, MOST_TERMS, Wanted
from transports.realtime.aliases import WHISPER

Granularity = Literal["none", "word", "character"]

LISTS = ("keyterms", "secondary_language_codes")

NOTHING = ("", "null", "[]", '""')
"""How SDKs write what they leave out."""

MOST_EXPORTS = 3
"""One of each format that is made here: of six hours of speech each takes memory and time."""

Term = Annotated[str, Meta(max_length=LONGEST_TERM)]


class SpeechToText(msgspec.Struct, frozen=True):
    """How a recording is to be transcribed. `keyterms` are names that may be said.

    Accepted, and without effect: `tag_audio_events`, as only words are heard; `num_speakers` and
    `diarization_threshold`, as nobody is told apart; `secondary_language_codes`; `temperature` and
    `seed`, as the likeliest words are always taken.
    """

    model_id: str
    language_code: str | None = None
    timestamps_granularity: Granularity = "word"
    file_format: Literal["pcm_s16le_16", "other"] = "other"
    keyterms: Annotated[list[Term], Meta(max_length=MOST_TERMS)] = []
    additional_formats: Annotated[list[Export], Meta(max_length=MOST_EXPORTS)] = []
    tag_audio_events: bool = True
    num_speakers: Annotated[int, Meta(ge=1, le=32)] | None = None
    diarization_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    secondary_language_codes: list[str] = []
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    seed: Annotated[int, Meta(ge=0, le=2147483647)] | None = None
    diarize: bool = False
    detect_speaker_roles: bool = False
    use_multi_channel: bool = False
    webhook: bool = False
    no_verbatim: bool = False
    cloud_storage_url: str = ""
    source_url: str = ""
    entity_detection: str = ""
    entity_redaction: str = ""
    transcript_edit: str = ""
    numbers_format: str = ""

    @property
    def timed(self) -> bool:
        """Whether the times of words are needed."""
        return self.timestamps_granularity != "none" or bool(self.additional_formats)


SPEAKERS = "speakers are not told apart here: leave it out"
FETCHED = "nothing is fetched here: send the recording itself, as `file`"
FOUND = "names and numbers are not looked for here: leave it out"

UNSUPPORTED = {
    "cloud_storage_url": FETCHED,
    "source_url": FETCHED,
    "webhook": "the answer comes at once, not by webhook: leave it out",
    "diarize": SPEAKERS,
    "detect_speaker_roles": SPEAKERS,
    "use_multi_channel": "channels are mixed here: send each one as a recording of its own",
    "no_verbatim": "what is said is written as it is heard: leave it out",
    "entity_detection": FOUND,
    "entity_redaction": FOUND,
    "transcript_edit": "a transcript is edited by POST /v1/chat/completions: leave it out",
    "numbers_format": "numbers are written as they are heard: leave it out",
}
"""What cannot be had, and what to do instead."""


def wanted(fields: Mapping[str, list[str]]) -> SpeechToText:
    """What a form asks for. Fields that nobody knows change nothing. Raises `Denied`, or
    `ValidationException` for what cannot be read.
    """
    asked = read(fields)
    for name, instead in UNSUPPORTED.items():
        if getattr(asked, name):
            raise Denied(400, "unsupported", f"{name}: {instead}")
    for export in asked.additional_formats:
        if export.format in CANNOT:
            text = f"additional_formats: no {export.format} is made here: ask for srt, txt or"
            raise Denied(400, "unsupported", f"{text} segmented_json")
    by, language = aliases.recogniser(asked.model_id), language_of(asked)
    if by == "fast" and language not in ("en", "auto"):
        text = f"language_code: {asked.model_id} knows English only: ask {WHISPER}"
        raise Denied(400, "unsupported", f"{text} for {asked.language_code}")
    if by == "fast" and asked.timed:
        text = f"timestamps_granularity: {asked.model_id} knows no times of words: ask for none,"
        raise Denied(400, "unsupported", f"{text} without additional_formats, or ask {WHISPER}")
    return asked


def read(fields: Mapping[str, list[str]]) -> SpeechToText:
    """The form. Raises `ValidationException`."""
    told: dict[str, Any] = {n: v[-1] for n, v in fields.items() if v[-1] not in NOTHING}
    told |= {name: [one for one in fields.get(name, []) if one] for name in LISTS}
    try:
        if "additional_formats" in told:
            told["additional_formats"] = msgspec.json.decode(told["additional_formats"])
        return msgspec.convert(told, SpeechToText, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(*fault(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid("additional_formats", f"no JSON: {error}") from error


def language_of(asked: SpeechToText) -> str:
    """The language that is spoken, as a BCP-47 tag, or "auto". Raises `ValidationException`."""
    try:
        return tag_of(asked.language_code)
    except UnknownLanguage as error:
        raise invalid("language_code", str(error)) from error


def hearing(asked: SpeechToText) -> Wanted:
    """How that is heard."""
    by = aliases.recogniser(asked.model_id)
    language = "en" if by == "fast" else language_of(asked)
    return Wanted(language, asked.timed, tuple(asked.keyterms), by)
