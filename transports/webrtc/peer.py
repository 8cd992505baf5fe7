"""One browser's connection: ICE, DTLS, a data channel for events, speech both ways."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from transports.outbox import Message
from transports.reading import ABNORMAL, TOO_BIG
from transports.realtime import errors
from transports.realtime.audience import text_of
from transports.webrtc import sdp, stack
from transports.webrtc.agent_track import RATE_HZ, AgentTrack
from transports.webrtc.caller_track import CallerTrack, Hear
from transports.webrtc.dtls import Dtls
from transports.webrtc.ice import Connection, Reach
from transports.webrtc.opus import FRAME_MS
from transports.webrtc.packet import Packet
from transports.webrtc.reports import Reports
from transports.webrtc.sctp import Sctp

if TYPE_CHECKING:
    from aiortc.rtcdatachannel import RTCDataChannel
    from aiortc.rtcdtlstransport import RTCCertificate

log = logging.getLogger(__name__)

CHANNEL = "oai-events"

GOODBYE = 1000
"""What a connection that its client closed would say over a WebSocket."""

GONE_S = 5.0
"""Nothing came for so long from a client whose speech had come fifty times a second."""

GONE_QUIETLY_S = 15.0
"""From one that had nothing to say: browsers ask every 2.5 to 5 s whether we are still there."""

LOOK_S = 1.0

PENDING_BYTES = 256 * 1024
"""Events that wait in the data channel. More wait before it, where it is seen that they do."""

MOST_EVENTS, MOST_BYTES = 256, 4 * 1024 * 1024
"""Events of the client's that wait to be taken. A client that sends more is disconnected."""

LAST_WORDS_S = 2.0
"""For what was sent at the end to arrive: a second is waited before what was lost is sent again."""

RECEIVER_S = 0.06
"""A browser's own jitter buffer and sound card (Chromium on a steady line: `python -m
bench.webrtc`); on an unsteady one three times its jitter comes on top."""


