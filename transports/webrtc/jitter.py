"""The jitter buffer: packets in their order, late ones waited for as long as it pays.

It is made for listening, not for playing: the packet that is next is passed on at once, so that a
steady line costs no delay at all. Only where one is missing do those after it wait, and for how
long is learnt from how late the late ones were.
"""

from collections.abc import Iterator

import msgspec

from transports.webrtc.packet import SEQUENCE, Packet, sequence_after

FIRST_S, LEAST_S, MOST_S = 0.04, 0.02, 0.2
"""How long a missing packet is waited for: at first, and within what bounds."""

SPARE = 1.25
"""The next late packet may be so much later than the latest one."""

FORGETS = 0.998
"""Per packet: after ten seconds without a late one the wait is a third of what it was."""

MOST_AHEAD = 100
"""Packets, two seconds: what is further from the next one belongs to a stream that begins anew."""

STRAYS = 3
"""So many packets far behind the next one are no stray ones."""


class Lost(msgspec.Struct, frozen=True):
    """So many packets did not come; `following` is the one after them."""

    count: int
    following: Packet


class JitterBuffer:
    """The packets of one source. `now` is in seconds, of any clock that goes forward."""

    def __init__(self) -> None:
        self._waiting: dict[int, Packet] = {}
        self._missed: dict[int, float] = {}
        self._next: int | None = None
        self._highest = 0
        self._strays = 0
        self._lateness_s = FIRST_S / SPARE

    @property
    def wait_s(self) -> float:
        """How long a missing packet is waited for now."""
        return max(LEAST_S, min(MOST_S, self._lateness_s * SPARE))

    def put(self, packet: Packet, now: float) -> None:
        """Take one as it comes: in order, early, late, twice."""
        sequence = packet.sequence
        ahead = 0 if self._next is None else sequence_after(sequence, self._next)
        if self._next is None or ahead > MOST_AHEAD or self._strayed(ahead):
            self._begin(sequence)
        self._lateness_s *= FORGETS
        self._note(sequence, now)
        if ahead >= 0:
            self._waiting[sequence] = packet

    def take(self, now: float) -> Iterator[Packet | Lost]:
        """What can be passed on by now, in order."""
        while self._waiting and self._next is not None:
            packet = self._waiting.pop(self._next, None)
            if packet is not None:
                self._next = (self._next + 1) % SEQUENCE
                yield packet
            elif now < self._gives_up_at(self._next):
                return
            else:
                after = min(self._waiting, key=self._ahead)
                count, self._next = self._ahead(after), after
                yield Lost(count, self._waiting[after])

    def due(self) -> float | None:
        """When `take` will give up on a missing packet; None if it waits for none."""
        if not self._waiting or self._next is None or self._next in self._waiting:
            return None
        return self._gives_up_at(self._next)

    def _note(self, sequence: int, now: float) -> None:
        """See which packets are missing, and how late those are that were."""
        beyond = sequence_after(sequence, self._highest)
        for missing in range(1, beyond):
            self._missed[(self._highest + missing) % SEQUENCE] = now
        if beyond > 0:
            self._highest = sequence
        elif (missed_at := self._missed.pop(sequence, None)) is not None:
            self._lateness_s = max(self._lateness_s, now - missed_at)
        while len(self._missed) > MOST_AHEAD:
            del self._missed[next(iter(self._missed))]

    def _strayed(self, ahead: int) -> bool:
        """Whether the stream goes on far behind where it was."""
        self._strays = self._strays + 1 if ahead < -MOST_AHEAD else 0
        return self._strays >= STRAYS

    def _begin(self, sequence: int) -> None:
        self._waiting.clear()
        self._missed.clear()
        self._next = self._highest = sequence
        self._strays = 0

    def _gives_up_at(self, sequence: int) -> float:
        return self._missed.get(sequence, 0.0) + self.wait_s

    def _ahead(self, sequence: int) -> int:
        assert self._next is not None
        return sequence_after(sequence, self._next)
