"""Offers and answers (RFC 8829): one way of speech, and one data channel."""

from typing import TYPE_CHECKING

import msgspec

from transports.webrtc import stack

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import RTCDtlsParameters
    from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
    from aiortc.sdp import MediaDescription, SessionDescription

LARGEST_OFFER = 64 * 1024
"""Bytes. A browser's has 2,000 to 10,000."""

MOST_SECTIONS = 32
"""A browser's has two, and one for each of its cameras and microphones."""

MOST_CANDIDATES = 64

OPUS = "audio/opus"

BIT_S = 32_000
"""That the client's encoder is asked for: enough for speech."""

OURS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}
"""Our direction, to that of an offer."""

HEARD = (None, "sendrecv", "sendonly")
"""Directions of an offer in which it has speech for us."""

READ = {
    *("group", "mid", "rtpmap", "rtcp-mux", "sctp-port", "sctpmap", "max-message-size"),
    *("ice-lite", "ice-options", "ice-ufrag", "ice-pwd", "candidate", "fingerprint", "setup"),
    *("inactive", *OURS),
}
"""Attributes that are of use here. Of the others some take the parser seconds, sent a thousand
times, and some it does not take as RFC 8285 has them."""

SCTP_PORT = 5000

LARGEST_EVENT = 262_144
"""Bytes of a client's: what browsers take of us. They refuse to send more than they are told."""

STREAM, TRACK = "voiceforge", "agent"


class BadOffer(ValueError):
    """What was sent is no offer that can be answered; the text says why."""


class Offer(msgspec.Struct, frozen=True):
    """What a client offers. `payload_type` is its number for Opus, `audio` and `data` the places of
    their sections; `data` is None where it wants no events.
    """

    sections: "list[MediaDescription]"
    bundled: bool
    audio: int
    data: int | None
    payload_type: int
    ice: "RTCIceParameters"
    dtls: "RTCDtlsParameters"
    candidates: "list[RTCIceCandidate]"

    @property
    def largest_message(self) -> int:
        """Bytes of an event that the client takes."""
        told = None if self.data is None else self.sections[self.data].sctpCapabilities
        return 65_536 if told is None or told.maxMessageSize < 0 else told.maxMessageSize or 1 << 30


def read(text: str) -> Offer:
    """The offer. Raises `BadOffer`."""
    if len(text) > LARGEST_OFFER:
        raise BadOffer(f"the offer has {len(text)} bytes: at most {LARGEST_OFFER} are read")
    if not text.startswith("v=0"):
        raise BadOffer("the body is no SDP: it begins with 'v=0'")
    lines = [
        line for line in text.splitlines() if not line.startswith("a=") or attribute(line) in READ
    ]
    count = sum(line.startswith("m=") for line in lines)
    if count > MOST_SECTIONS:
        raise BadOffer(f"the offer has {count} sections: at most {MOST_SECTIONS} are read")
    try:
        description: SessionDescription = stack.sdp.SessionDescription.parse("\r\n".join(lines))
    except (AssertionError, ValueError, TypeError, AttributeError, LookupError, StopIteration):
        raise BadOffer("the SDP cannot be read: send what createOffer() gave") from None
    return offered(description)


def attribute(line: str) -> str:
    """The name of the attribute in a line of it."""
    return line[2:].partition(":")[0].strip()


