"""DTLS and SRTP: aiortc's, with media handed on where it comes, and sent without a task."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pylibsrtp

from transports.webrtc import stack
from transports.webrtc.ice import Connection
from transports.webrtc.packet import Packet, RtpError, packed, parse

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
else:
    RTCCertificate = stack.rtcdtlstransport.RTCCertificate
    RTCDtlsTransport = stack.rtcdtlstransport.RTCDtlsTransport

log = logging.getLogger(__name__)

MEDIA = range(128, 192)
"""First bytes of SRTP and SRTCP (RFC 7983)."""

REPORTS = range(192, 224)
"""Second bytes of SRTCP (RFC 5761, 4)."""


class Dtls(RTCDtlsTransport):
    """`on_packet` gets what came of speech, `on_report` what came of RTCP, both decrypted."""

    on_packet: Callable[[Packet], None] | None = None
    on_report: Callable[[bytes], None] | None = None

    def __init__(
        self,
        transport: "stack.rtcicetransport.RTCIceTransport",
        connection: Connection,
        certificate: RTCCertificate,
    ) -> None:
        super().__init__(transport, [certificate])
        self._way = connection

    def take(self, data: bytes) -> bool:
        """Handle a datagram if it is media; False if it is not. What cannot be read is dropped."""
        if data[0] not in MEDIA or len(data) < 2:
            return False
        if self._rx_srtp is None:
            return True
        try:
            if data[1] in REPORTS:
                plain = self._rx_srtp.unprotect_rtcp(data)
                if self.on_report is not None:
                    self.on_report(plain)
            else:
                packet = parse(self._rx_srtp.unprotect(data))
                if self.on_packet is not None:
                    self.on_packet(packet)
        except (pylibsrtp.Error, RtpError):
            pass  # forged, repeated, or of a stream that has ended
        return True

    def send_packet(self, packet: Packet) -> None:
        """Send speech; dropped where there is no connection."""
        if self._tx_srtp is not None:
            self._way.send_now(self._tx_srtp.protect(packed(packet)))

    def send_report(self, data: bytes) -> None:
        """Send RTCP; dropped where there is no connection."""
        if self._tx_srtp is not None:
            self._way.send_now(self._tx_srtp.protect_rtcp(data))
