"""One client of the realtime protocol: its events to the session, the session's frames to it."""

import secrets
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from engine import frames
from engine.frames import Frame
from engine.session import EndReason, RequestError, Session
from engine.settings import SessionSettings
from transports.audio import AudioError, CallerAudio, Format
from transports.realtime import conversation_events as conversation
from transports.realtime import errors, own_events
from transports.realtime import input_audio_events as caller
from transports.realtime import response_events as responses
from transports.realtime import session_events as sessions
from transports.realtime.announcements import ANNOUNCEMENTS, PLAYBACK, TRANSCRIPTS
from transports.realtime.client_events import AnyClientEvent, decode
from transports.realtime.items import Recording, item_of, wire_item
from transports.realtime.reply import Replies
from transports.realtime.response_object import request_of
from transports.realtime.session_object import RealtimeSession, SessionObject, identified, merge
from transports.realtime.session_settings import format_of, settings_of
from transports.realtime.wire import LARGEST_AUDIO, JsonObject, ServerEvent

LEAD_MS = 80
"""A client that plays what it gets cannot be made to give audio back, so little is sent ahead."""

FRAME_MS = 40  # of agent speech in an event: 25 events a second, each 2.6 kB as 24 kHz PCM

ORDINARY, INTERNAL_ERROR = 1000, 1011
"""WebSocket close codes (RFC 6455, 7.4.1) for the end of a session."""

MOVED = 4001  # private range of RFC 6455: the session goes on at another connection

LARGEST_SESSION = 1024 * 1024
"""Bytes of the session object as JSON: it is shown whole after each change."""

STEP_BYTES = 19_200
"""Of audio converted at a time, 0.4 s at 24 kHz: others must not wait for a long recording."""

_encoder = msgspec.json.Encoder()


class Outlet(Protocol):
    """The way to the client; both calls return at once."""

    def put(self, text: str) -> None:
        """Send one event."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Send what was put, then close. What is put afterwards is dropped."""
        ...


class _Nowhere:
    """The outlet of a client that is away: nothing is kept, the history tells it all later."""

    def put(self, text: str) -> None:
        return

    def close(self, code: int, reason: str) -> None:
        return


def no_limits() -> tuple[sessions.RateLimit, ...]:
    """The rate limits of a server that sets none."""
    return ()


