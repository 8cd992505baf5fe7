"""A session in the realtime protocol: events to the session, its frames to who is told of it."""

import secrets
from collections.abc import Callable, Collection, Iterator

import msgspec

from engine import frames
from engine.frames import Frame
from engine.inference import BAD_PAYLOAD
from engine.session import EndReason, RequestError, Session
from engine.settings import SessionSettings
from transports.audio import CallerAudio, Format
from transports.realtime import conversation_events as conversation
from transports.realtime import errors, own_events
from transports.realtime import input_audio_events as caller
from transports.realtime import response_events as responses
from transports.realtime import session_events as sessions
from transports.realtime.announcements import ANNOUNCEMENTS, PLAYBACK, TRANSCRIPTS
from transports.realtime.audience import Audience, Outlet
from transports.realtime.caller_pcm import pcm_of
from transports.realtime.client_events import AnyClientEvent, decode
from transports.realtime.items import Recording, item_of, wire_item
from transports.realtime.overrides import ALL, Override, check_item, check_response, permitted
from transports.realtime.reply import Replies
from transports.realtime.response_object import request_of
from transports.realtime.session_object import RealtimeSession, SessionObject, identified, noting
from transports.realtime.session_settings import format_of, settings_of
from transports.realtime.speaker import Events, Speaker
from transports.realtime.update import updated
from transports.realtime.wire import JsonObject

ORDINARY, VIOLATION, INTERNAL_ERROR = 1000, 1008, 1011
"""WebSocket close codes (RFC 6455, 7.4.1) for the end of a session."""

CLOSED_WITH: dict[str, int] = {
    EndReason.FAILED: INTERNAL_ERROR,
    EndReason.REVOKED: VIOLATION,
}

ERRORS: dict[str, str] = {
    EndReason.TOO_LONG: "session_expired",
    EndReason.REVOKED: "key_revoked",
    EndReason.SPENT: "insufficient_quota",
}
"""Ends of which a stock client is told by an `error` event, and its code."""


def no_limits() -> tuple[sessions.RateLimit, ...]:
    """The rate limits of a server that sets none."""
    return ()


