"""What changes in one session that its record must follow."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from engine.frames import (
    CallEnded,
    CallerTranscript,
    CallerTranscriptFailed,
    Cited,
    Failure,
    Frame,
    InputCommitted,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    PlaybackStarted,
    ReplyItemDone,
    ReplyItemStarted,
    ResponseEnded,
    ResponseStarted,
    SpeechStarted,
    TurnMeasured,
)
from engine.items import FunctionCall, FunctionOutput, Item, Message
from engine.session import EndReason, Session
from storage import sessions as storage
from storage.turns import Source, Turn

REMEMBERED = 64
"""Turns that may still change: a client truncates the last replies and answers the last calls. What
becomes of older ones is not followed."""

UNFINISHED_MS = 1000
"""An answer that is interrupted before so much of it was heard: the caller had not finished."""

LONGEST = 65_536
"""Characters of a text; as many as a client may send."""

CODES = 64
"""Different errors that are counted by their codes: an endpoint may make up its own."""


class Known(msgspec.Struct):
    """A turn that may still change. Its words are in the session's history."""

    number: int
    kind: str
    at_ms: int
    status: str


class Live(msgspec.Struct):
    """A response that has not ended. `answers` the caller's turn; `item_id` is its message's."""

    answers: bool
    audible_at: float | None = None
    item_id: str | None = None
    measured: TurnMeasured | None = None
    sources: list[Source] | None = None


