"""RTP as aiortc writes and reads it."""

import contextlib

import pytest
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from transports.webrtc.packet import (
    Packet,
    RtpError,
    packed,
    parse,
    sequence_after,
    ticks_after,
)

PACKETS = st.builds(
    Packet,
    payload_type=st.integers(96, 127),
    sequence=st.integers(0, 2**16 - 1),
    ticks=st.integers(0, 2**32 - 1),
    source=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=200),
    marked=st.booleans(),
)


@given(PACKETS)
def test_what_is_sent_is_what_another_stack_reads(packet: Packet) -> None:
    theirs = RtpPacket.parse(packed(packet))
    assert (theirs.payload_type, theirs.sequence_number) == (packet.payload_type, packet.sequence)
    assert (theirs.timestamp, theirs.ssrc) == (packet.ticks, packet.source)
    assert (theirs.payload, theirs.marker) == (packet.payload, int(packet.marked))


@given(PACKETS, st.lists(st.integers(0, 2**32 - 1), max_size=15), st.integers(0, 20), st.booleans())
def test_what_another_stack_sends_is_read(
    packet: Packet, sources: list[int], padding: int, extended: bool
) -> None:
    theirs = RtpPacket(
        payload_type=packet.payload_type,
        marker=int(packet.marked),
        sequence_number=packet.sequence,
        timestamp=packet.ticks,
        ssrc=packet.source,
        payload=packet.payload,
    )
    theirs.csrc = sources
    theirs.padding_size = padding
    known = HeaderExtensionsMap()
    if extended:
        theirs.extensions = HeaderExtensions(mid="0", audio_level=(True, 30))
        known._HeaderExtensionsMap__ids.mid = 1  # type: ignore[attr-defined]
        known._HeaderExtensionsMap__ids.audio_level = 2  # type: ignore[attr-defined]
    assert parse(theirs.serialize(known)) == packet


@given(st.binary(max_size=60))
def test_anything_else_is_refused_or_read_and_never_a_bug(data: bytes) -> None:
    with contextlib.suppress(RtpError):
        assert len(parse(data).payload) <= len(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x80", "1 bytes"),
        (bytes(12), "version 0"),
        (b"\x90" + bytes(11), "extension is cut off"),
        (b"\x8f" + bytes(11), "takes 72"),
        (b"\xa0" + bytes(10) + b"\x05", "padding"),
    ],
)
def test_what_is_no_rtp_is_told(data: bytes, told: str) -> None:
    with pytest.raises(RtpError, match=told):
        parse(data)


def test_counts_go_round() -> None:
    assert sequence_after(1, 65_535) == 2
    assert sequence_after(65_535, 1) == -2
    assert ticks_after(100, 2**32 - 100) == 200
    assert ticks_after(2**32 - 100, 100) == -200
