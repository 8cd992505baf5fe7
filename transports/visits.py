"""How clients come to sessions: to new ones, back to their own, and how they leave them."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.session import EndReason, RequestError, Session, Transport
from engine.settings import SessionSettings
from transports.handshake import POLICY
from transports.outbox import Outbox
from transports.reading import ABNORMAL, NO_CODE, Receive, converse
from transports.realtime import errors
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.audience import text_of
from transports.realtime.connection import Realtime
from transports.realtime.overrides import ALL, Override, permitted
from transports.realtime.session_object import answered_by, noting
from transports.realtime.speaker import Speaker
from transports.realtime.update import first_object, updated
from transports.realtime.wire import JsonObject

log = logging.getLogger(__name__)

LEFT_FOR_GOOD = (1000, NO_CODE)
"""Close codes (RFC 6455, 7.4.1) of a client that said goodbye; any other may come back."""

DEFAULTS = SessionSettings()
"""What a session is before a client says anything. Unlike at OpenAI, turns then end by what was
said and how, not by silence alone: it is what a caller wants, and no client depends on it."""


@dataclass(slots=True, eq=False)
class Lease:
    """A client's hold on a session: with its id and `token` it can come back."""

    session: Session
    token: str
    transport: Transport


class Sessions(Protocol):
    """Who owns the sessions."""

    async def open(self, settings: SessionSettings, transport: Transport) -> Lease:
        """A new session that is not yet started. Raises `Refused`, or `RequestError`."""
        ...

    def waiting(self, session_id: str, token: str) -> Lease | None:
        """The session that a client wants to come back to, which waits for it anew; None unless all
        of it fits.
        """
        ...

    def resume(self, lease: Lease) -> None:
        """The client is back: until it is left again nothing ends the session for its absence."""
        ...

    def attach(self, lease: Lease) -> None:
        """The client that resumed knows the history: give the session its transport again."""
        ...

    def left(self, lease: Lease, *, for_good: bool) -> None:
        """The client is gone: stop the session, or detach it and stop it a minute later."""
        ...

    def find(self, session_id: str) -> Lease | None:
        """An open session, for a sideband, which neither keeps it nor ends it; None if it is not
        here."""
        ...


class Visits:
    """Where the clients of one caller come in.

    A new session begins with the `defaults`, changed as the `presets` say, the protocol's session
    object in full or in part. Its client may change what is `allowed`, but for the variables that
    are `fixed`. `agent` is who answers, by its id.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        defaults: SessionSettings = DEFAULTS,
        presets: Sequence[JsonObject] = (),
        allowed: Collection[Override] = ALL,
        fixed: Collection[str] = (),
        agent: str | None = None,
    ) -> None:
        self.sessions = sessions
        self._defaults = defaults
        self._presets = presets
        self._allowed = allowed
        self._fixed = fixed
        self._agent = agent

    async def begin(
        self,
        query: dict[str, str],
        outbox: Outbox,
        *,
        session: JsonObject | None = None,
        speaker: Speaker | None = None,
    ) -> "Visit":
        """Be the client of a session: of a new one, or of that which `session_id` and `resume` (the
        token of `session.created`'s `voiceforge` block) name. `model` (see `realtime.aliases`),
        `intent=transcription` and `session`, an object as in `session.update`, are for a new one.

        With a `speaker` it is heard there, and not in events. Raises `RequestError`, `Refused`.
        """
        if query.get("session_id"):
            return self._returning(query["session_id"], query.get("resume", ""), outbox, speaker)
        kinds = [preset["type"] for preset in self._presets if "type" in preset]
        asked = (session or {}).get("type", query.get("intent"))
        model = query.get("model") or (session or {}).get("model") or DEFAULT_MODEL
        wanted = first_object(self._defaults, kinds[-1] if kinds else asked, model, self._presets)
        if session is not None:
            update, refused = permitted(session, self._allowed, wanted, self._fixed)
            wanted, _ = updated(wanted, update)
            wanted = noting(wanted, refused)
        wanted = answered_by(self._agent, wanted)
        realtime = Realtime(
            outbox, wanted, allowed=self._allowed, fixed=self._fixed, speaker=speaker
        )
        lease = await self.sessions.open(realtime.settings, realtime)
        return Visit(self.sessions, lease, realtime, outbox, speaker, returning=False)

    def _returning(
        self, session_id: str, token: str, outbox: Outbox, speaker: Speaker | None
    ) -> "Visit":
        lease = self.sessions.waiting(session_id, token)
        if lease is None or not isinstance(lease.transport, Realtime):
            raise nothing_waits()
        visited = lease.transport
        return Visit(self.sessions, lease, visited, outbox, speaker, returning=True)


def nothing_waits() -> RequestError:
    """The error of who comes back to what is not there, or not theirs."""
    return RequestError(
        "session_not_found",
        "no session waits under this session_id and resume token: one is kept for "
        "a minute after its client is gone; connect without session_id to begin anew",
        "session_id",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A client that was let in. Either `stay` or `turn_back` has to follow."""

    sessions: Sessions
    lease: Lease
    realtime: Realtime
    outbox: Outbox
    speaker: Speaker | None
    returning: bool

    async def stay(self, receive: Receive) -> None:
        """Serve the client until it leaves, or its session ends.

        The session was given its outbox before the client is there, which takes as long as the
        client likes: whatever happens to either meanwhile, the session has a client that can leave
        it, and the client is told.
        """
        session = self.lease.session
        code = ABNORMAL
        if self.realtime.ended:  # before the client was there
            if self.returning:
                self._nothing_waits()
            await asyncio.wait({self.outbox.task})
            return
        try:
            if self.returning:
                self.sessions.resume(self.lease)
                self.realtime.reopen(self.outbox, self.speaker)
                self.sessions.attach(self.lease)
            else:
                self.realtime.open(session, self.lease.token)
            code = await converse(self.realtime, self.outbox, receive)
            if self.outbox.stalled:
                log.warning("session %s: the client stopped reading", session.id)
        except Exception:  # this session fails, no other
            log.exception("session %s failed", session.id)
            session.stop(EndReason.FAILED, "the server failed on this session's event")
            await asyncio.wait({self.outbox.task})
        finally:
            self._leave(for_good=code in LEFT_FOR_GOOD)

    def turn_back(self) -> None:
        """The client did not come: a session that is new ends. Another is as it was: its client
        may be there, or come, by another way.
        """
        if not self.returning:
            self._leave(for_good=True)

    def hear(self, pcm: bytes) -> None:
        """What the client says beside its events: mono 16-bit PCM at `CALLER_HZ`. Nothing is heard
        of one that has come back by another way.
        """
        self.realtime.hear(pcm, self.outbox)

    def _nothing_waits(self) -> None:
        error = nothing_waits()
        self.outbox.put(text_of(errors.refused(error, None)))
        self.outbox.close(POLICY, error.code)

    def _leave(self, *, for_good: bool) -> None:
        if self.realtime.leave(self.outbox) and not self.realtime.ended:
            self.sessions.left(self.lease, for_good=for_good)
