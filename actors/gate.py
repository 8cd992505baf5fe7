"""The order in which requests go to an endpoint that knows no priorities itself."""

import asyncio
from collections.abc import Callable
from itertools import takewhile
from math import inf

from engine.inference import Priority

NEED_S = 2.0
"""So long before its voice runs out of words an answer needs the endpoint again, and keeps it: the
next sentence and its speech must still be made. Who has begun to speak is not left without words,
however many wait."""

PATIENCE_S = 5.0
"""Of who has a long prompt to read. With two answers at once both places must be free at the same
moment; before there was a bound, callers who kept coming kept one out for 57 s."""

COMFORT_S = 3.0
"""An answer so far ahead of its voice is in no hurry."""


class Ticket:
    """One request at the gate. `preempt` is called when it should make room for a more urgent one,
    and tells whether it does so at once; until then it may be allowed to stay after all.

    It is never called once the request has `begun` to answer, as what was said of an answer cannot
    be unsaid, unless it is `resumable`: then it may stop and go on, as what reads a long prompt may
    before it begins. `deadline` (of the loop's clock) is that of the first words; `lead_s` tells
    how far what was said is ahead of its voice.
    """

    def __init__(
        self,
        priority: Priority,
        deadline: float,
        preempt: Callable[[], bool],
        lead_s: Callable[[], float],
    ) -> None:
        self.priority = priority
        self.deadline = deadline
        self.preempt = preempt
        self.resumable = False
        self.lead_s = lead_s
        self.waits_since: float | None = None
        self.leaving = False
        self.going = False
        self.begun = False
        self.admitted: asyncio.Future[None] | None = None

    def urgency(self, now: float) -> tuple[Priority, float]:
        """What is at stake, then by when it needs the endpoint; less is more urgent.

        An answer that is far ahead can wait like one that may never be heard.
        """
        if not self.begun:
            return self.priority, self.deadline
        lead_s = self.lead_s()
        if lead_s >= COMFORT_S:
            return max(self.priority, Priority.SPECULATIVE), now + lead_s - NEED_S
        return self.priority, -inf if lead_s < NEED_S else now + lead_s - NEED_S


class Gate:
    """Lets the `at_once` most urgent requests through, which it finds out again and again.

    Whenever others become more urgent, those inside are told to leave if they lose nothing by it,
    and come in again when it is their turn.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: list[Ticket] = []
        self._inside: list[Ticket] = []

    async def enter(self, ticket: Ticket) -> None:
        """Wait for a place. Every `enter`, also a cancelled one, needs its `leave`."""
        loop = asyncio.get_running_loop()
        ticket.leaving = ticket.going = False
        ticket.waits_since = loop.time()
        ticket.admitted = loop.create_future()
        self._waiting.append(ticket)
        self.review()
        await ticket.admitted

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, waiting or inside. Idempotent."""
        for those in (self._waiting, self._inside):
            if ticket in those:
                those.remove(ticket)
                self.review()

    def promote(self, ticket: Ticket, priority: Priority, deadline: float) -> None:
        """Change the ticket's place, and what it may be preempted by.

        Who asks for the same again is no later for it.
        """
        if priority == ticket.priority:
            deadline = min(deadline, ticket.deadline)
        elif priority < ticket.priority and ticket in self._waiting:
            ticket.waits_since = asyncio.get_running_loop().time()  # before, nobody waited for it
        ticket.priority = priority
        ticket.deadline = deadline
        self.review()

    @property
    def waiting(self) -> list[Ticket]:
        """Those outside whose answer has not begun."""
        return [ticket for ticket in self._waiting if not ticket.begun]

    @property
    def inside(self) -> int:
        """How many are inside."""
        return len(self._inside)

    @property
    def full(self) -> bool:
        """Whether there is no place, or others wait for one."""
        return len(self._inside) >= self._at_once or bool(self._waiting)

    def review(self) -> None:
        """See who should be inside now. To be called when somebody inside has said more."""
        alone = len(self._inside) < 2 or not any(map(_reads, self._inside))
        if alone and not self._waiting and not any(ticket.leaving for ticket in self._inside):
            return
        chosen = self._chosen(asyncio.get_running_loop().time())
        for ticket in filter(_movable, self._inside):
            told, ticket.leaving = ticket.leaving, ticket not in chosen
            if ticket.leaving and not told:
                ticket.going = ticket.preempt()
        for ticket in chosen:
            if len(self._inside) < self._at_once and ticket in self._waiting:
                self._waiting.remove(ticket)
                self._inside.append(ticket)
                if ticket.admitted is not None and not ticket.admitted.done():
                    ticket.admitted.set_result(None)

    def _chosen(self, now: float) -> list[Ticket]:
        """Those who should have the endpoint beside those who cannot stop, most urgent first.

        Of those whose voices run out of words who is inside goes on, then comes the one whose does
        so first. Who reads a long prompt leaves nothing for others, and has it alone. Others pass
        it until it has waited for `PATIENCE_S`: then nobody less urgent is let in any more, though
        who is inside goes on.
        """
        movable = [ticket for ticket in self._inside if _movable(ticket)]
        going = sum(ticket.going for ticket in self._inside)
        room = self._at_once - (len(self._inside) - len(movable) - going)
        outside = frozenset(self._waiting)
        candidates = sorted(
            [*movable, *self._waiting],
            key=lambda one: (*one.urgency(now), one in outside, one.lead_s()),
        )
        if room == self._at_once and candidates and _reads(candidates[0]):
            return candidates[:1]
        ahead = len(list(takewhile(lambda ticket: not _overdue(ticket, now), candidates)))
        behind = (one for one in candidates[ahead:] if one not in outside)
        chosen = (one for one in (*candidates[:ahead], *behind) if not _reads(one))
        return list(chosen)[: max(0, room)]


def _reads(ticket: Ticket) -> bool:
    """Whether it has much of its prompt left to read."""
    return ticket.resumable and not ticket.begun


def _overdue(ticket: Ticket, now: float) -> bool:
    """Whether others have passed it for long enough."""
    since = now if ticket.waits_since is None else ticket.waits_since
    return _reads(ticket) and now - since > PATIENCE_S


def _movable(ticket: Ticket) -> bool:
    """Whether it may be told to leave, losing nothing by it, or to stay. Who has begun leaves where
    a word ends.
    """
    if ticket.begun or ticket.resumable:
        return ticket.resumable
    return not ticket.going and (ticket.leaving or ticket.priority >= Priority.SPECULATIVE)
