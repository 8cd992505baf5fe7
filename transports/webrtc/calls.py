"""Calls: clients that are being connected, and those that are, each with its session."""

import asyncio
import datetime
import logging
from collections import Counter
from typing import TYPE_CHECKING

from engine.errors import RequestError
from transports.handshake import Refused
from transports.outbox import Message, Outbox
from transports.realtime.wire import JsonObject
from transports.visits import Visit, Visits
from transports.webrtc import sdp, stack
from transports.webrtc.ice import Reach
from transports.webrtc.peer import Peer

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import RTCCertificate

log = logging.getLogger(__name__)

MOST_CONNECTING = 64
"""Calls whose client has not come yet: each holds a place for a session, and sockets."""

MOST_CONNECTING_EACH = 32
"""Of those, of one key: nobody keeps all others out."""

RETRY_S = 2

CONNECT_S = 15.0
"""For a client to come. With a relay on the way, and packets lost, it takes five."""

CERTIFICATE_DAYS = 7

ACCEPT: Message = {"type": "websocket.accept"}


class Call:
    """One client: its connection, and its visit to a session."""

    def __init__(
        self,
        offer: sdp.Offer,
        reach: Reach,
        certificate: "RTCCertificate",
        who: str,
        largest_event: int,
    ) -> None:
        self.who = who
        self.peer = Peer(offer, reach, certificate, self._hear, largest_event)
        self.outbox = Outbox(self.peer.send, ACCEPT)
        self.connected = False
        self._visit: Visit | None = None

    @property
    def session_id(self) -> str:
        """The session's."""
        assert self._visit is not None
        return self._visit.lease.session.id

    async def enter(self, visits: Visits, query: dict[str, str], session: JsonObject | None) -> str:
        """Go to a session; what the client is answered, as SDP. Raises `RequestError`, `Refused`,
        `OSError`: then it has to be closed.
        """
        text = await self.peer.answer()
        self._visit = await visits.begin(query, self.outbox, session=session, speaker=self.peer)
        return text

    async def run(self) -> None:
        """Wait for the client, and serve it until it leaves, or its session ends."""
        visit = self._visit
        assert visit is not None
        try:
            self.connected = await self._came()
            if self.connected:
                await visit.stay(self.peer.receive)
        finally:
            if not self.connected:
                visit.turn_back()
            await self.close()

    async def _came(self) -> bool:
        """Whether the client did, in time."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.peer.connect()
        except (ConnectionError, TimeoutError, OSError) as error:
            log.info("a caller did not come", extra={"error": type(error).__name__})
            return False
        return True

    async def close(self) -> None:
        """End the connection. Idempotent."""
        self.outbox.task.cancel()
        await self.peer.close()

    def _hear(self, pcm: bytes) -> None:
        if self._visit is not None and self.connected:
            self._visit.hear(pcm)


class Calls:
    """The calls of one process, at the addresses of `reach`. A client's event may have
    `max_event_bytes`, as far as a data channel takes them. Must be closed.
    """

    def __init__(self, reach: Reach, max_event_bytes: int = sdp.LARGEST_EVENT) -> None:
        self._reach = reach
        self._largest_event = min(max_event_bytes, sdp.LARGEST_EVENT)
        self._certificate: RTCCertificate | None = None
        self._certified_on = datetime.date.min
        self._open: dict[asyncio.Task[None], Call] = {}
        self._answering: Counter[str] = Counter()

    async def begin(
        self,
        offer: str,
        visits: Visits,
        query: dict[str, str],
        session: JsonObject | None = None,
        *,
        who: str = "",
    ) -> tuple[str, str, asyncio.Task[None]]:
        """Answer an offer: the answer as SDP, the session's id, and the call's task, which may be
        cancelled. `query` and `session` as `Visits.begin` takes them, which raises `RequestError`
        and `Refused`; so does this. `who` calls: a key, of whose offers not too many may wait.
        """
        self._check_room(who)
        try:
            read = sdp.read(offer)
        except sdp.BadOffer as error:
            raise RequestError("invalid_offer", str(error), "sdp") from error
        certificate = self._current_certificate()
        call = Call(read, self._reach, certificate, who, self._largest_event)
        self._answering[who] += 1
        try:
            answer = await call.enter(visits, query, session)
        except OSError as error:
            await call.close()
            log.error("no way for calls", extra={"error": error.strerror or str(error)})
            text = "the server has no address, or no free port, at which it can be called"
            raise Refused(text, RETRY_S, "no_address") from error
        except BaseException:
            await call.close()
            raise
        finally:
            self._answering -= Counter((who,))
        task = asyncio.create_task(call.run())
        self._open[task] = call
        task.add_done_callback(self._ended)
        return answer, call.session_id, task

    def _check_room(self, who: str) -> None:
        """Raises `Refused`."""
        connecting = self._answering + Counter(
            call.who for call in self._open.values() if not call.connected
        )
        if connecting.total() >= MOST_CONNECTING:
            text = f"{connecting.total()} callers are being connected, as many as may be: try again"
            raise Refused(text, RETRY_S, "too_many_offers")
        if connecting[who] >= MOST_CONNECTING_EACH:
            text = (
                f"{connecting[who]} callers of this key are being connected: wait for some to come"
            )
            raise Refused(text, RETRY_S, "too_many_offers", status=429)

    def __len__(self) -> int:
        return len(self._open)

    async def closed(self, within_s: float) -> None:
        """Let the calls end whose sessions have; end the others then."""
        if not self._open:
            return
        _, late = await asyncio.wait(list(self._open), timeout=within_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call failed", exc_info=error)

    def _current_certificate(self) -> "RTCCertificate":
        """Our own, a new one each week; what a client is told of it holds for its call."""
        today = datetime.datetime.now(datetime.UTC).date()
        if self._certificate is None or (today - self._certified_on).days >= CERTIFICATE_DAYS:
            self._certificate = stack.rtcdtlstransport.RTCCertificate.generateCertificate()
            self._certified_on = today
        return self._certificate
