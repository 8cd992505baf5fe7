"""Events about responses and what they put out."""

from transports.realtime.items import ItemId
from transports.realtime.response_object import Overrides
from transports.realtime.wire import ClientEvent, JsonObject, ServerEvent


class ResponseCreate(ClientEvent, frozen=True, tag="response.create"):
    """Answer now, as the session has it or as `response` says."""

    response: Overrides | None = None


class ResponseCancel(ClientEvent, frozen=True, tag="response.cancel"):
    response_id: ItemId | None = None


class OutputClear(ClientEvent, frozen=True, tag="output_audio_buffer.clear"):
    """Drop the agent's audio that has not been played."""


class Created(ServerEvent, frozen=True, tag="response.created"):
    response: JsonObject


class Done(ServerEvent, frozen=True, tag="response.done"):
    response: JsonObject


class OfItem(ServerEvent, frozen=True):
    """An event about output item `output_index` of a response."""

    response_id: str
    output_index: int


class OutputItemAdded(OfItem, frozen=True, tag="response.output_item.added"):
    item: JsonObject


class OutputItemDone(OfItem, frozen=True, tag="response.output_item.done"):
    item: JsonObject


class OfPart(OfItem, frozen=True, kw_only=True):
    """An event about a message's content; messages here have one part."""

    item_id: str
    content_index: int = 0


class ContentPartAdded(OfPart, frozen=True, tag="response.content_part.added"):
    part: JsonObject


class ContentPartDone(OfPart, frozen=True, tag="response.content_part.done"):
    part: JsonObject


class TextDelta(OfPart, frozen=True, tag="response.output_text.delta"):
    delta: str


class TextDone(OfPart, frozen=True, tag="response.output_text.done"):
    text: str


class TranscriptDelta(OfPart, frozen=True, tag="response.output_audio_transcript.delta"):
    delta: str


class TranscriptDone(OfPart, frozen=True, tag="response.output_audio_transcript.done"):
    transcript: str


class AudioDelta(OfPart, frozen=True, tag="response.output_audio.delta"):
    """The shape of what `reply.Replies` writes by hand, being the most frequent event."""

    delta: bytes


class AudioDone(OfPart, frozen=True, tag="response.output_audio.done"):
    pass


class ArgumentsDelta(OfItem, frozen=True, tag="response.function_call_arguments.delta"):
    item_id: str
    call_id: str
    delta: str


class ArgumentsDone(OfItem, frozen=True, tag="response.function_call_arguments.done"):
    item_id: str
    call_id: str
    name: str
    arguments: str


class OwnArgumentsDelta(OfItem, frozen=True, tag="response.mcp_call_arguments.delta"):
    """As `ArgumentsDelta`, of a tool that the server runs; and so on."""

    item_id: str
    delta: str


class OwnArgumentsDone(OfItem, frozen=True, tag="response.mcp_call_arguments.done"):
    item_id: str
    arguments: str


class OwnCall(ServerEvent, frozen=True):
    """A call that the server runs, by its place in a response."""

    item_id: str
    output_index: int


class OwnCallInProgress(OwnCall, frozen=True, tag="response.mcp_call.in_progress"):
    pass


class OwnCallCompleted(OwnCall, frozen=True, tag="response.mcp_call.completed"):
    pass


class OwnCallFailed(OwnCall, frozen=True, tag="response.mcp_call.failed"):
    pass


class PlaybackStarted(ServerEvent, frozen=True, tag="output_audio_buffer.started"):
    response_id: str


class PlaybackStopped(ServerEvent, frozen=True, tag="output_audio_buffer.stopped"):
    response_id: str


class PlaybackCleared(ServerEvent, frozen=True, tag="output_audio_buffer.cleared"):
    response_id: str
