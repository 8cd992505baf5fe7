"""The sessions of this process: opened, left, taken up again, drained."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection
from functools import partial

import msgspec

from engine.frames import Frame
from engine.services import Services
from engine.session import NO_TOOLS, EndReason, Session
from engine.settings import SessionSettings
from engine.transport import Transport
from server.access.caller import OURSELVES, Caller
from server.agents.answering import Answering
from server.door import Door, Place
from server.log import serve_session
from server.metering.collector import Collector
from server.metrics import Metrics
from server.places import RETRY_FULL_S
from server.recording.tapes import Tapes
from server.records.recorders import Recorders
from server.settings import LimitSettings
from server.tracing import Tracing
from transports.handshake import Refused
from transports.visits import Lease

log = logging.getLogger(__name__)

RETRY_LOADING_S = 2
RETRY_STOPPING_S = 5


class Entry:
    """One session, as the registry keeps it, and whose it is."""

    def __init__(
        self, session: Session, transport: Transport, place: Place, caller: Caller
    ) -> None:
        self.session = session
        self.caller = caller
        self.place = place
        self.lease = Lease(session, secrets.token_urlsafe(24), transport)
        self.present = True
        self.grace: asyncio.TimerHandle | None = None

    def keep(self) -> None:
        """The client is there: nothing ends the session for its absence."""
        if self.grace is not None:
            self.grace.cancel()
            self.grace = None


class SessionRegistry:
    """Every account's sessions; `of` gives what one caller may reach of them.

    `services` is None until the models are loaded. Every session takes a place at the `door`; its
    id names the `gateway` that it lives in. What it uses is the `collector`'s to tell, and what is
    said in it the `recorders`', how it sounded the `tapes`'.
    """

    def __init__(
        self,
        services: Callable[[], Services | None],
        limits: LimitSettings,
        metrics: Metrics,
        door: Door,
        gateway: int = 0,
        traces: Tracing | None = None,
        collector: Collector | None = None,
        recorders: Recorders | None = None,
        tapes: Tapes | None = None,
    ) -> None:
        self._collector = collector
        self._tapes = tapes
        self._recorders = recorders
        self._traces = traces
        self._door = door
        self._gateway = gateway
        self._services = services
        self._limits = limits
        self._metrics = metrics
        self._entries: dict[str, Entry] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._entries)

    def ids(self) -> list[str]:
        """The sessions that are open."""
        return list(self._entries)

    def of(
        self, caller: Caller, answering: Answering | None = None, way: str = "websocket"
    ) -> "OwnSessions":
        """As this caller may see them; in those that begin, an agent answers. See `open`."""
        return OwnSessions(self, caller, answering, way)

    def keys(self) -> set[str]:
        """The keys, by their ids, that sessions began with which are open."""
        return {key for e in self._entries.values() if (key := e.caller.key_id) is not None}

    async def open(
        self,
        settings: SessionSettings,
        transport: Transport,
        caller: Caller = OURSELVES,
        answering: Answering | None = None,
        way: str = "websocket",
    ) -> Lease:
        """A new session that is not yet started, in which an agent answers, or whatever its client
        makes of it; `way` is the transport's name, for its record.

        Raises `Refused` with when to try again.
        """
        try:
            return await self._open(settings, transport, caller, answering, way)
        except Refused as refused:
            if self._recorders is not None:
                self._recorders.refused(caller, refused.reason)
            raise

    async def _open(
        self,
        settings: SessionSettings,
        transport: Transport,
        caller: Caller,
        answering: Answering | None,
        way: str,
    ) -> Lease:
        services = self._serving()
        place = await self._door.enter(caller)
        try:
            services = self._serving()  # a moment has passed
            ident = f"sess_{self._gateway}_{secrets.token_urlsafe(24)}"
            observe = partial(self._observe, ident)
            toolbox = NO_TOOLS if answering is None else answering.toolbox(ident)
            knowledge = None if answering is None else answering.knowledge()
            helps = toolbox, knowledge
            if answering is not None:
                own = {"mind": answering.mind, "tongue": answering.tongue}
                services = msgspec.structs.replace(services, **own)
            session = Session(settings, services, transport, self._ended, observe, ident, *helps)
        except BaseException:
            place.give_back()
            raise
        entry = self._entries[session.id] = Entry(session, transport, place, caller)
        agent_id = answering.agent.id if answering is not None else ""
        if self._collector is not None:
            self._collector.began(session.id, session.meter, caller, agent_id)
        if self._recorders is not None:
            version = answering.agent.version if answering is not None else None
            self._recorders.began(session, caller, way, agent_id, version)
        if self._tapes is not None and caller.account_id is not None:
            session.tap = self._tapes.begin(session.id, caller.account_id)
        self._empty.clear()
        self._metrics.sessions.inc()
        serve_session(session.id)
        log.info("session opened", extra={"key": caller.key_id, "agent": agent_id})
        return entry.lease

    def waiting(self, session_id: str, token: str, caller: Caller = OURSELVES) -> Lease | None:
        """The session, if it is still here and the token is its own. Who knocks has the whole grace
        to come in.
        """
        entry = self._entry(session_id, caller)
        if entry is None or not _same(entry.lease.token, token):
            return None
        if entry.grace is not None:
            self._await(entry)
        return entry.lease

    def resume(self, lease: Lease) -> None:
        """The client is there again."""
        entry = self._entries.get(lease.session.id)
        if entry is None:
            return
        entry.keep()
        if entry.present:  # its old connection is dead, and has not noticed yet
            entry.session.detach()
        entry.present = True
        entry.place.mark(away=False)
        serve_session(lease.session.id)
        log.info("session resumed")

    def find(self, session_id: str, caller: Caller = OURSELVES) -> Lease | None:
        """An open session, for a sideband; None if it is not here."""
        entry = self._entry(session_id, caller)
        if entry is None:
            return None
        serve_session(session_id)
        return entry.lease

    def attach(self, lease: Lease) -> None:
        """The client that resumed knows the history: let it hear the session again."""
        lease.session.attach(lease.transport)

    def left(self, lease: Lease, *, for_good: bool) -> None:
        """The client is gone: stop its session, or keep it for the grace."""
        session = lease.session
        entry = self._entries.get(session.id)
        if entry is None:
            return
        entry.keep()
        if for_good or self._draining or not self._limits.reconnect_grace_s:
            session.stop(EndReason.CLIENT_LEFT)
            return
        log.info("session left")
        entry.present = False
        entry.place.mark(away=True)
        session.detach()
        self._await(entry)

    def _await(self, entry: Entry) -> None:
        """End the session unless its client comes within the grace."""
        entry.keep()
        entry.grace = asyncio.get_running_loop().call_later(
            self._limits.reconnect_grace_s, entry.session.stop, EndReason.UNREACHED
        )

    async def drain(self, within_s: float) -> None:
        """Take no new session; let each finish what is being said, and end the rest then."""
        self._draining = True
        for entry in list(self._entries.values()):
            entry.session.drain(EndReason.DRAINED)
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            log.warning("sessions cut off", extra={"sessions": len(self._entries)})
            for entry in list(self._entries.values()):
                entry.session.stop(EndReason.STOPPED)

    def hang_up(self, session_id: str, caller: Caller = OURSELVES) -> bool:
        """End a session for whoever is in charge of it; False if it is not here."""
        entry = self._entry(session_id, caller)
        if entry is not None:
            entry.session.stop(EndReason.HUNG_UP)
        return entry is not None

    def revoke(self, key_ids: Collection[str]) -> None:
        """End the sessions that began with these keys."""
        for entry in list(self._entries.values()):
            if entry.caller.key_id in key_ids:
                entry.session.stop(EndReason.REVOKED)

    def spend(self, owner: str) -> None:
        """Let the sessions of this key or account come to their end: it has used its month."""
        for entry in list(self._entries.values()):
            if owner in (entry.caller.key_id, entry.caller.account_id):
                entry.session.drain(EndReason.SPENT)

    def _entry(self, session_id: str, caller: Caller) -> Entry | None:
        """What is another account's is not here."""
        entry = self._entries.get(session_id)
        return entry if entry is not None and caller.sees(entry.caller.account_id) else None

    def _observe(self, session_id: str, frame: Frame) -> None:
        self._metrics.observe(frame)
        if self._traces is not None:
            self._traces.observe(session_id, frame)
        if self._recorders is not None:
            self._recorders.observe(session_id, frame)

    def _serving(self) -> Services:
        if self._draining:
            raise self._refusal("draining", "the server is stopping", RETRY_STOPPING_S)
        services = self._services()
        if services is None:
            message = "the models are still loading: /readyz tells when they answer"
            raise self._refusal("loading", message, RETRY_LOADING_S)
        if not services.room():
            message = f"{len(self._entries)} sessions are open, the most that one process can hear"
            raise self._refusal("full", message, RETRY_FULL_S)
        return services

    def _refusal(self, reason: str, message: str, retry_after_s: int) -> Refused:
        self._metrics.count_refusal(reason)
        return Refused(message, retry_after_s, reason=reason)

    def _ended(self, session: Session, reason: EndReason) -> None:
        entry = self._entries.pop(session.id)
        entry.keep()
        entry.place.give_back()
        if self._collector is not None:
            self._collector.ended(session.meter)
        if self._recorders is not None:
            self._recorders.ended(session, reason)
        if self._tapes is not None:
            self._tapes.end(session.id)
        self._metrics.session_ended(reason, entry.session.false_pauses)
        told = {"session": session.id, "reason": reason}
        if session.failure is not None:
            log.error("session failed", extra=told, exc_info=session.failure)
        else:
            log.info("session ended", extra=told)
        if not self._entries:
            self._empty.set()


class OwnSessions:
    """One caller's sessions. Satisfies `transports.visits.Sessions`."""

    def __init__(
        self,
        registry: SessionRegistry,
        caller: Caller,
        answering: Answering | None = None,
        way: str = "websocket",
    ) -> None:
        self._registry = registry
        self._caller = caller
        self._answering = answering
        self._way = way

    async def open(self, settings: SessionSettings, transport: Transport) -> Lease:
        return await self._registry.open(
            settings, transport, self._caller, self._answering, self._way
        )

    def waiting(self, session_id: str, token: str) -> Lease | None:
        return self._registry.waiting(session_id, token, self._caller)

    def resume(self, lease: Lease) -> None:
        self._registry.resume(lease)

    def find(self, session_id: str) -> Lease | None:
        return self._registry.find(session_id, self._caller)

    def attach(self, lease: Lease) -> None:
        self._registry.attach(lease)

    def left(self, lease: Lease, *, for_good: bool) -> None:
        self._registry.left(lease, for_good=for_good)


def _same(token: str, claimed: str) -> bool:
    """Compared in constant time; as bytes, because a client may send any characters."""
    return secrets.compare_digest(token.encode(), claimed.encode())
