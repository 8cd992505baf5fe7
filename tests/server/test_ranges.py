"""What players ask for with `Range`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ranges import OutOfReach, Part, part_of

SIZE = 1000


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", Part(0, 1000)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=10-19", Part(10, 20)),
        ("Bytes = 990-5000", Part(990, 1000)),
        ("bytes=-1", Part(999, 1000)),
        ("bytes=-5000", Part(0, 1000)),
    ],
)
def test_a_part_is_what_is_there_of_it(asked: str, part: Part) -> None:
    assert part_of(asked, SIZE) == part


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=20-10",
        "bytes=0-1,5-6",
        "items=0-1",
        "bytes=a-b",
        "bytes=0x10-",
        "bytes=--5",
        "bytes=0-1;",
        "bytes=1" + "0" * 30 + "-",
        "bytes=٣-٤",
    ],
)
def test_what_says_nothing_is_answered_with_the_whole(asked: str | None) -> None:
    assert part_of(asked, SIZE) is None


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_what_is_not_there_is_out_of_reach(asked: str) -> None:
    with pytest.raises(OutOfReach, match="1000 bytes"):
        part_of(asked, SIZE)


@given(st.text(max_size=40), st.integers(0, 2**40))
def test_no_header_breaks_it(asked: str, size: int) -> None:
    try:
        part = part_of(f"bytes={asked}", size)
    except OutOfReach:
        return
    assert part is None or 0 <= part.begin < part.end <= size