def offered(description: "SessionDescription") -> Offer:
    """What of it we answer. Raises `BadOffer`."""
    sections = description.media
    spoken = [n for n, one in enumerate(sections) if one.kind == "audio" and one.port]
    if not spoken:
        raise BadOffer(
            "the offer has no audio: add a track, or a transceiver, before createOffer()"
        )
    audio = next((n for n in spoken if sections[n].direction in HEARD), spoken[0])
    data = next((n for n, one in enumerate(sections) if one.kind == "application"), None)
    speech = sections[audio]
    codec = next((c for c in speech.rtp.codecs if c.mimeType.lower() == OPUS), None)
    if codec is None or codec.payloadType is None:
        raise BadOffer("the offer has no Opus: browsers have it in every audio section")
    if speech.ice is None or not speech.ice.usernameFragment or not speech.ice.password:
        raise BadOffer("the offer's audio has no ice-ufrag and ice-pwd")
    if speech.dtls is None or not speech.dtls.fingerprints:
        raise BadOffer("the offer's audio has no fingerprint and setup: DTLS is needed")
    if not speech.rtcp_mux:
        raise BadOffer("the offer's audio has no rtcp-mux: RTP and RTCP share one way here")
    if speech.direction not in (None, *OURS):
        raise BadOffer(f"the offer's audio is {speech.direction}: sendrecv is wanted")
    bundled = any(group.semantic == "BUNDLE" for group in description.group)
    if data is not None and not 0 < (sections[data].sctp_port or SCTP_PORT) < 1 << 16:
        raise BadOffer(f"the offer's sctp-port is {sections[data].sctp_port}: 1 to 65535 are ports")
    if data is not None and not bundled:
        raise BadOffer("the offer's audio and data are apart: bundle them (a=group:BUNDLE)")
    candidates = [c for c in speech.ice_candidates if c.protocol.lower() == "udp"]
    return Offer(
        sections,
        bundled,
        audio,
        data,
        codec.payloadType,
        speech.ice,
        speech.dtls,
        candidates[:MOST_CANDIDATES],
    )


class Ours(msgspec.Struct, frozen=True):
    """What an answer tells of us; `source` is the SSRC of the agent's speech, `largest_event` the
    bytes that an event of the client's may have.
    """

    ice: "RTCIceParameters"
    dtls: "RTCDtlsParameters"
    candidates: "list[RTCIceCandidate]"
    source: int
    largest_event: int = LARGEST_EVENT


def answer(offer: Offer, ours: Ours) -> str:
    """The answer: whatever is offered beside speech and events is turned down."""
    description = stack.sdp.SessionDescription()
    description.origin = "- 1 1 IN IP4 0.0.0.0"
    taken = [n for n in (offer.audio, offer.data) if n is not None]
    mids = [str(offer.sections[n].rtp.muxId) for n in sorted(taken)]
    if offer.bundled:
        description.group.append(stack.sdp.GroupDescription("BUNDLE", list(mids)))
    description.msid_semantic.append(stack.sdp.GroupDescription("WMS", ["*"]))
    description.media = [
        accepted(section, offer, ours) if n in taken else refused(section)
        for n, section in enumerate(offer.sections)
    ]
    return str(description)


def accepted(section: "MediaDescription", offer: Offer, ours: Ours) -> "MediaDescription":
    """Speech or events, as we have them."""
    made = stack.sdp.MediaDescription(section.kind, 9, section.profile, section.fmt)
    made.host = "0.0.0.0"
    made.rtp.muxId = section.rtp.muxId
    made.ice, made.dtls = ours.ice, ours.dtls
    made.ice_candidates, made.ice_candidates_complete = ours.candidates, True
    if section.kind == "application":
        made.sctp_port = SCTP_PORT
        made.sctpCapabilities = stack.rtcsctptransport.RTCSctpCapabilities(ours.largest_event)
        return made
    made.fmt = [offer.payload_type]
    made.rtcp_port, made.rtcp_host, made.rtcp_mux = 9, "0.0.0.0", True
    made.direction = OURS[section.direction or "sendrecv"]
    codec = next(c for c in section.rtp.codecs if c.payloadType == offer.payload_type)
    codec.rtcpFeedback.clear()
    codec.parameters = {"minptime": 10, "useinbandfec": 1, "maxaveragebitrate": str(BIT_S)}
    made.rtp.codecs = [codec]
    if made.direction != "recvonly":
        made.msid = f"{STREAM} {TRACK}"
        made.ssrc = [stack.sdp.SsrcDescription(ssrc=ours.source, cname=STREAM)]
    return made


def refused(section: "MediaDescription") -> "MediaDescription":
    """A section that is not wanted (RFC 3264, 6)."""
    made = stack.sdp.MediaDescription(section.kind, 0, section.profile, section.fmt)
    made.host = "0.0.0.0"
    made.rtp.muxId = section.rtp.muxId
    made.direction = "inactive"
    made.rtp.codecs = section.rtp.codecs
    made.ice = stack.rtcicetransport.RTCIceParameters()
    return made
