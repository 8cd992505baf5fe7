"""RTCP: what each side tells the other of how its speech arrives (RFC 3550, 6)."""

import asyncio
import random
import time
from collections.abc import Callable

from transports.webrtc import stack
from transports.webrtc.agent_track import AgentTrack
from transports.webrtc.packet import CLOCK_HZ, SEQUENCE, Packet, sequence_after

EVERY_S = 1.0

NTP_EPOCH_S = 2_208_988_800
"""From 1900 to 1970."""

MOST_LOST = (1 << 23) - 1

MOST_JITTER_S = 0.5
"""That is believed: what has more is no line that anybody speaks over, or a report that is wrong.
"""

Send = Callable[[bytes], None]


class Reception:
    """How the packets of one source arrive (RFC 3550, A.1, A.3 and A.8)."""

    def __init__(self, source: int) -> None:
        self.source = source
        self._first: int | None = None
        self._highest = 0  # with the cycles of 16 bits
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._transit = 0
        self._jitter = 0.0

    def note(self, packet: Packet, now: float) -> None:
        """A packet came."""
        self._received += 1
        transit = round(now * CLOCK_HZ) - packet.ticks
        if self._first is None:
            self._first = self._highest = packet.sequence
        else:
            ahead = sequence_after(packet.sequence, self._highest % SEQUENCE)
            self._highest += max(0, ahead)
            change = abs(transit - self._transit) % (1 << 32)
            change = min(change, (1 << 32) - change)
            if change < CLOCK_HZ:  # else it is a pause, or another clock
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    def report(self, last_report: int, since_s: float) -> "stack.rtp.RtcpReceiverInfo":
        """What came since the last one was asked for; `last_report` is the middle of the NTP time
        of the sender's last, which came so long ago.
        """
        expected = self._highest - (self._first or 0) + 1
        wanted, came = expected - self._expected_before, self._received - self._received_before
        self._expected_before, self._received_before = expected, self._received
        lost = max(0, wanted - came)
        return stack.rtp.RtcpReceiverInfo(
            ssrc=self.source,
            fraction_lost=min(255, (lost << 8) // wanted) if wanted > 0 else 0,
            packets_lost=max(-MOST_LOST, min(MOST_LOST, expected - self._received)),
            highest_sequence=self._highest % (1 << 32),
            jitter=int(self._jitter),
            lsr=last_report,
            dlsr=min((1 << 32) - 1, int(since_s * 65_536)) if last_report else 0,
        )


class Reports:
    """Sends ours each second, and takes the other side's in. `close` ends that."""

    def __init__(self, track: AgentTrack, send: Send) -> None:
        self.round_trip_s = 0.0
        self.lost = 0.0
        self.jitter_s = 0.0
        self._track = track
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._epoch_s = time.time() - self._loop.time() + NTP_EPOCH_S
        self._reception: Reception | None = None
        self._last_report = 0
        self._reported_at = 0.0
        self._timer = self._loop.call_later(EVERY_S, self._tell)

    @property
    def now_ntp(self) -> int:
        """The time as RTCP tells it: seconds since 1900, with 32 bits behind the point. A clock
        that is set meanwhile does not change it.
        """
        return int((self._loop.time() + self._epoch_s) * (1 << 32))

    def close(self) -> None:
        """Tell nothing any more."""
        self._timer.cancel()

    def note(self, packet: Packet) -> None:
        """A packet of speech came."""
        if self._reception is None or self._reception.source != packet.source:
            self._reception = Reception(packet.source)
        self._reception.note(packet, self._loop.time())

    def receive(self, data: bytes) -> None:
        """Take reports in. What is no RTCP is left."""
        try:
            packets = stack.rtp.RtcpPacket.parse(data)
        except (ValueError, IndexError):
            return
        for packet in packets:
            if isinstance(packet, stack.rtp.RtcpSrPacket):
                self._last_report = (packet.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
                self._reported_at = self._loop.time()
            if isinstance(packet, stack.rtp.RtcpSrPacket | stack.rtp.RtcpRrPacket):
                for report in packet.reports:
                    if report.ssrc == self._track.source:
                        self._learn(report)

    def _learn(self, report: "stack.rtp.RtcpReceiverInfo") -> None:
        self.lost = report.fraction_lost / 256
        self.jitter_s = min(MOST_JITTER_S, report.jitter / CLOCK_HZ)
        self._track.expect_loss(self.lost)
        if report.lsr:
            trip = ((self.now_ntp >> 16) - report.lsr - report.dlsr) & 0xFFFFFFFF
            if trip < 60 << 16:
                self.round_trip_s = trip / 65_536

    def _tell(self) -> None:
        self._timer = self._loop.call_later(EVERY_S * random.uniform(0.5, 1.5), self._tell)
        reports = []
        if self._reception is not None:
            since_s = self._loop.time() - self._reported_at
            reports = [self._reception.report(self._last_report, since_s)]
        track = self._track
        if track.sent_packets:
            info = stack.rtp.RtcpSenderInfo(
                ntp_timestamp=self.now_ntp,
                rtp_timestamp=track.now_ticks,
                packet_count=track.sent_packets % (1 << 32),
                octet_count=track.sent_bytes % (1 << 32),
            )
            self._send(
                bytes(stack.rtp.RtcpSrPacket(ssrc=track.source, sender_info=info, reports=reports))
            )
        elif reports:
            self._send(bytes(stack.rtp.RtcpRrPacket(ssrc=track.source, reports=reports)))
