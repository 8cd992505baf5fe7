"""The end of a pipeline: where output becomes replies, and replies are paced."""

from collections import deque
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from engine.actor import Actor
from engine.frames import Frame, ItemTruncated, Output
from engine.generation import Generation
from engine.history import History
from engine.items import Message, Part
from engine.ledger import Ledger
from engine.playout import Playout, PlayoutClock
from engine.reply import Events, Reply
from engine.transport import Transport

TRUNCATABLE = 8
"""Replies whose word times are kept, so that the client may still cut them."""


class _Spoken(msgspec.Struct):
    """A reply that was (or is) heard, up to sample `heard`: what the client may still cut."""

    item_id: str
    ledger: Ledger
    heard: int
    rate_hz: int
    truncated: bool = False


class Outlet(Actor):
    """The end of a pipeline: gives each generation's output to its reply, and paces the speech."""

    def __init__(
        self,
        clock: PlayoutClock,
        transport: Transport,
        history: History | None,
        events: Events,
        send: Callable[[Frame], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__()
        self._transport = transport
        self._clock = clock
        self._history = history
        self._events = events
        self._send = send
        self._failed = failed
        self._reply: Reply | None = None
        self._spoken: deque[_Spoken] = deque(maxlen=TRUNCATABLE)
        self._last_heard: tuple[str, str] | None = None

    def attach(self, transport: Transport) -> None:
        """Pace the replies that begin from now on for another transport."""
        self._transport = transport

    @property
    def rate_hz(self) -> int:
        """At which speech is wanted."""
        return self._transport.rate_hz

    @property
    def generation(self) -> Generation | None:
        """The generation whose reply is here."""
        return self._reply.generation if self._reply is not None else None

    @property
    def failed(self) -> bool:
        """Did the reply that is here fail?"""
        return self._reply is not None and self._reply.failed

    @property
    def heard(self) -> tuple[str, str] | None:
        """The item that is being said, or was when this was closed, and what was heard of it."""
        reply = self._reply
        if reply is None or reply.message is None:
            return self._last_heard
        return reply.message.id, reply.heard

    def open(self, generation: Generation) -> None:
        """The output of `generation` will come, instead of any other's."""
        reply = Reply(generation, self._history, self._events, self._send)
        if generation.modality == "audio":
            reply.playout = Playout(
                self._clock,
                rate_hz=self._transport.rate_hz,
                lead_ms=self._transport.lead_ms,
                frame_ms=self._transport.frame_ms,
                delay_ms=lambda: self._transport.delay_ms,
                send=reply.played,
                started=reply.began,
                finished=reply.heard_out,
                failed=self._failed,
            )
        self._keep_ledger()
        self._reply = reply

    def receive(self, frame: Frame) -> None:
        reply = self._reply
        if reply is None or not isinstance(frame, Output):
            return
        if frame.generation == reply.generation.number:
            reply.receive(frame)

    async def room(self) -> None:
        """Wait until little speech is waiting to be sent."""
        if self._reply is not None and self._reply.playout is not None:
            await self._reply.playout.drained()

    def release(self) -> None:
        """The reply is live: it may be heard."""
        if self._reply is not None:
            self._reply.release()

    def hold(self) -> None:
        """Pause the speech at once."""
        if self._reply is not None and self._reply.playout is not None:
            self._reply.playout.hold()

    def resume(self) -> None:
        """Go on from the start of the word that was cut."""
        if self._reply is not None and self._reply.playout is not None:
            self._reply.playout.resume()

    def left_ms(self) -> float | None:
        """How much speech is still to be heard; None if that is not known."""
        if self._reply is None or self._reply.playout is None:
            return None
        return self._reply.playout.left_ms()

    def cut(self, reason: str) -> None:
        """End the reply here; `reason` as in `ResponseEnded`."""
        if self._reply is not None:
            self._reply.cut(reason)
            self._keep_ledger()
            self._reply = None

    def truncate(self, message: Message, audio_end_ms: int) -> Message | None:
        """Cut what a reply was heard of to the smaller of `audio_end_ms` and the ledger's.

        Returns the message as it is then, or None if its word times are no longer known.
        """
        self._keep_ledger()
        for spoken in self._spoken:
            if spoken.item_id == message.id:
                spoken.heard = min(spoken.heard, audio_end_ms * spoken.rate_hz // 1000)
                spoken.truncated = True
                self._send(ItemTruncated(message.id, spoken.heard * 1000 // spoken.rate_hz))
                words = spoken.ledger.heard(spoken.heard)
                return replace(message, parts=(Part("audio", words),), status="incomplete")
        return None

    def close(self) -> None:
        self._last_heard = self.heard
        if self._reply is not None and self._reply.playout is not None:
            self._reply.playout.close()
        self._reply = None

    def _keep_ledger(self) -> None:
        """Remember the word times of the reply that is here."""
        reply = self._reply
        if reply is None or reply.playout is None or reply.message is None:
            return
        playout, item_id = reply.playout, reply.message.id
        heard = playout.heard_samples()
        for spoken in self._spoken:
            if spoken.item_id == item_id:
                spoken.heard = min(spoken.heard, heard) if spoken.truncated else heard
                return
        self._spoken.append(_Spoken(item_id, playout.ledger, heard, playout.rate_hz))
