"""Replies: what the pipeline makes of a generation becomes a response that the client sees."""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from engine.capabilities import ToolCall
from engine.frames import (
    Cited,
    Frame,
    Output,
    PlaybackCleared,
    PlaybackStarted,
    PlaybackStopped,
    Recalled,
    ReplyArguments,
    ReplyAudio,
    ReplyCall,
    ReplyDelta,
    ReplyEnd,
    ReplyFailed,
    ReplyItemDone,
    ReplyItemStarted,
    ReplyText,
    ResponseEnded,
    SpeechChunk,
    SpeechEnd,
    Usage,
)
from engine.generation import Generation
from engine.history import History
from engine.items import FunctionCall, Item, Message, Part, Status, new_item_id
from engine.playout import Playout

CUT_SHORT = ("length", "content_filter")
"""How an LLM's reply finishes before it is complete; a function call in it may be torn."""


class Events(Protocol):
    """What a reply tells whoever had it made."""

    def ready(self, generation: int) -> None:
        """There is something to be heard, or read. Told once."""
        ...

    def audible(self, generation: int) -> None:
        """The first of it went out. Told once."""
        ...

    def finished(self, generation: int) -> None:
        """All of it was heard, or it failed. Told once."""
        ...


class Reply:
    """The response that one generation becomes. Nothing goes out before `release`."""

    def __init__(
        self,
        generation: Generation,
        history: History | None,
        events: Events,
        send: Callable[[Frame], None],
    ) -> None:
        self.generation = generation
        self.playout: Playout | None = None
        self.message: Message | None = None
        self._history = history
        self._events = events
        self._send = send
        self._released = False
        self._ready = False
        self._waiting: list[Output] = []
        self._text: list[str] = []
        self._calls: dict[int, FunctionCall] = {}  # by the LLM's index of them
        self._items: list[Item] = []
        self._message_index = 0
        self._usage = Usage()
        self._finish = ""
        self._error: ReplyFailed | None = None
        self._over = False

    @property
    def failed(self) -> bool:
        """Is there more of it that cannot be had?"""
        return self._error is not None

    @property
    def heard(self) -> str:
        """What has been heard of it until now, or read."""
        if self.playout is None:
            return "".join(self._text)
        return self.playout.ledger.heard(self.playout.heard_samples())

    def receive(self, frame: Output) -> None:
        """Take what the pipeline made."""
        if self._over:
            return
        if isinstance(frame, SpeechChunk):
            self._take_speech(frame)
            return
        if isinstance(frame, Recalled):
            self.generation.stamp("recalled")
        if isinstance(frame, ReplyDelta):
            self.generation.stamp("first_token")
            if self.playout is None:
                self._be_ready()
        if self._released:
            self._take(frame)
        else:
            self._waiting.append(frame)
            told = isinstance(frame, ReplyFailed | SpeechEnd) or self.playout is None
            if told and not isinstance(frame, Recalled):
                self._be_ready()  # there is nothing more to wait for

    def release(self) -> None:
        """Let it be heard and seen."""
        self.generation.stamp("promoted")
        self._released = True
        self._send(self.generation.started())
        waiting, self._waiting = self._waiting, []
        for frame in waiting:
            self._take(frame)
        if self.playout is not None and not self._over:
            self.playout.release()

    def cut(self, reason: str) -> None:
        """End it here. The history keeps what was heard of it."""
        if self._over:
            return
        heard = self.playout.close() if self.playout is not None else "".join(self._text)
        if self._released:
            if self.playout is not None and self.playout.ledger.sent_samples:
                self._send(PlaybackCleared(self.generation.response_id))
            if not self._finish:
                self._end_calls("incomplete")
            self._end("cancelled", reason, None, heard)
        self._over = True

    def played(self, pcm: bytes) -> None:
        """A frame of speech is due."""
        if self.message is None:
            self._begin_message()
        assert self.message is not None
        assert self.playout is not None
        self._send(
            ReplyAudio(
                self.generation.response_id,
                self.message.id,
                self._message_index,
                pcm,
                self.playout.rate_hz,
            )
        )

    def began(self) -> None:
        """The first frame of speech is due."""
        self.generation.stamp("first_audio")
        self._send(PlaybackStarted(self.generation.response_id))
        self._events.audible(self.generation.number)

    def heard_out(self) -> None:
        """The last sample of speech was heard."""
        if self.playout is not None and self.playout.ledger.sent_samples:
            self._send(PlaybackStopped(self.generation.response_id))
        self._complete()

    def _be_ready(self) -> None:
        if not self._ready:
            self._ready = True
            self._events.ready(self.generation.number)

    def _take_speech(self, chunk: SpeechChunk) -> None:
        if self.playout is None:
            return
        self.generation.stamp("first_speech")
        self.playout.add(chunk.pcm, chunk.text, chunk.words)
        self._be_ready()

    def _take(self, frame: Output) -> None:
        match frame:
            case Recalled(_, passages):
                self._send(Cited(self.generation.response_id, passages))
            case ReplyDelta(_, text):
                self._add_text(text)
            case ReplyCall(_, call):
                self._add_call(call)
            case ReplyEnd(_, finish, usage):
                self._finish = finish
                self._usage = usage
                self._end_calls("incomplete" if finish in CUT_SHORT else "completed")
                if self.playout is None:
                    self._complete()
            case SpeechEnd() if self.playout is not None:
                self.playout.complete()
            case ReplyFailed():
                self._error = frame
                if self.playout is None:
                    self._complete()
                else:
                    self.playout.complete()

    def _add_text(self, text: str) -> None:
        if self.message is None:
            self._begin_message()
        assert self.message is not None
        self._text.append(text)
        spoken = self.playout is not None
        self._send(
            ReplyText(
                self.generation.response_id, self.message.id, self._message_index, text, spoken
            )
        )
        if not spoken and len(self._text) == 1:
            self.generation.stamp("first_audio")
            self._events.audible(self.generation.number)

    def _begin_message(self) -> None:
        self.message = Message(
            new_item_id(), "assistant", (Part(self.generation.modality, ""),), "in_progress"
        )
        self._message_index = self._begin_item(self.message)

    def _begin_item(self, item: Item) -> int:
        index = len(self._items)
        self._items.append(item)
        previous = self._history.add(item) if self._history is not None else None
        self._send(ReplyItemStarted(self.generation.response_id, index, item, previous))
        return index

    def _add_call(self, delta: ToolCall) -> None:
        """A piece of a call; endpoints tell its id with the first piece, or with every one."""
        call = self._calls.get(delta.index)
        if call is None:
            if not delta.id:
                return
            ours = delta.name in self.generation.ours
            call = FunctionCall(new_item_id(), delta.id, delta.name, "", "in_progress", ours)
            self._begin_item(call)
        self._calls[delta.index] = replace(call, arguments=call.arguments + delta.arguments)
        self._send(
            ReplyArguments(
                self.generation.response_id,
                call.id,
                self._index_of(call.id),
                call.call_id,
                delta.arguments,
            )
        )

    def _end_calls(self, status: Status) -> None:
        for call in self._calls.values():
            self._end_item(replace(call, status=status))

    def _index_of(self, item_id: str) -> int:
        return next(index for index, item in enumerate(self._items) if item.id == item_id)

    def _end_item(self, item: Item) -> None:
        index = self._index_of(item.id)
        self._items[index] = item
        if self._history is not None:
            self._history.put(item)
        self._send(ReplyItemDone(self.generation.response_id, index, item))

    def _complete(self) -> None:
        text = "".join(self._text)
        if not self._finish:
            self._end_calls("incomplete")
        if self._error is not None:
            heard = self.playout.ledger.text if self.playout is not None else text
            self._end("failed", self._error.code, self._error.message, heard)
        elif self._finish == "length":
            self._end("incomplete", "max_output_tokens", None, text)
        elif self._finish == "content_filter":
            self._end("incomplete", "content_filter", None, text)
        else:
            self._end("completed", None, None, text)
        self._over = True
        self._events.finished(self.generation.number)

    def _end(self, status: str, reason: str | None, message: str | None, heard: str) -> None:
        if self.message is not None:
            self.message = replace(
                self.message,
                parts=(Part(self.generation.modality, heard),),
                status="completed" if status == "completed" else "incomplete",
            )
            self._end_item(self.message)
        usage = self._usage
        if self.playout is not None:
            sent = self.playout.ledger.sent_samples
            usage = replace(usage, audio_ms=sent * 1000 // self.playout.rate_hz)
        self._send(
            ResponseEnded(
                self.generation.response_id, status, reason, message, tuple(self._items), usage
            )
        )
