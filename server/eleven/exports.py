"""A transcript in further formats, which ElevenLabs' clients ask for beside the words."""

import textwrap
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from server.eleven.words import Word, timed, untimed
from server.transcription.segments import Cut
from server.transcription.subtitles import srt, stamp
from server.transcription.told import Told

Name = Literal["segmented_json", "srt", "txt", "docx", "html", "pdf"]

CANNOT = frozenset(("docx", "html", "pdf"))

SRT_LINE, TXT_LINE = 42, 100
"""Characters, as ElevenLabs has them where nothing is said of it."""

Seconds = Annotated[float, Meta(gt=0, le=3600)]


class Export(msgspec.Struct, frozen=True):
    """A format, and how the words are cut into segments; how long these are where nothing is said
    of it, is as ElevenLabs has it. No speaker is named, as none is told apart.
    """

    format: Name
    max_characters_per_line: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    include_speakers: bool | None = None
    include_timestamps: bool | None = None
    segment_on_silence_longer_than_s: Seconds | None = None
    max_segment_duration_s: Seconds | None = None
    max_segment_chars: Annotated[int, Meta(ge=1, le=10_000)] | None = None

    @property
    def cut(self) -> Cut:
        """Where it is cut."""
        return Cut(
            self.max_segment_chars or 84,
            round(1000 * (self.max_segment_duration_s or 4)),
            round(1000 * (self.segment_on_silence_longer_than_s or 0.8)),
        )


class Exported(msgspec.Struct, frozen=True):
    """A file of it."""

    requested_format: str
    file_extension: str
    content_type: str
    content: str
    is_base64_encoded: bool = False


class WordedSegment(msgspec.Struct, frozen=True):
    """A segment, and the words in it."""

    text: str
    words: list[Word]


def exported(told: Told, export: Export) -> Exported:
    """The file. Raises `KeyError` for a format that is not made here."""
    make, extension, content_type = FORMATS[export.format]
    return Exported(export.format, extension, content_type, make(told, export))


def subtitles(told: Told, export: Export) -> str:
    """SubRip."""
    width = export.max_characters_per_line or SRT_LINE
    segments = told.segments(export.cut)
    return srt(replace(one, text=wrapped(one.text, width)) for one in segments)


def text(told: Told, export: Export) -> str:
    """A line for each segment, behind its time if that is asked for; else running text."""
    width = export.max_characters_per_line or TXT_LINE
    if not export.include_timestamps:
        return wrapped(told.text, width) + "\n"
    segments = told.segments(export.cut)
    return "".join(
        wrapped(f"[{stamp(one.start_ms, '.')}] {one.text}", width) + "\n" for one in segments
    )


def segmented(told: Told, export: Export) -> str:
    """JSON."""
    timeless = export.include_timestamps is False
    shown = [
        WordedSegment(
            one.text,
            untimed(one.text, one.probability) if timeless else list(timed(one.text, one.words)),
        )
        for one in told.segments(export.cut)
    ]
    return msgspec.json.encode({"segments": shown}).decode()


def wrapped(line: str, width: int) -> str:
    """In lines of so many characters."""
    return "\n".join(textwrap.wrap(line, width, break_on_hyphens=False))


Make = Callable[[Told, Export], str]

FORMATS: dict[Name, tuple[Make, str, str]] = {
    "srt": (subtitles, "srt", "application/x-subrip"),
    "txt": (text, "txt", "text/plain"),
    "segmented_json": (segmented, "json", "application/json"),
}
"""What makes a file, its ending and its media type."""
