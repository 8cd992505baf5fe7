"""Parts of a file, as players ask for them to jump about (RFC 9110, section 14)."""

import re

import msgspec

ONE = re.compile(r"bytes *= *(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))")
"""One part, counted from the beginning, or from the end."""


class Part(msgspec.Struct, frozen=True):
    """From the byte `begin` to before the byte `end`."""

    begin: int
    end: int


class OutOfReach(ValueError):
    """Nothing of what is asked for is there."""


def part_of(asked: str | None, size: int) -> Part | None:
    """The part that the header `Range` asks for, of so many bytes. None is the whole, which is
    the answer to no header, to several parts, and to what says nothing (14.2). Raises `OutOfReach`.
    """
    match = None if asked is None else ONE.fullmatch(asked.strip().lower())
    if match is None:
        return None
    first, last, from_end = (None if one is None else int(one) for one in match.groups())
    if from_end is not None:
        begin, end = max(0, size - from_end), size
    else:
        begin = first or 0
        if last is not None and last < begin:
            return None  # it says nothing (14.1.2)
        end = size if last is None else min(last + 1, size)
    if begin >= end:
        raise OutOfReach(f"{asked} is asked for, and there are {size} bytes")
    return Part(begin, end)