class Peer:
    """One client. Its events are read and written as a WebSocket's of ASGI are (`receive`, `send`),
    its speech goes to `hear` (see `CallerTrack`). An event may have `largest_event` bytes. Must be
    closed.
    """

    lead_ms = FRAME_MS
    frame_ms = FRAME_MS
    rate_hz = RATE_HZ

    def __init__(
        self,
        offer: sdp.Offer,
        reach: Reach,
        certificate: "RTCCertificate",
        hear: Hear,
        largest_event: int = sdp.LARGEST_EVENT,
    ) -> None:
        self._offer = offer
        self._largest_event = largest_event
        self._loop = asyncio.get_running_loop()
        self._way = Connection(reach, self._datagram)
        gatherer = stack.rtcicetransport.RTCIceGatherer([])
        gatherer._connection = self._way
        self._ice = stack.rtcicetransport.RTCIceTransport(gatherer)
        self._dtls = Dtls(self._ice, self._way, certificate)
        self._dtls._set_role("server" if offer.dtls.role == "client" else "client")
        self._sctp = (
            Sctp(self._dtls, largest_event, self._exceeded) if offer.data is not None else None
        )
        self._channel: RTCDataChannel | None = None
        self._opened = asyncio.Event()
        self._room = asyncio.Event()
        self._events: asyncio.Queue[tuple[Message, int]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._caller = CallerTrack(hear)
        self._agent = AgentTrack(offer.payload_type, self._dtls.send_packet)
        self._reports: Reports | None = None
        self._heard_s = 0.0
        self._lost = False
        self._watch: asyncio.TimerHandle | None = None

    @property
    def delay_ms(self) -> int:
        """How long after it is sent speech sounds at the client: half the way there and back, as
        its reports have it, and its buffer, which is an estimate (`RECEIVER_S`). A client that
        spoke and is silent is taken to have heard nothing since then.
        """
        delay_s = RECEIVER_S
        if (reports := self._reports) is not None:
            delay_s += reports.round_trip_s / 2 + 3 * reports.jitter_s
        quiet_s = self._quiet_s()
        if self._spoke() and quiet_s > LOOK_S:
            delay_s += quiet_s
        return round(1000 * delay_s)

    def say(self, pcm: bytes) -> None:
        """Send the next of the agent's speech: mono 16-bit PCM at `rate_hz`."""
        self._agent.say(pcm)

    # ---- how it begins ----------------------------------------------------------------------

    async def answer(self) -> str:
        """Our side of the agreement, as SDP. Raises `OSError` where there is no way to us."""
        gatherer = self._ice.iceGatherer
        await gatherer.gather()
        for candidate in self._offer.candidates:
            await self._add(candidate)
        local = self._dtls.getLocalParameters()
        local.role = self._dtls._role
        ours = sdp.Ours(
            gatherer.getLocalParameters(),
            local,
            gatherer.getLocalCandidates(),
            self._agent.source,
            self._largest_event,
        )
        return sdp.answer(self._offer, ours)

    async def connect(self) -> None:
        """Until packets and events go both ways. Raises `ConnectionError`; the caller's patience is
        its own.
        """
        self._dtls.on("statechange", self._state_changed)
        await self._ice.start(self._offer.ice)
        if self._ice.state != "completed":
            raise ConnectionError("no way to the client")
        self._dtls.on_packet = self._packet
        await self._dtls.start(self._offer.dtls)
        if self._dtls.state != "connected":
            raise ConnectionError("no agreement on keys with the client")
        self._reports = Reports(self._agent, self._dtls.send_report)
        self._dtls.on_report = self._reports.receive
        self._watch = self._loop.call_later(LOOK_S, self._look)
        if self._sctp is not None:
            self._sctp.on("datachannel", self._take_channel)
            data = self._offer.sections[self._offer.data or 0]
            await self._sctp.start(data.sctpCapabilities, data.sctp_port or sdp.SCTP_PORT)
            await self._opened.wait()
            if self._channel is None:
                raise ConnectionError("the client left before it had opened its data channel")

    async def close(self) -> None:
        """End it. Idempotent."""
        if self._watch is not None:
            self._watch.cancel()
        if self._reports is not None:
            self._reports.close()
        self._caller.close()
        self._agent.close()
        self._lose()
        try:
            if self._sctp is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await self._sctp.until_arrived()
        finally:
            with contextlib.suppress(ConnectionError):
                if self._sctp is not None:
                    await self._sctp.stop()
                await self._dtls.stop()
            await self._ice.stop()

    # ---- events, as a WebSocket's -----------------------------------------------------------

    async def receive(self) -> Message:
        """The client's next event; once it is gone, how it left."""
        message, size = await self._events.get()
        self._waiting_bytes -= size
        return message

    async def send(self, message: Message) -> None:
        """Send an event, once there is room for it. Raises `ConnectionError` when it is gone."""
        if self._lost:
            raise ConnectionError("the client is gone")
        if self._sctp is None:
            return
        await self._opened.wait()
        if message["type"] == "websocket.send":
            await self._until_waiting(PENDING_BYTES)
            if self._channel is not None and self._channel.readyState == "open":
                self._channel.send(self._fitting(message["text"]))
        elif message["type"] == "websocket.close":
            await self._until_waiting(0)

    async def _until_waiting(self, size: int) -> None:
        """Until at most so many bytes are on their way to the client, or it is gone."""
        channel = self._channel
        while channel is not None and channel.bufferedAmount > size and not self._lost:
            channel.bufferedAmountLowThreshold = size
            self._room.clear()
            await self._room.wait()

    def _fitting(self, text: str) -> str:
        """The event, or what is said instead of one that is too large for the client."""
        size = len(text.encode())
        if size <= self._offer.largest_message:
            return text
        log.warning("an event was too large for a data channel", extra={"bytes": size})
        most = self._offer.largest_message
        told = f"an event of {size} bytes was left out: this client takes {most} (max-message-size)"
        return text_of(errors.invalid("event_too_large", told, None, None))

    # ---- what comes -------------------------------------------------------------------------

    async def _add(self, candidate: object) -> None:
        """A name that only the client's own network knows is left: its checks show where it is."""
        with contextlib.suppress(ValueError):
            if not str(getattr(candidate, "ip", "")).endswith(".local"):
                await self._ice.addRemoteCandidate(candidate)  # type: ignore[arg-type]

    def _datagram(self, data: bytes) -> bool:
        return self._dtls.take(data)

    def _packet(self, packet: Packet) -> None:
        if packet.payload_type != self._offer.payload_type or not packet.payload:
            return
        self._heard_s = self._loop.time()
        if self._reports is not None:
            self._reports.note(packet)
        self._caller.receive(packet)

    def _take_channel(self, channel: "RTCDataChannel") -> None:
        if channel.label != CHANNEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._event)
        channel.on("close", self._state_changed)
        channel.on("bufferedamountlow", self._room.set)
        self._opened.set()

    def _event(self, data: str | bytes) -> None:
        size = len(data.encode()) if isinstance(data, str) else len(data)
        if self._events.qsize() >= MOST_EVENTS or self._waiting_bytes + size > MOST_BYTES:
            self._lose()
            return
        self._waiting_bytes += size
        kind = "text" if isinstance(data, str) else "bytes"
        self._events.put_nowait(({"type": "websocket.receive", kind: data}, size))

    def _exceeded(self, told: str) -> None:
        """The client sent what is not taken: it is told, and disconnected."""
        log.info("a client sent too much", extra={"told": told})
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text_of(errors.invalid("event_too_large", told, None, None)))
        self._lose(TOO_BIG)

    def _state_changed(self) -> None:
        """Keys or events have come to their end. Whoever says goodbye was heard until then."""
        channel_closed = self._channel is not None and self._channel.readyState == "closed"
        if channel_closed or self._dtls.state in ("closed", "failed"):
            self._lose(GOODBYE if self._quiet_s() < LOOK_S else ABNORMAL)

    def _quiet_s(self) -> float:
        """For how long nothing has come."""
        return self._loop.time() - self._way.last_s

    def _spoke(self) -> bool:
        """Whether speech was among the last that came."""
        return self._heard_s > 0 and self._way.last_s - self._heard_s < 1

    def _look(self) -> None:
        if self._quiet_s() > (GONE_S if self._spoke() else GONE_QUIETLY_S):
            self._lose()
            return
        self._watch = self._loop.call_later(LOOK_S, self._look)

    def _lose(self, code: int = ABNORMAL) -> None:
        """The client is gone: who reads learns it."""
        if self._lost:
            return
        self._lost = True
        self._opened.set()
        self._room.set()
        self._events.put_nowait(({"type": "websocket.disconnect", "code": code, "reason": ""}, 0))
