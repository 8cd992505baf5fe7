"""How responses are told to the client: the engine's frames as events in the GA order.

For a spoken message: response.created, response.output_item.added, conversation.item.added,
response.content_part.added, transcript and audio deltas, response.output_audio.done,
response.output_audio_transcript.done, response.content_part.done, conversation.item.done,
response.output_item.done, response.done.
"""

from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.frames import (
    CallEnded,
    ReplyArguments,
    ReplyAudio,
    ReplyItemDone,
    ReplyItemStarted,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
)
from engine.items import FunctionCall, Item, Message
from transports.audio import Converted, Format, encode
from transports.realtime import conversation_events as conversation
from transports.realtime import response_events as events
from transports.realtime.items import wire_item
from transports.realtime.response_object import begun, ended
from transports.realtime.session_object import SessionObject
from transports.realtime.speaker import Speaker
from transports.realtime.wire import JsonObject, ServerEvent, new_event_id


@dataclass(slots=True)
class _Part:
    """The one content part of a message that is being said or written."""

    spoken: bool
    text: list[str] = field(default_factory=list)

    def shown(self, text: str) -> JsonObject:
        if self.spoken:
            return {"type": "audio", "transcript": text}
        return {"type": "text", "text": text}


@dataclass(slots=True)
class _OpenItem:
    """An output item that is not done."""

    response_id: str
    output_index: int
    item_id: str
    previous_item_id: str | None
    in_conversation: bool
    ours: bool = False
    part: _Part | None = None
    audio_line: str = ""
    converted: Converted | None = None


