"""RTP packets (RFC 3550, 5.1), as little of them as speech needs."""

import struct

import msgspec

CLOCK_HZ = 48_000
"""By which Opus counts time, whatever its rate (RFC 7587, 4.1)."""

HEADER = struct.Struct("!BBHII")
VERSION, PADDED, EXTENDED, SOURCES, MARKED = 0x80, 0x20, 0x10, 0x0F, 0x80

HALF_SEQUENCE, SEQUENCE = 1 << 15, 1 << 16
HALF_TICKS, TICKS = 1 << 31, 1 << 32


class RtpError(ValueError):
    """Bytes that are no RTP packet."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """`sequence` counts packets in 16 bits, `ticks` time in 32 bits at `CLOCK_HZ`."""

    payload_type: int
    sequence: int
    ticks: int
    source: int
    payload: bytes
    marked: bool = False


def parse(data: bytes) -> Packet:
    """Raises `RtpError`."""
    if len(data) < HEADER.size:
        raise RtpError(f"{len(data)} bytes: an RTP header has {HEADER.size}")
    first, second, sequence, ticks, source = HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise RtpError(f"RTP version {first >> 6}: only 2 is known")
    begins, ends = HEADER.size + 4 * (first & SOURCES), len(data)
    if first & EXTENDED:
        if begins + 4 > ends:
            raise RtpError("the header extension is cut off")
        begins += 4 + 4 * int.from_bytes(data[begins + 2 : begins + 4], "big")
    if first & PADDED:
        ends -= data[-1]
    if begins > ends:
        raise RtpError(f"{len(data)} bytes: the header takes {begins} of them, and padding the end")
    marked = second >= MARKED
    return Packet(second & 0x7F, sequence, ticks, source, data[begins:ends], marked)


def packed(packet: Packet) -> bytes:
    """As it is sent."""
    second = packet.payload_type | MARKED * packet.marked
    head = HEADER.pack(VERSION, second, packet.sequence, packet.ticks, packet.source)
    return head + packet.payload


def sequence_after(sequence: int, reference: int) -> int:
    """How many packets a sequence number is ahead of another; negative: behind."""
    return (sequence - reference + HALF_SEQUENCE) % SEQUENCE - HALF_SEQUENCE


def ticks_after(ticks: int, reference: int) -> int:
    """How many ticks a time is ahead of another; negative: behind."""
    return (ticks - reference + HALF_TICKS) % TICKS - HALF_TICKS
