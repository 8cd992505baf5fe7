"""Pages as RFC 3533 wants them."""

import pytest

from server.speech.ogg import BEGINS, Pages, checksum, segments


def test_a_page_says_what_is_in_it() -> None:
    page = Pages().page([b"OpusHead"], 0, BEGINS)
    assert page[:6] == b"OggS\0\2"
    assert page[26:] == b"\1\x08OpusHead"
    told = int.from_bytes(page[22:26], "little")
    assert told == checksum(page[:22] + bytes(4) + page[26:])


def test_the_checksum_is_that_of_the_rfc() -> None:
    """Bit by bit: the polynomial 0x04c11db7, from 0 on, and nothing at the end."""
    data = bytes(range(256))
    slow = 0
    for byte in data:
        slow ^= byte << 24
        for _ in range(8):
            slow = (slow << 1) ^ (0x104C11DB7 if slow & 0x80000000 else 0)
    assert checksum(data) == slow


@pytest.mark.parametrize(
    ("size", "written"), [(0, b"\0"), (254, b"\xfe"), (255, b"\xff\0"), (600, b"\xff\xff\x5a")]
)
def test_lengths_are_written_in_segments(size: int, written: bytes) -> None:
    assert segments(size) == written


def test_more_than_a_page_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="a page holds 255 segments, and these are 256"):
        Pages().page([b""] * 256, 0)