class Recorder:
    """Sees a session's outward frames and knows what is new since it was last asked.

    Of what was said it keeps only that; the last turns it knows by their numbers.
    """

    def __init__(
        self,
        session: Session,
        record: storage.Session,
    ) -> None:
        self._session = session
        self._record = record
        self._told: storage.Session | None = None
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._numbers = itertools.count(1)
        self._known: dict[str, Known] = {}  # by the item's id, a tool's by its call's too
        self._new: dict[int, Turn] = {}
        self._wordless: set[str] = set()  # items of the caller whose words follow
        self._truncated: set[str] = set()
        self._live: dict[str, Live] = {}
        self._spoke: tuple[str, int] | None = None
        self._asked = False  # the caller's turn is over, and not answered yet
        self._heard: tuple[str, str] | None = None

    @property
    def over(self) -> bool:
        """Has the session ended?"""
        return self._record.ended_at is not None

    def observe(self, frame: Frame) -> None:
        """See an outward frame. Most are none of its business, and cost one look."""
        see = self._SEES.get(type(frame))
        if see is not None:
            see(self, frame)

    def ended(self, reason: EndReason) -> None:
        """The session is over."""
        self._look()
        for item_id, known in self._known.items():
            if known.status == "in_progress":
                self._change(item_id, status="incomplete")
        ended_at = self._record.began_at + timedelta(seconds=self._clock() - self._began)
        self._record = replace(self._record, ended_at=ended_at, end_reason=reason.value)

    def take(self) -> tuple[storage.Session, list[Turn]] | None:
        """The session and the turns that are new since this was last asked; None without news."""
        if not self.over:
            self._look()
        turns, self._new = list(self._new.values()), {}
        if not turns and self._record == self._told:
            return None
        self._told = self._record
        return self._record, turns

    # ---- what is seen ------------------------------------------------------------------------

    def _speech_started(self, frame: SpeechStarted) -> None:
        self._spoke = (frame.item_id, self._now_ms())

    def _committed(self, frame: InputCommitted) -> None:
        self._asked = True

    def _item_added(self, frame: ItemAdded) -> None:
        match frame.item:
            case Message(role="user") as item:
                self._caller_said(item)
            case FunctionOutput(call_id=call_id, output=output):
                if call_id not in self._known:  # the call was out of band, or long ago
                    self._begin(call_id, "tool", "completed")
                self._change(call_id, tool_output=kept(output))
            case _:
                """What the client says that others said before, nobody said here."""

    def _caller_said(self, item: Message) -> None:
        spoke, self._spoke = self._spoke, None
        at_ms = spoke[1] if spoke is not None and spoke[0] == item.id else None
        self._begin(item.id, "caller", "completed", at_ms)
        text = text_of(item)
        if text is None:
            self._wordless.add(item.id)
        else:
            self._change(item.id, text=text)

    def _transcribed(self, frame: CallerTranscript) -> None:
        self._wordless.discard(frame.item_id)
        self._change(frame.item_id, text=kept(frame.text))

    def _not_transcribed(self, frame: CallerTranscriptFailed) -> None:
        self._wordless.discard(frame.item_id)
        self._change(frame.item_id, status="incomplete")
        self._count_error(frame.code)

    def _response_started(self, frame: ResponseStarted) -> None:
        self._count("responses")
        if frame.in_conversation:
            answers, self._asked = self._asked and frame.modality == "audio", False
            self._live[frame.response_id] = Live(answers)
        elif frame.modality == "audio":  # what is written beside the conversation is not said in it
            self._live[frame.response_id] = Live(answers=False)

    def _playback_started(self, frame: PlaybackStarted) -> None:
        live = self._live.get(frame.response_id)
        if live is not None:
            live.audible_at = self._clock()

    def _measured(self, frame: TurnMeasured) -> None:
        live = self._live.get(frame.response_id)
        if live is not None:
            live.measured = frame
            if live.item_id is not None:
                self._change(live.item_id, **measures(frame))

    def _cited(self, frame: Cited) -> None:
        live = self._live.get(frame.response_id)
        if live is not None:
            live.sources = [
                Source(one.document_id, one.passage_id, kept(one.title), one.score)
                for one in frame.passages
            ]

    def _item_started(self, frame: ReplyItemStarted) -> None:
        item, said = frame.item, {"response_id": frame.response_id}
        live = self._live.get(frame.response_id)
        if live is None:
            return
        if isinstance(item, FunctionCall):
            known = self._begin(item.id, "tool", "in_progress")
            self._remember(item.call_id, known)
            self._change(item.id, tool_name=kept(item.name), **said)
            return
        self._begin(item.id, "agent", "in_progress")
        self._change(item.id, **said)
        if live.item_id is None:
            live.item_id = item.id
            if live.measured is not None:
                self._change(item.id, **measures(live.measured))
            if live.sources is not None:
                self._change(item.id, sources=live.sources)

    def _item_done(self, frame: ReplyItemDone) -> None:
        match frame.item:
            case Message() as item:
                self._change(item.id, status=item.status, text=text_of(item))
            case FunctionCall() as item:
                self._change(item.id, status=item.status, tool_arguments=kept(item.arguments))
            case _:
                """Replies hold nothing else."""

    def _call_ended(self, frame: CallEnded) -> None:
        """A tool that the server ran."""
        status = "incomplete" if frame.call.failed else "completed"
        self._change(frame.call.id, status=status, tool_output=kept(frame.call.output or ""))

    def _item_truncated(self, frame: ItemTruncated) -> None:
        self._truncated.add(frame.item_id)  # the history has its words in a moment

    def _item_deleted(self, frame: ItemDeleted) -> None:
        """It was said all the same; it is the LLM that forgets it."""
        self._change(frame.item_id, status="deleted")

    def _response_ended(self, frame: ResponseEnded) -> None:
        live = self._live.pop(frame.response_id, None)
        if frame.status == "failed":
            self._count_error(frame.reason or "failed")
        if frame.reason != "turn_detected":
            return
        self._count("interruptions")
        if live is not None and live.answers:
            since = self._clock() if live.audible_at is None else live.audible_at
            heard_ms = min(frame.usage.audio_ms, (self._clock() - since) * 1000)
            if heard_ms < UNFINISHED_MS:
                self._count("cut_turns")

    def _failure(self, frame: Failure) -> None:
        self._count_error(frame.code)

    _SEES: ClassVar[dict[type[Frame], Callable[["Recorder", Any], None]]] = {
        SpeechStarted: _speech_started,
        InputCommitted: _committed,
        ItemAdded: _item_added,
        CallerTranscript: _transcribed,
        CallerTranscriptFailed: _not_transcribed,
        ResponseStarted: _response_started,
        PlaybackStarted: _playback_started,
        TurnMeasured: _measured,
        Cited: _cited,
        ReplyItemStarted: _item_started,
        ReplyItemDone: _item_done,
        CallEnded: _call_ended,
        ItemTruncated: _item_truncated,
        ItemDeleted: _item_deleted,
        ResponseEnded: _response_ended,
        Failure: _failure,
    }

    # ---- what no frame tells -----------------------------------------------------------------

    def _look(self) -> None:
        """Look at what has come to be since the last time."""
        history = self._session.history
        for item_id in list(self._wordless):
            text = text_of(history[item_id]) if item_id in history else None
            if text is not None or item_id not in self._known:
                self._wordless.discard(item_id)
                self._change(item_id, text=text)
        for item_id in self._truncated:
            if item_id in history:
                self._change(item_id, status="incomplete", text=text_of(history[item_id]))
        self._truncated.clear()
        heard = self._session.heard
        if heard is not None and heard != self._heard:
            item_id, text = self._heard = heard
            known = self._known.get(item_id)
            if known is not None and known.status == "in_progress":
                self._change(item_id, text=kept(text))
        if self._session.settings.record and not self._record.recorded:
            self._record = replace(self._record, recorded=True)
        false_pauses = self._session.false_pauses
        if false_pauses != self._record.false_pauses:
            self._record = replace(self._record, false_pauses=false_pauses)

    # ---- how it is noted ---------------------------------------------------------------------

    def _now_ms(self) -> int:
        return int((self._clock() - self._began) * 1000)

    def _begin(self, item_id: str, kind: str, status: str, at_ms: int | None = None) -> Known:
        at_ms = self._now_ms() if at_ms is None else at_ms
        known = Known(next(self._numbers), kind, at_ms, status)
        self._remember(item_id, known)
        self._change(item_id)
        return known

    def _remember(self, ident: str, known: Known) -> None:
        self._known[ident] = known
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _change(self, item_id: str, status: str | None = None, **news: Any) -> None:
        known = self._known.get(item_id)
        if known is None:
            return
        known.status = status or known.status
        turn = self._new.get(known.number)
        if turn is None:
            turn = Turn(self._record.id, known.number, known.at_ms, known.kind, known.status)
        self._new[known.number] = replace(turn, status=known.status, **news)

    def _count(self, what: str) -> None:
        self._record = replace(self._record, **{what: getattr(self._record, what) + 1})

    def _count_error(self, code: str) -> None:
        errors, code = self._record.errors, kept(code)
        if code not in errors and len(errors) >= CODES:
            code = "other"
        self._record = replace(self._record, errors={**errors, code: errors.get(code, 0) + 1})


def measures(measured: TurnMeasured) -> dict[str, Any]:
    """What a turn has of its response's stages: a latency only if it is from the caller's voice."""
    latency = measured.stages.get("first_audio") if measured.prepared else None
    return {"stages": measured.stages, "first_audio_ms": latency}


def text_of(item: Item) -> str | None:
    """What it says; None if not all of it is known."""
    if not isinstance(item, Message) or any(part.text is None for part in item.parts):
        return None
    return kept(" ".join(part.text or "" for part in item.parts))


def kept(text: str) -> str:
    """As much of it as is kept, in characters that a database can hold."""
    cut = text[:LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return cut if cut.isascii() else cut.encode(errors="replace").decode()


def begun_at(seconds: float) -> datetime:
    """This moment, in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
