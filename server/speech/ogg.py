"""The pages of an Ogg stream (RFC 3533)."""

import struct
import zlib
from collections.abc import Sequence

BEGINS, ENDS = 2, 4
"""Flags of the first page, and of the last."""

MOST_SEGMENTS = 255
"""Of a page: numbers of up to 255, which add up to the lengths of its packets."""

HEAD = struct.Struct("<4sBBqIIIB")
CHECKSUM_AT = 22

SERIAL = 0x564F4943
"""Of the stream: any number, where there is but one."""

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Pages:
    """Makes them, one after the other."""

    def __init__(self) -> None:
        self._made = 0

    def page(self, packets: Sequence[bytes], position: int, flags: int = 0) -> bytes:
        """One with these packets, all of them whole. `position`: what its codec counts, at their
        end. Raises `ValueError` for more than a page holds.
        """
        sizes = b"".join(segments(len(packet)) for packet in packets)
        if len(sizes) > MOST_SEGMENTS:
            raise ValueError(f"a page holds {MOST_SEGMENTS} segments, and these are {len(sizes)}")
        head = HEAD.pack(b"OggS", 0, flags, position, SERIAL, self._made, 0, len(sizes))
        self._made += 1
        page = b"".join((head, sizes, *packets))
        checked = struct.pack("<I", checksum(page))
        return page[:CHECKSUM_AT] + checked + page[CHECKSUM_AT + len(checked) :]


def segments(size: int) -> bytes:
    """How the length of a packet is written."""
    return b"\xff" * (size // 255) + bytes([size % 255])


def checksum(page: bytes) -> int:
    """Ogg's is zlib's of mirrored bytes, mirrored, from 0 on and without its last step."""
    mirrored = zlib.crc32(page.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
