"""Events about the caller's audio: its buffer, its turns, its transcript."""

import msgspec

from transports.realtime.wire import ClientEvent, JsonObject, ServerEvent


class Append(ClientEvent, frozen=True, tag="input_audio_buffer.append"):
    """More of the caller's audio; base64 on the wire."""

    audio: bytes


class Commit(ClientEvent, frozen=True, tag="input_audio_buffer.commit"):
    """The turn ends here."""


class Clear(ClientEvent, frozen=True, tag="input_audio_buffer.clear"):
    """Throw away what is not committed."""


class Committed(ServerEvent, frozen=True, tag="input_audio_buffer.committed"):
    previous_item_id: str | None
    item_id: str


class Cleared(ServerEvent, frozen=True, tag="input_audio_buffer.cleared"):
    pass


class Started(ServerEvent, frozen=True, tag="input_audio_buffer.speech_started"):
    audio_start_ms: int
    item_id: str


class Stopped(ServerEvent, frozen=True, tag="input_audio_buffer.speech_stopped"):
    audio_end_ms: int
    item_id: str


class TimedOut(ServerEvent, frozen=True, tag="input_audio_buffer.timeout_triggered"):
    audio_start_ms: int
    audio_end_ms: int
    item_id: str


_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class TranscriptDelta(ServerEvent, frozen=True, tag=f"{_TRANSCRIPTION}.delta"):
    """More words of what the caller says; they never change again."""

    item_id: str
    delta: str
    content_index: int = 0


class TranscriptCompleted(ServerEvent, frozen=True, tag=f"{_TRANSCRIPTION}.completed"):
    item_id: str
    transcript: str
    usage: JsonObject
    content_index: int = 0


class TranscriptError(msgspec.Struct, frozen=True):
    type: str
    code: str
    message: str
    param: str | None = None


class TranscriptFailed(ServerEvent, frozen=True, tag=f"{_TRANSCRIPTION}.failed"):
    item_id: str
    error: TranscriptError
    content_index: int = 0
