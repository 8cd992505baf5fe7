"""What goes over the WebSocket of `/v1/speech-to-text/realtime`."""

from typing import Any

import msgspec

MOST_BYTES = 1 << 20
"""Of audio in one message: ten seconds and more."""


class AudioChunk(msgspec.Struct, frozen=True, tag_field="message_type", tag="input_audio_chunk"):
    """More audio, in base64; `commit`: the segment ends behind it. The text before it is accepted
    with the first, and not needed.
    """

    audio_base_64: bytes
    commit: bool = False
    sample_rate: int | None = None
    previous_text: str | None = None


class TranscriptionWord(msgspec.Struct, frozen=True):
    """A word, or what stands between two; seconds from where the session began."""

    text: str
    start: float | None
    end: float | None
    type: str
    logprob: float
    speaker_id: None = None
    characters: list[str] | None = None


class SessionStarted(msgspec.Struct, frozen=True, tag_field="message_type", tag="session_started"):
    """The first message."""

    session_id: str
    config: dict[str, Any]


class Partial(msgspec.Struct, frozen=True, tag_field="message_type", tag="partial_transcript"):
    """What has been said of a segment; it may change."""

    text: str


class Committed(msgspec.Struct, frozen=True, tag_field="message_type", tag="committed_transcript"):
    """What has been said in a segment."""

    text: str


class Detailed(
    msgspec.Struct,
    frozen=True,
    tag_field="message_type",
    tag="committed_transcript_with_timestamps",
):
    """The same once more, with what else was asked for."""

    text: str
    language_code: str | None
    words: list[TranscriptionWord] | None


class Failed(msgspec.Struct, frozen=True):
    """What went wrong, under one of the names that SDKs know; the socket is closed then."""

    message_type: str
    error: str
