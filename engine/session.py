"""A session: one conversation, from its first sample to the reason for its end."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable

from msgspec.structs import replace

from engine.caller_audio import BufferFull, CallerAudio
from engine.end_reason import REASONS, EndReason
from engine.errors import RequestError
from engine.frames import (
    CALLER_HZ,
    Audio,
    Frame,
    InputCleared,
    ItemAdded,
    ItemDeleted,
    ReplyAudio,
    SessionEnded,
)
from engine.history import History, UnknownItem
from engine.items import Item, Message, Part
from engine.meter import Meter
from engine.outlet import Outlet
from engine.pipeline import Pipeline
from engine.recall import Knowledge, Recall
from engine.services import Services
from engine.settings import ResponseRequest, SessionSettings
from engine.side import Side
from engine.tap import Tap
from engine.template import TooLong, UnknownVariable, fill
from engine.tools import NoTools, Toolbox, ToolCalls
from engine.transport import Transport
from engine.turns import Turns

__all__ = ["EndReason", "RequestError", "Session", "Transport"]

LAST_WORDS_MS = 20_000
"""How long a drained session may go on with what it is saying."""

MOST_SIDES = 4
"""Out-of-band responses that a session may have at once."""


NO_TOOLS = NoTools()


def nobody(frame: Frame) -> None:
    """Observes nothing."""


class Session:
    """One conversation. All methods return at once and must be called from the event loop.

    What a client does wrong raises `RequestError`; what goes wrong later arrives at the transport
    as a `ResponseEnded` with status `failed`, or ends the session. `ended` is called once, at the
    end, with the reason. `observe` sees every outward frame, whether or not a client is there; the
    `tap` hears both sides while the settings say that the session is recorded. The server runs the
    tools of the `toolbox`; what is asked is looked up in the `knowledge`.
    """

    def __init__(
        self,
        settings: SessionSettings,
        services: Services,
        transport: Transport,
        ended: Callable[["Session", EndReason], None],
        observe: Callable[[Frame], None] = nobody,
        ident: str | None = None,
        toolbox: Toolbox = NO_TOOLS,
        knowledge: Knowledge | None = None,
    ) -> None:
        self.id = ident or f"sess_{secrets.token_urlsafe(24)}"
        self.settings = settings
        self.history = History()
        self.end_reason: EndReason | None = None
        self.failure: BaseException | None = None
        self.meter = Meter()
        self.tap: Tap | None = None
        self._services = services
        self._transport: Transport | None = transport
        self._ended = ended
        self._observe = observe
        self._numbers = itertools.count(-1, -1)  # the floor's generations count upwards
        self._sides: dict[str, Side] = {}
        self._limit: asyncio.TimerHandle | None = None
        self._draining: EndReason | None = None
        self._has_spoken = False
        self._began: float | None = None
        self._greeted = False
        check_variables(settings)
        self._audio = CallerAudio()
        ear = services.ear(self._audio, settings, self.meter.watch)
        self._turns = Turns(
            settings,
            self.history,
            self._audio,
            ear,
            self._send,
            self._fail,
            self._response_ended,
            toolbox.specs,
        )
        self._variables: dict[str, str] = {}
        self._tools = ToolCalls(
            toolbox,
            self.history,
            self._turns,
            self._send,
            lambda: self.drain(EndReason.AGENT),
            self._set_variables,
            self._fail,
        )
        self._outlet = Outlet(
            services.clock, transport, self.history, self._turns, self._send, self._fail
        )
        self._turns.outlet = self._outlet
        answering = services.voice(
            self.meter.watch_answers(lambda: self._outlet.generation),
            services.mind,
            services.tongue,
        )
        recall = [] if knowledge is None else [Recall(knowledge)]
        self._pipeline = Pipeline(
            [self._audio, *ear.actors, self._turns, *recall, *answering, self._outlet], self._fail
        )
        self._turns.pipeline = self._pipeline

    @property
    def false_pauses(self) -> int:
        """How often the agent paused for what was no interruption."""
        return self._turns.state.false_pauses

    @property
    def heard(self) -> tuple[str, str] | None:
        """The item that the agent is saying, or was at the end, and what was heard of it so far."""
        return self._outlet.heard

    # ---- its life ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: the greeting is said, timers run."""
        self._pipeline.start()
        self._began = asyncio.get_running_loop().time()
        self._limit_duration()
        self.greet()
        if self.settings.instructions or self.settings.tools:
            self._turns.prepare()

    def attach(self, transport: Transport) -> None:
        """Give the session a (new) transport; a returning client goes on with its history."""
        self._transport = transport
        self._outlet.attach(transport)
        self._turns.welcome()
        self._tools.settle()

    def detach(self) -> None:
        """The client is gone. Playout stops, the history is kept until `attach` or `stop`.

        The transport is still told what happens: others may follow the session through it.
        """
        if self.end_reason is None:
            self._turns.leave()
            for side in list(self._sides.values()):
                side.cancel()

    def drain(self, reason: EndReason) -> None:
        """Finish what is being said, then end. What takes too long is cut."""
        if self.end_reason is not None or self._draining is not None:
            return
        if not self._turns.responding and not self._sides:
            self.stop(reason)
            return
        self._draining = reason
        if self._limit is not None:
            self._limit.cancel()
        self._limit = asyncio.get_running_loop().call_later(LAST_WORDS_MS / 1000, self.stop, reason)

    def stop(self, reason: EndReason, message: str = "") -> None:
        """End now. Idempotent."""
        if self.end_reason is not None:
            return
        self.end_reason = reason
        if self._limit is not None:
            self._limit.cancel()
        self._pipeline.close()
        self._tools.close()
        for side in self._sides.values():
            side.close()
        self._sides.clear()
        transport, self._transport = self._transport, None
        try:
            if transport is not None:
                transport.send(SessionEnded(reason, message or REASONS[reason]))
        finally:
            self._ended(self, reason)

    # ---- what a client asks for --------------------------------------------------------------

    def configure(self, settings: SessionSettings) -> None:
        """Use new settings from now on. The voice cannot change once the agent has spoken.

        Variables that tools have set stay as they are.
        """
        if self._variables:
            settings = replace(settings, variables=settings.variables | self._variables)
        if settings.voice != self.settings.voice and self._has_spoken:
            raise RequestError(
                "cannot_update_voice",
                f"the agent has spoken as {self.settings.voice!r}: its voice cannot change now",
                "session.audio.output.voice",
            )
        check_variables(settings)
        limited = settings.longest_ms != self.settings.longest_ms
        was, self.settings = self.settings, settings
        self._turns.configure(settings)
        if (settings.instructions, settings.tools) != (was.instructions, was.tools):
            self._turns.prepare()
        if self._began is not None and limited:
            self._limit_duration()

    def hear(self, pcm: bytes) -> None:
        """Take the caller's audio: mono 16-bit PCM at 16 kHz, any length."""
        if self.end_reason is not None or self._draining is not None:
            return
        try:
            self._pipeline.receive(Audio(pcm, self._audio.end))
            self.meter.hear(len(pcm) / 2 / CALLER_HZ * 1000)
            if self.settings.record and self.tap is not None:
                self.tap.heard(pcm)
        except BufferFull as error:
            raise RequestError("input_audio_buffer_full", str(error), "audio") from None
        except Exception as error:  # noqa: BLE001 - this session fails, no other
            self._fail(error)

    def commit(self) -> None:
        """End the caller's turn here (push-to-talk). Refused when less than 100 ms is buffered."""
        self._turns.commit()

    def clear(self) -> None:
        """Throw the caller's uncommitted audio away."""
        self._turns.clear()
        self._send(InputCleared())

    def respond(self, request: ResponseRequest) -> None:
        """Ask for a response. Refused while another one in the conversation is active."""
        if self._draining is not None:
            raise RequestError("session_ending", "the session is ending: no response can begin")
        if self.settings.kind == "transcription":
            raise RequestError(
                "invalid_value", "a transcription session only listens: it has no responses", "type"
            )
        self._check_input(request)
        if request.in_conversation:
            self._turns.respond(request)
        else:
            self._begin_side(request)

    def cancel(self, response_id: str | None = None) -> None:
        """Cancel the active response, or the named one. Refused if there is none."""
        if response_id is None or response_id == self._turns.response_id:
            self._tools.hush()
            self._turns.cancel()
        elif response_id in self._sides:
            self._sides[response_id].cancel()
        else:
            raise RequestError(
                "response_cancel_not_active",
                f"response {response_id!r} is not in progress",
                "response_id",
            )

    def clear_playback(self) -> None:
        """Drop buffered agent audio; the response's history is cut to what was heard."""
        if self._turns.responding:
            self._tools.hush()
            self._turns.cancel()

    def add(self, item: Item, previous_item_id: str | None = None) -> None:
        """Put an item into the history: at the end, after `previous_item_id`, or at `root`."""
        try:
            previous = self.history.add(item, previous_item_id)
        except UnknownItem:
            raise _unknown(previous_item_id, "previous_item_id") from None
        except ValueError as error:
            raise RequestError("item_already_exists", str(error), "item.id") from None
        self._send(ItemAdded(item, previous, True))

    def add_audio(self, item_id: str, role: str, pcm: bytes, previous_item_id: str | None) -> None:
        """Put a recorded user message into the history; its transcript follows. PCM at 16 kHz."""
        if role != "user":
            raise RequestError(
                "invalid_value",
                f"a message with role {role!r} cannot hold input_audio: only a user's can",
                "item.role",
            )
        self._turns.recordings.check_room()
        self.add(Message(item_id, "user", (Part("audio", None),)), previous_item_id)
        self._turns.recordings.add(item_id, pcm)

    def delete(self, item_id: str) -> None:
        """Take an item out of the history."""
        self.item(item_id)
        self.history.delete(item_id)
        self._send(ItemDeleted(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an assistant item to the smaller of `audio_end_ms` and what was heard."""
        item = self.item(item_id)
        if not isinstance(item, Message) or item.role != "assistant":
            raise RequestError(
                "invalid_value", f"item {item_id!r} is no message of the assistant", "item_id"
            )
        if item.status == "in_progress" and self._turns.responding:
            self._turns.cancel()
            item = self.item(item_id)
        assert isinstance(item, Message)
        cut = self._outlet.truncate(item, audio_end_ms)
        if cut is None:
            raise RequestError(
                "invalid_value", f"item {item_id!r} has no audio that could be cut", "item_id"
            )
        self.history.put(cut)

    def item(self, item_id: str) -> Item:
        """The item, as the history has it."""
        try:
            return self.history[item_id]
        except UnknownItem:
            raise _unknown(item_id, "item_id") from None

    # ---- inside ------------------------------------------------------------------------------

    def greet(self) -> None:
        """Say the greeting, once, as long as nobody has said anything."""
        greeting = self.settings.greeting
        if greeting is None or self._began is None or self._greeted:
            return
        if len(self.history) or self._turns.responding:
            return
        self._greeted = True
        self._turns.say(fill(greeting.text, self.settings.variables), greeting.interruptible)

    def _limit_duration(self) -> None:
        """See to it that the session ends in time; a drained one ends as it was told."""
        if self._draining is not None or self._began is None:
            return
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if self.settings.longest_ms is not None:
            self._limit = asyncio.get_running_loop().call_at(
                self._began + self.settings.longest_ms / 1000, self.drain, EndReason.TOO_LONG
            )

    def _begin_side(self, request: ResponseRequest) -> None:
        if len(self._sides) >= MOST_SIDES:
            raise RequestError(
                "too_many_responses",
                f"{MOST_SIDES} out-of-band responses are in progress: wait for one to end",
            )
        if self._transport is None:
            return
        side = Side(
            next(self._numbers),
            request,
            self.settings,
            self.history,
            self._services,
            self.meter,
            self._transport,
            self._send,
            self._fail,
            self._side_ended,
        )
        self._sides[side.response_id] = side
        side.start()

    def _side_ended(self, side: Side) -> None:
        self._sides.pop(side.response_id, None)
        self._response_ended()

    def _response_ended(self) -> None:
        if self._draining is None:
            self._tools.settle()
        elif not self._turns.responding and not self._sides:
            asyncio.get_running_loop().call_soon(self.stop, self._draining)

    def _check_input(self, request: ResponseRequest) -> None:
        if request.instructions is not None:
            _filled(request.instructions, self.settings, "response.instructions")

    def _send(self, frame: Frame) -> None:
        self._observe(frame)
        if isinstance(frame, ReplyAudio):
            self._has_spoken = True
            self._turns.own_sound.sent(frame.pcm, frame.rate_hz)
            self.meter.say(len(frame.pcm) / 2 / frame.rate_hz * 1000)
            if self.settings.record and self.tap is not None:
                self.tap.said(frame.pcm, frame.rate_hz)
        if self._transport is not None:
            self._transport.send(frame)
        self._tools.saw(frame)

    def _set_variables(self, values: dict[str, str]) -> None:
        self._variables |= values
        self.configure(self.settings)

    def _fail(self, error: BaseException) -> None:
        """Something in this session broke: it ends, and no other notices."""
        self.failure = error
        with contextlib.suppress(Exception):  # its transport is what broke: nobody is left to tell
            self.stop(EndReason.FAILED, f"the session failed: {type(error).__name__}")


def check_variables(settings: SessionSettings) -> None:
    """Refuse texts that name a variable which was not given."""
    _filled(settings.instructions, settings, "session.instructions")
    if settings.greeting is not None:
        _filled(settings.greeting.text, settings, "session.voiceforge.greeting.text")


def _filled(text: str, settings: SessionSettings, param: str) -> None:
    try:
        fill(text, settings.variables)
    except UnknownVariable as error:
        known = ", ".join(sorted(settings.variables)) or "none"
        raise RequestError(
            "unknown_variable",
            f"the text names the variable {error.args[0]!r}; the session has: {known}",
            param,
        ) from None
    except TooLong as error:
        raise RequestError("string_above_max_length", f"'{param}': {error}", param) from None


def _unknown(item_id: str | None, param: str) -> RequestError:
    return RequestError("item_not_found", f"no item {item_id!r} is in the conversation", param)
