"""Reads one document in a process of its own: `python -m server.knowledge.reader`, with a plan.

A document may be made to take hours or all memory, or to break the library that reads it. Here that
ends this process, and the document has failed.
"""

import os
import resource
from collections.abc import Callable, Sequence

import msgspec

from engine.child import become_child, take_standard_output
from engine.framing import framed

MOST_CPU_S = 60
"""A book of a thousand pages takes 5."""

MOST_BYTES = 1 << 30
"""Of memory: 20 MB of text take 400 MB."""

AT_ONCE = 64
"""Passages in a message."""


class ReadPlan(msgspec.Struct, frozen=True):
    """What to read: the file behind the inherited descriptor `fd`."""

    fd: int
    media_type: str


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The document is read: so many passages follow."""

    passages: int


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """The next passages: number, heading, position and text of each."""

    passages: Sequence[tuple[int, str, int, str]]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It cannot be read; the text is for whoever sent it."""

    why: str


Told = Counted | Cut | Refused

told_decoder = msgspec.msgpack.Decoder(Told)


def main() -> None:
    """Be the reader."""
    given = become_child("voiceforge-read", planned=True)
    plan = msgspec.msgpack.decode(given, type=ReadPlan)
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    with os.fdopen(take_standard_output(), "wb") as output:

        def tell(message: Told) -> None:
            output.write(framed(msgspec.msgpack.encode(message)))

        read(plan, tell)


def read(plan: ReadPlan, tell: Callable[[Told], None]) -> None:
    """Read it, and tell what it holds."""
    from server.knowledge.cutting import passages
    from server.knowledge.kinds import Unreadable
    from server.knowledge.reading import sections

    with os.fdopen(plan.fd, "rb") as file:
        content = file.read()
    try:
        found = [
            (one.number, one.heading, one.position, one.text)
            for one in passages(sections(content, plan.media_type))
        ]
    except Unreadable as error:
        tell(Refused(str(error)))
        return
    except MemoryError:
        tell(Refused(TOO_LARGE))
        return
    tell(Counted(len(found)))
    for first in range(0, len(found), AT_ONCE):
        tell(Cut(found[first : first + AT_ONCE]))


TOO_LARGE = f"reading the document takes more than {MOST_BYTES >> 20} MB of memory: split it"

TOO_LONG = f"reading the document takes more than {MOST_CPU_S} s: split it"

BROKE = "the document breaks what reads it: it may be damaged"

if __name__ == "__main__":
    main()