class Realtime:
    """A session's transport in the realtime protocol.

    It outlives its client's `outlet`: one that comes back finds its settings as it left them.
    Others may listen and ask beside it (`join`). Raises `RequestError` if `wanted`, the session
    object to begin with, cannot be had.
    A client may change what is `allowed`, but for the variables that are `fixed`; a sideband
    everything.
    With a `speaker` the agent is heard there, and the output_audio_buffer events tell of it;
    without one its speech is in events.
    """

    def __init__(
        self,
        outlet: Outlet,
        wanted: SessionObject,
        *,
        allowed: Collection[Override] = ALL,
        fixed: Collection[str] = (),
        speaker: Speaker | None = None,
        rate_limits: Callable[[], tuple[sessions.RateLimit, ...]] = no_limits,
    ) -> None:
        self.settings: SessionSettings = settings_of(wanted)
        self.ended = False
        self._audience = Audience(outlet)
        self._object = wanted
        self._allowed = allowed
        self._fixed = fixed
        self._awaiting: Outlet | None = None
        self._rate_limits = rate_limits
        self._conversation_id = f"conv_{secrets.token_hex(10)}"
        self._replies = Replies(self._audience.tell, self._audience.tell_client)
        self._caller = CallerAudio(format_of(wanted.audio.input.format))
        self._overflowing = False
        self._output_format = _output_format(wanted)
        self._use_speaker(speaker)

    # ---- the life of the connection -------------------------------------------------------

    def open(self, session: Session, resume_token: str | None) -> None:
        """Greet the client and start the session; `resume_token` lets the client come back."""
        self._session = session
        self._object = identified(self._object, session.id, resume_token)
        self._audience.answer(None, sessions.SessionCreated(session=self._object))
        session.start()

    def reopen(self, outlet: Outlet, speaker: Speaker | None = None) -> None:
        """The client came back over `outlet`, and hears the agent from this `speaker`: tell it the
        history, before the session goes on.
        """
        self._audience.move(outlet)
        self._use_speaker(speaker)
        self._audience.answer(outlet, sessions.SessionCreated(session=self._object))
        previous: str | None = None
        for item in self._session.history:
            for event in conversation.told(wire_item(item), previous, done=True):
                self._audience.answer(outlet, event)
            previous = item.id

    def leave(self, outlet: Outlet) -> bool:
        """The client at `outlet` is gone. False if it had already come back at another."""
        return self._audience.leave(outlet)

    def join(self, sideband: Outlet) -> None:
        """Let another listen from now on, and ask. Raises `RequestError` if there are too many."""
        self._audience.join(sideband)
        self._audience.answer(sideband, sessions.SessionCreated(session=self._shown(self._object)))

    def part(self, sideband: Outlet) -> None:
        """A sideband is gone; the session goes on."""
        self._audience.part(sideband)

    def _shown(self, session: SessionObject) -> SessionObject:
        """To a sideband: without the secret that would let it take the client's place."""
        return identified(session, self._session.id, None)

    # ---- from the client, or a sideband ---------------------------------------------------

    def receive(self, message: str | bytes, asker: Outlet | None = None) -> None:
        """Take one message. Whatever is wrong with it, the asker gets an `error` event.

        The asker is a sideband; None: the client, wherever it is by then.
        """
        for _ in self.steps(message, asker):
            pass

    def steps(self, message: str | bytes, asker: Outlet | None = None) -> Iterator[None]:
        """As `receive`, in steps of a millisecond or less."""
        if self.ended:
            return
        try:
            event = decode(message)
        except errors.BadEvent as error:
            self._audience.answer(asker, errors.bad_event(error))
            return
        yield
        try:
            yield from self._ask(event, asker)
        except RequestError as error:
            self._audience.answer(asker, errors.refused(error, event.event_id))
        except RecursionError:
            message = "the event is nested too deeply: at most a few hundred levels are accepted"
            error_event = errors.invalid("invalid_value", message, None, event.event_id)
            self._audience.answer(asker, error_event)

    def hear(self, pcm: bytes, outlet: Outlet) -> None:
        """Take what the caller says beside the events, if it is the client at `outlet`: mono 16-bit
        PCM at `CALLER_HZ`. Where the session takes no more of it the client is told, once.
        """
        if self.ended or not self._audience.has(outlet):
            return
        try:
            self._session.hear(pcm)
            self._overflowing = False
        except RequestError as error:
            if not self._overflowing:
                self._audience.answer(None, errors.refused(error, None))
            self._overflowing = True

    def _ask(self, event: AnyClientEvent, asker: Outlet | None) -> Iterator[None]:
        session = self._session
        match event:
            case caller.Append():
                self._check_client()
                for pcm in pcm_of(event.audio, self._caller, "audio"):
                    session.hear(pcm)
                    yield
            case caller.Commit():
                self._check_client()
                session.commit()
            case caller.Clear():
                session.clear()
            case sessions.SessionUpdate():
                self._update(event, asker)
            case responses.ResponseCreate():
                self._respond(event, asker)
            case responses.ResponseCancel():
                session.cancel(event.response_id)
            case responses.OutputClear():
                session.clear_playback()
            case conversation.ItemCreate():
                yield from self._create_item(event, asker)
            case conversation.ItemRetrieve():
                shown = wire_item(session.item(event.item_id))
                self._audience.answer(asker, conversation.Retrieved(item=shown))
            case conversation.ItemDelete():
                session.delete(event.item_id)
            case conversation.ItemTruncate():
                session.truncate(event.item_id, event.audio_end_ms)
            case own_events.Ping():
                self._audience.answer(asker, own_events.Pong())

    def _respond(self, event: responses.ResponseCreate, asker: Outlet | None) -> None:
        request = request_of(event.response, self._object, self._session.item, event.event_id)
        check_response(request, self._allowed_to(asker))
        if (request.modality or self.settings.modality) == "audio":
            self._check_client()
        self._session.respond(request)
        if request.in_conversation:
            self._awaiting = asker

    def _allowed_to(self, asker: Outlet | None) -> Collection[Override]:
        return self._allowed if asker is None else ALL

    def _check_client(self) -> None:
        """A sideband may not have the agent speak, or hear, while the client is away."""
        if self._audience.client_away:
            raise RequestError(
                "client_away",
                "the session's client is away, and would not hear the answer: wait for it to "
                "return, or ask for a response whose output_modalities are ['text']",
            )

    def _create_item(self, event: conversation.ItemCreate, asker: Outlet | None) -> Iterator[None]:
        item = item_of(event.item, "item")
        check_item(item, self._allowed_to(asker), self._session.history)
        if isinstance(item, Recording):
            pcm = bytearray()
            stream = CallerAudio(self._caller.format)
            for piece in pcm_of(item.audio, stream, "item.content[0].audio"):
                pcm += piece
                yield
            self._session.add_audio(item.id, item.role, bytes(pcm), event.previous_item_id)
        else:
            self._session.add(item, event.previous_item_id)

    def _update(self, event: sessions.SessionUpdate, asker: Outlet | None) -> None:
        fixed = self._fixed if asker is None else ()
        update, refused = permitted(event.session, self._allowed_to(asker), self._object, fixed)
        changed, settings = updated(self._object, update)
        changed = noting(changed, refused)
        self._check_format(changed)
        self._session.configure(settings)
        self.settings = settings
        self._object = changed
        heard = format_of(changed.audio.input.format)
        if heard is not self._caller.format:
            self._caller = CallerAudio(heard)
        self._use_output_format()
        told = sessions.SessionUpdated(session=changed)
        for_sidebands = msgspec.structs.replace(told, session=self._shown(changed))
        self._audience.tell(told, for_sidebands)
        if not self._audience.client_away:
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
        self._use_speaker(self._replies.speaker)

    def _use_speaker(self, speaker: Speaker | None) -> None:
        self._replies.speaker = speaker
        self._heard_at = speaker or Events(self._output_format.rate_hz)

    @property
    def lead_ms(self) -> int:
        return self._heard_at.lead_ms

    @property
    def frame_ms(self) -> int:
        return self._heard_at.frame_ms

    @property
    def rate_hz(self) -> int:
        return self._heard_at.rate_hz

    @property
    def delay_ms(self) -> int:
        return self._heard_at.delay_ms

    # ---- to the client, and the sidebands -------------------------------------------------

    def send(self, frame: Frame) -> None:
        """Tell everybody what the session says."""
        if isinstance(frame, frames.ReplyAudio):
            self._replies.audio(frame, self._output_format)
        elif (announce := ANNOUNCEMENTS.get(type(frame))) is not None:
            self._audience.tell(announce(frame))
        elif (transcribe := TRANSCRIPTS.get(type(frame))) is not None:
            if self.settings.transcribe:
                self._audience.tell(transcribe(frame))
        elif (playback := PLAYBACK.get(type(frame))) is not None:
            if self._replies.speaker is not None:
                self._audience.tell(playback(frame))
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
            case frames.CallEnded():
                self._replies.call_ended(frame)
            case frames.ResponseStarted():
                self._replies.started(frame, self._object, self._conversation_id)
            case frames.ResponseEnded():
                if self._replies.ended(frame):
                    self._audience.tell(sessions.RateLimitsUpdated(rate_limits=self._rate_limits()))
            case frames.ItemAdded():
                if not self._replies.owns(frame.item.id):
                    self._item(wire_item(frame.item), frame.previous_item_id, frame.done)
            case frames.Failure():
                self._fail(frame)
            case frames.SessionEnded():
                self._end(frame)
            case _:
                raise TypeError(f"{type(frame).__name__} is no frame that a transport is sent")

    def _item(self, shown: JsonObject, previous_item_id: str | None, done: bool) -> None:
        for event in conversation.told(shown, previous_item_id, done=done):
            self._audience.tell(event)

    def _fail(self, frame: frames.Failure) -> None:
        """A `response.create` that had to wait may be refused: tell who sent it. The rest, all."""
        if frame.kind == "invalid_request_error" and frame.code != BAD_PAYLOAD:
            self._audience.answer(self._awaiting, errors.failure(frame))
        else:
            self._audience.tell(errors.failure(frame))

    def _end(self, frame: frames.SessionEnded) -> None:
        code = ERRORS.get(frame.reason)
        if code is not None:
            self._audience.tell(errors.invalid(code, frame.message, None, None))
        self._audience.tell(own_events.SessionEnded(reason=frame.reason, message=frame.message))
        self.ended = True
        self._audience.close(CLOSED_WITH.get(frame.reason, ORDINARY), frame.reason)


def _output_format(session: SessionObject) -> Format:
    if isinstance(session, RealtimeSession):
        return format_of(session.audio.output.format)
    return Format.PCM