class Realtime:
    """A session's transport in the realtime protocol.

    It outlives its outlet: a client that comes back finds its settings as it left them. Raises
    `RequestError` if `wanted`, the session object to begin with, cannot be had.
    `announces_playback` adds the output_audio_buffer events, which belong to WebRTC.
    """

    lead_ms = LEAD_MS
    frame_ms = FRAME_MS

    def __init__(
        self,
        outlet: Outlet,
        wanted: SessionObject,
        *,
        announces_playback: bool = False,
        rate_limits: Callable[[], tuple[sessions.RateLimit, ...]] = no_limits,
    ) -> None:
        self.settings: SessionSettings = settings_of(wanted)
        self.ended = False
        self._outlet = outlet
        self._object = wanted
        self._announces_playback = announces_playback
        self._rate_limits = rate_limits
        self._conversation_id = f"conv_{secrets.token_hex(10)}"
        self._replies = Replies(self._emit, self._put)
        self._caller = CallerAudio(format_of(wanted.audio.input.format))
        self._use_output_format()

    # ---- the life of the connection -------------------------------------------------------

    def open(self, session: Session, resume_token: str | None) -> None:
        """Greet the client and start the session; `resume_token` lets the client come back."""
        self._session = session
        self._object = identified(self._object, session.id, resume_token)
        self._emit(sessions.SessionCreated(session=self._object))
        session.start()

    def reopen(self, outlet: Outlet) -> None:
        """The client came back over `outlet`: tell it the history, before the session goes on."""
        self._outlet.close(MOVED, "the session goes on at another connection")
        self._outlet = outlet
        self._replies = Replies(self._emit, self._put)  # what was under way ended unseen
        self._emit(sessions.SessionCreated(session=self._object))
        previous: str | None = None
        for item in self._session.history:
            self._item(wire_item(item), previous, done=True)
            previous = item.id

    def leave(self, outlet: Outlet) -> bool:
        """The client at `outlet` is gone. False if it had already come back at another."""
        if self._outlet is not outlet:
            return False
        self._outlet = _Nowhere()
        return True

    # ---- from the client ------------------------------------------------------------------

    def receive(self, message: str | bytes) -> None:
        """Take one message. Whatever is wrong with it, the client gets an `error` event."""
        for _ in self.steps(message):
            pass

    def steps(self, message: str | bytes) -> Iterator[None]:
        """As `receive`, in steps of a millisecond or less."""
        if self.ended:
            return
        try:
            event = decode(message)
        except errors.BadEvent as error:
            self._emit(errors.bad_event(error))
            return
        yield
        try:
            yield from self._ask(event)
        except RequestError as error:
            self._emit(errors.refused(error, event.event_id))
        except RecursionError:
            message = "the event is nested too deeply: at most a few hundred levels are accepted"
            self._emit(errors.invalid("invalid_value", message, None, event.event_id))

    def _ask(self, event: AnyClientEvent) -> Iterator[None]:
        session = self._session
        match event:
            case caller.Append():
                for pcm in self._pcm(event.audio, self._caller, "audio"):
                    session.hear(pcm)
                    yield
            case caller.Commit():
                session.commit()
            case caller.Clear():
                session.clear()
            case sessions.SessionUpdate():
                self._update(event)
            case responses.ResponseCreate():
                session.respond(
                    request_of(event.response, self._object, session.item, event.event_id)
                )
            case responses.ResponseCancel():
                session.cancel(event.response_id)
            case responses.OutputClear():
                session.clear_playback()
            case conversation.ItemCreate():
                yield from self._create_item(event)
            case conversation.ItemRetrieve():
                shown = wire_item(session.item(event.item_id))
                self._emit(conversation.Retrieved(item=shown))
            case conversation.ItemDelete():
                session.delete(event.item_id)
            case conversation.ItemTruncate():
                session.truncate(event.item_id, event.audio_end_ms)

    def _pcm(self, audio: bytes, stream: CallerAudio, param: str) -> Iterator[bytes]:
        if len(audio) > LARGEST_AUDIO:
            raise RequestError(
                "audio_too_large",
                f"'{param}' has {len(audio)} bytes of audio: at most {LARGEST_AUDIO} are accepted "
                "in one event; send it in pieces",
                param,
            )
        try:
            stream.check(audio)
        except AudioError as error:
            raise RequestError("invalid_value", str(error), param) from error
        for start in range(0, len(audio), STEP_BYTES):
            yield stream.feed(audio[start : start + STEP_BYTES])

    def _create_item(self, event: conversation.ItemCreate) -> Iterator[None]:
        item = item_of(event.item, "item")
        if isinstance(item, Recording):
            pcm = bytearray()
            stream = CallerAudio(self._caller.format)
            for piece in self._pcm(item.audio, stream, "item.content[0].audio"):
                pcm += piece
                yield
            self._session.add_audio(item.id, item.role, bytes(pcm), event.previous_item_id)
        else:
            self._session.add(item, event.previous_item_id)

    def _update(self, event: sessions.SessionUpdate) -> None:
        try:
            changed = merge(self._object, event.session)
        except msgspec.ValidationError as error:
            code, message, param = errors.explain(error, event.session, "session")
            raise RequestError(code, message, param) from error
        settings = settings_of(changed)
        _check_size(changed)
        self._check_format(changed)
        self._session.configure(settings)
        self.settings = settings
        self._object = changed
        heard = format_of(changed.audio.input.format)
        if heard is not self._caller.format:
            self._caller = CallerAudio(heard)
        self._use_output_format()
        self._emit(sessions.SessionUpdated(session=changed))
        self._session.greet()

    def _check_format(self, changed: SessionObject) -> None:
        """Speech that is under way was already made for the format that it began with."""
        if self._replies.active and _output_format(changed) is not self._output_format:
            raise RequestError(
                "response_active",
                "the audio format cannot change while a response is under way: cancel it or "
                "wait for response.done",
                "session.audio.output.format",
            )

    def _use_output_format(self) -> None:
        self._output_format = _output_format(self._object)
        self.rate_hz = self._output_format.rate_hz

    # ---- to the client --------------------------------------------------------------------

    def send(self, frame: Frame) -> None:
        """Tell the client what the session says."""
        if isinstance(frame, frames.ReplyAudio):
            self._replies.audio(frame, self._output_format)
        elif (announce := ANNOUNCEMENTS.get(type(frame))) is not None:
            self._emit(announce(frame))
        elif (transcribe := TRANSCRIPTS.get(type(frame))) is not None:
            if self.settings.transcribe:
                self._emit(transcribe(frame))
        elif (playback := PLAYBACK.get(type(frame))) is not None:
            if self._announces_playback:
                self._emit(playback(frame))
        else:
            self._tell(frame)

    def _tell(self, frame: Frame) -> None:
        match frame:
            case frames.ReplyText():
                self._replies.text(frame)
            case frames.ReplyArguments():
                self._replies.arguments(frame)
            case frames.ReplyItemStarted():
                self._replies.item_started(frame)
            case frames.ReplyItemDone():
                self._replies.item_done(frame)
            case frames.ResponseStarted():
                self._replies.started(frame, self._object, self._conversation_id)
            case frames.ResponseEnded():
                if self._replies.ended(frame):
                    self._emit(sessions.RateLimitsUpdated(rate_limits=self._rate_limits()))
            case frames.ItemAdded():
                if not self._replies.owns(frame.item.id):
                    self._item(wire_item(frame.item), frame.previous_item_id, frame.done)
            case frames.SessionEnded():
                self._end(frame)
            case _:
                raise TypeError(f"{type(frame).__name__} is no frame that a transport is sent")

    def _item(self, shown: JsonObject, previous_item_id: str | None, done: bool) -> None:
        self._emit(conversation.Added(previous_item_id=previous_item_id, item=shown))
        if done:
            self._emit(conversation.Done(previous_item_id=previous_item_id, item=shown))

    def _end(self, frame: frames.SessionEnded) -> None:
        if frame.reason == EndReason.TOO_LONG:
            message = frame.message or "the session reached its longest duration"
            self._emit(errors.invalid("session_expired", message, None, None))
        self._emit(own_events.SessionEnded(reason=frame.reason, message=frame.message))
        self.ended = True
        failed = frame.reason == EndReason.FAILED
        self._outlet.close(INTERNAL_ERROR if failed else ORDINARY, frame.reason)

    def _emit(self, event: ServerEvent) -> None:
        self._outlet.put(_encoder.encode(event).decode())

    def _put(self, text: str) -> None:
        self._outlet.put(text)


def _check_size(session: SessionObject) -> None:
    size = len(_encoder.encode(session))
    if size > LARGEST_SESSION:
        raise RequestError(
            "invalid_value",
            f"the session object would have {size} bytes: at most {LARGEST_SESSION} are kept; "
            "shorten the tools or the variables",
            "session",
        )


def _output_format(session: SessionObject) -> Format:
    if isinstance(session, RealtimeSession):
        return format_of(session.audio.output.format)
    return Format.PCM