class Replies:
    """The responses of one session that are under way.

    Output of a response or an item that is not under way is dropped: it is a retired one's.
    `emit` takes an event, `emit_text` one that is already JSON text. Where there is a `speaker`,
    speech goes there, as 16-bit PCM at the rate of `Format.PCM`.
    """

    def __init__(
        self, emit: Callable[[ServerEvent], None], emit_text: Callable[[str], None]
    ) -> None:
        self.speaker: Speaker | None = None
        self._emit = emit
        self._emit_text = emit_text
        self._responses: dict[str, tuple[ResponseStarted, JsonObject]] = {}
        self._items: dict[str, _OpenItem] = {}
        self._running: dict[str, _OpenItem] = {}  # calls that wait for their output

    @property
    def active(self) -> bool:
        """Whether a response is under way."""
        return bool(self._responses)

    def owns(self, item_id: str) -> bool:
        """Whether the item is being filled by a response, and so announced by it."""
        return item_id in self._items

    def started(self, frame: ResponseStarted, session: SessionObject, conversation: str) -> None:
        shown = begun(frame, session, conversation)
        self._responses[frame.response_id] = frame, shown
        self._emit(events.Created(response=shown))

    def item_started(self, frame: ReplyItemStarted) -> None:
        if frame.response_id not in self._responses:
            return
        response, _ = self._responses[frame.response_id]
        self._items[frame.item.id] = _OpenItem(
            frame.response_id,
            frame.output_index,
            frame.item.id,
            frame.previous_item_id,
            response.in_conversation,
            isinstance(frame.item, FunctionCall) and frame.item.ours,
        )
        shown = wire_item(frame.item)
        self._emit(
            events.OutputItemAdded(
                response_id=frame.response_id, output_index=frame.output_index, item=shown
            )
        )
        if response.in_conversation:
            self._emit(conversation.Added(previous_item_id=frame.previous_item_id, item=shown))

    def text(self, frame: ReplyText) -> None:
        item = self._items.get(frame.item_id)
        if item is None:
            return
        part = item.part or self._open_part(item, frame.spoken)
        part.text.append(frame.text)
        delta = events.TranscriptDelta if part.spoken else events.TextDelta
        self._emit(
            delta(
                response_id=item.response_id,
                item_id=item.item_id,
                output_index=item.output_index,
                delta=frame.text,
            )
        )

    def audio(self, frame: ReplyAudio, form: Format) -> None:
        """Speech comes at the rate that is wanted, but for what was prepared before that was
        chosen.
        """
        item = self._items.get(frame.item_id)
        if item is None:
            return
        if item.part is None:
            self._open_part(item, spoken=True)
        if self.speaker is not None:
            form = Format.PCM
        if frame.rate_hz == form.rate_hz:
            self._heard(item, encode(frame.pcm, form))
            return
        if item.converted is None:
            item.converted = Converted(frame.rate_hz, form)
        self._heard(item, item.converted.feed(frame.pcm))

    def _heard(self, item: _OpenItem, data: bytes) -> None:
        if self.speaker is not None:
            self.speaker.say(data)
        else:
            self._audio_delta(item, data)

    def arguments(self, frame: ReplyArguments) -> None:
        item = self._items.get(frame.item_id)
        if item is None:
            return
        if item.ours:
            self._emit(
                events.OwnArgumentsDelta(
                    response_id=frame.response_id,
                    item_id=frame.item_id,
                    output_index=frame.output_index,
                    delta=frame.text,
                )
            )
            return
        self._emit(
            events.ArgumentsDelta(
                response_id=frame.response_id,
                item_id=frame.item_id,
                output_index=frame.output_index,
                call_id=frame.call_id,
                delta=frame.text,
            )
        )

    def item_done(self, frame: ReplyItemDone) -> None:
        item = self._items.pop(frame.item.id, None)
        if item is None:
            return
        if isinstance(frame.item, FunctionCall) and item.ours:
            self._own_call_begins(item, frame.item)
        elif isinstance(frame.item, FunctionCall):
            self._arguments_done(item, frame.item)
        elif item.part is not None:
            self._close_part(item, item.part, frame.item)
        shown = wire_item(frame.item)
        runs = item.ours and frame.item.status == "completed"  # it is done when it has its output
        if runs:
            self._running[item.item_id] = item
        elif item.in_conversation:
            self._emit(conversation.Done(previous_item_id=item.previous_item_id, item=shown))
        self._emit(
            events.OutputItemDone(
                response_id=item.response_id, output_index=item.output_index, item=shown
            )
        )

    def call_ended(self, frame: CallEnded) -> None:
        """A tool that the server ran has its output."""
        call = frame.call
        item = self._running.pop(call.id, None)
        if item is None:
            return
        ended = events.OwnCallFailed if call.failed else events.OwnCallCompleted
        self._emit(ended(item_id=call.id, output_index=frame.output_index))
        shown = wire_item(call)
        self._emit(conversation.Done(previous_item_id=item.previous_item_id, item=shown))

    def ended(self, frame: ResponseEnded) -> bool:
        """Whether the response was under way."""
        _, shown = self._responses.pop(frame.response_id, (None, None))
        if shown is None:
            return False
        self._emit(events.Done(response=ended(frame, shown)))
        return True

    def _open_part(self, item: _OpenItem, spoken: bool) -> _Part:
        part = item.part = _Part(spoken)
        self._emit(
            events.ContentPartAdded(
                response_id=item.response_id,
                item_id=item.item_id,
                output_index=item.output_index,
                part=part.shown(""),
            )
        )
        return part

    def _close_part(self, item: _OpenItem, part: _Part, done: Item) -> None:
        """The last text is that of the item itself: of a reply that was cut, what was heard."""
        where: dict[str, Any] = {
            "response_id": item.response_id,
            "item_id": item.item_id,
            "output_index": item.output_index,
        }
        text = _text_of(done, "".join(part.text))
        if item.converted is not None:
            self._heard(item, item.converted.rest())
        if part.spoken:
            self._emit(events.AudioDone(**where))
            self._emit(events.TranscriptDone(**where, transcript=text))
        else:
            self._emit(events.TextDone(**where, text=text))
        self._emit(events.ContentPartDone(**where, part=part.shown(text)))

    def _own_call_begins(self, item: _OpenItem, call: FunctionCall) -> None:
        self._emit(
            events.OwnArgumentsDone(
                response_id=item.response_id,
                item_id=item.item_id,
                output_index=item.output_index,
                arguments=call.arguments,
            )
        )
        if call.status == "completed":
            self._emit(
                events.OwnCallInProgress(item_id=item.item_id, output_index=item.output_index)
            )

    def _arguments_done(self, item: _OpenItem, call: FunctionCall) -> None:
        self._emit(
            events.ArgumentsDone(
                response_id=item.response_id,
                item_id=item.item_id,
                output_index=item.output_index,
                call_id=call.call_id,
                name=call.name,
                arguments=call.arguments,
            )
        )

    def _audio_delta(self, item: _OpenItem, data: bytes) -> None:
        """The most frequent event by far, so it is written by hand around its base64."""
        if not data:
            return
        line = item.audio_line or self._audio_line(item)
        delta = b2a_base64(data, newline=False).decode("ascii")
        self._emit_text(f'{{"event_id":"{new_event_id()}",{line}{delta}"}}')

    def _audio_line(self, item: _OpenItem) -> str:
        """Everything of `AudioDelta` between its event id and its base64; the same for an item."""
        event = msgspec.json.encode(
            {
                "type": "response.output_audio.delta",
                "response_id": item.response_id,
                "item_id": item.item_id,
                "output_index": item.output_index,
                "content_index": 0,
                "delta": "",
            }
        ).decode()
        item.audio_line = event[1:-2]  # without the brace, and open before the last quote
        return item.audio_line


def _text_of(item: Item, otherwise: str) -> str:
    if isinstance(item, Message) and item.parts:
        return "".join(part.text or "" for part in item.parts)
    return otherwise
