"""SCTP, which carries the events (RFC 8831): aiortc's, with bounds on what a client may have it
keep and do, and with an end: when all that was sent has arrived.
"""

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from transports.reading import REST, SLICE_S
from transports.webrtc import sdp, stack

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import RTCDtlsTransport
    from aiortc.rtcsctptransport import (
        DataChunk,
        InboundStream,
        RTCSctpTransport,
        SackChunk,
    )
else:
    RTCSctpTransport = stack.rtcsctptransport.RTCSctpTransport

log = logging.getLogger(__name__)

BEYOND_BYTES = 64 * 1024
"""That may come beyond the window that is announced: a probe of one that is shut, or what was on
its way."""

MOST_CHUNKS = 2048
"""Pieces of messages that wait for others. The window is full with 900 of the usual size; of small
ones more would fit, and each new one is compared with all."""

MOST_STREAMS = 64
"""A client has one channel, and may try some more."""

UNREADABLE = (AssertionError, UnicodeDecodeError, struct.error)
"""What aiortc raises at chunks that are cut short, and at a channel that is opened twice."""

TEXT, BINARY = stack.rtcsctptransport.WEBRTC_STRING, stack.rtcsctptransport.WEBRTC_BINARY

Excess = Callable[[str], None]


class Sctp(RTCSctpTransport):
    """`on_excess` is told what of a client's was too much; nothing of it is taken from then on.

    One message may have `largest` bytes.
    """

    def __init__(self, transport: "RTCDtlsTransport", largest: int, on_excess: Excess) -> None:
        super().__init__(transport, sdp.SCTP_PORT)
        self._largest = largest
        self._on_excess = on_excess
        self._exceeded = False
        self._window = self._advertised_rwnd
        self._clock = asyncio.get_running_loop().time
        self._work_s = 0.0
        self._acknowledged = asyncio.Event()
        transport.on("statechange", self._acknowledged.set)

    async def until_arrived(self) -> None:
        """Until all that was sent has arrived, or nothing arrives any more."""
        while self._alive and (
            self._data_channel_queue or self._outbound_queue or self._sent_queue
        ):
            self._acknowledged.clear()
            await self._acknowledged.wait()

    @property
    def _alive(self) -> bool:
        established = self._association_state == self.State.ESTABLISHED
        return established and self.transport.state == "connected"

    async def _handle_data(self, data: bytes) -> None:
        """A datagram's; then rest, as from the events of a WebSocket (`reading`)."""
        began = self._clock()
        try:
            await super()._handle_data(data)
        except UNREADABLE as error:
            log.info("a client's SCTP cannot be read", extra={"error": type(error).__name__})
            await self.stop()
        self._work_s += self._clock() - began
        if self._work_s >= SLICE_S:
            await asyncio.sleep(self._work_s * REST)
            self._work_s = 0.0

    async def _receive_data_chunk(self, chunk: "DataChunk") -> None:
        if self._exceeded:
            return
        await super()._receive_data_chunk(chunk)
        kept = sum(len(one.reassembly) for one in self._inbound_streams.values())
        if self._advertised_rwnd < -BEYOND_BYTES:
            size = self._window - self._advertised_rwnd
            self._exceed(f"{size} bytes of events that are not whole: one may have {self._largest}")
        elif kept > MOST_CHUNKS:
            self._exceed(f"{kept} pieces of events that are not whole: at most {MOST_CHUNKS} wait")

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if len(data) > self._largest:
            self._exceed(f"an event of {len(data)} bytes: at most {self._largest} are taken")
        if pp_id == TEXT and not is_text(data):
            pp_id = BINARY  # the client is told of it as of any event that is none
        if not self._exceeded:
            await super()._receive(stream_id, pp_id, data)

    def _get_inbound_stream(self, stream_id: int) -> "InboundStream":
        if len(self._inbound_streams) >= MOST_STREAMS and stream_id not in self._inbound_streams:
            self._exceed(f"more than {MOST_STREAMS} channels: one carries all events")
            return stack.rtcsctptransport.InboundStream()
        return super()._get_inbound_stream(stream_id)

    async def _receive_sack_chunk(self, chunk: "SackChunk") -> None:
        await super()._receive_sack_chunk(chunk)
        self._acknowledged.set()

    def _set_state(self, state: "RTCSctpTransport.State") -> None:
        super()._set_state(state)
        self._acknowledged.set()

    def _exceed(self, told: str) -> None:
        if not self._exceeded:
            self._exceeded = True
            self._on_excess(told)


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
