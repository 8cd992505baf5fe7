"""The order in which requests go to an endpoint that knows no priorities itself."""

import asyncio
import itertools
from collections.abc import Callable

from engine.deadlines import DeadlineQueue
from engine.inference import Priority

AHEAD_S = 4.0
"""An answer so far ahead of the voice that speaks it can rest while others hurry."""

BEHIND_S = 2.5
"""One with less needs the endpoint: the end of a sentence (a second or two on a busy CPU) and its
speech must still be made."""

LONGEST_REST_S = 8.0
"""The lead is an estimate: after so long an answer that rests says another sentence."""


class Ticket:
    """One request at the gate. `preempt` is called when it must make room for a more urgent one.

    It never is once the request has `begun` to answer, as what was said of an answer cannot be
    unsaid, unless it is `resumable`: then it may stop and go on. `lead_s` tells how far the answer
    is ahead of the voice that speaks it.
    """

    def __init__(
        self,
        priority: Priority,
        deadline: float,
        preempt: Callable[[], None],
        lead_s: Callable[[], float],
        *,
        resumable: bool = False,
    ) -> None:
        self.priority = priority
        self.deadline = deadline
        self.preempt = preempt
        self.resumable = resumable
        self.lead_s = lead_s
        self.waits_since: float | None = None
        self.leaving = False
        self.begun = False
        self.admitted: asyncio.Future[None] | None = None


class Gate:
    """Lets at most `most` requests through at once: priority first, then earliest deadline.

    A request for a reply that somebody waits for does not wait for work that may never be heard:
    if all places are taken, the least urgent speculative (or batch) one that has not begun to
    answer is told to leave. And while anybody needs words soon, those that are far ahead of their
    voices rest outside: the fewer answer at once, the sooner each is heard.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: DeadlineQueue[int, Ticket] = DeadlineQueue()
        self._inside: dict[int, Ticket] = {}
        self._resting: dict[int, tuple[Ticket, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._inside) + len(self._resting)

    async def enter(self, ticket: Ticket) -> None:
        """Wait for a place. Every `enter`, also a cancelled one, needs its `leave`."""
        loop = asyncio.get_running_loop()
        ticket.leaving = False
        ticket.waits_since = loop.time()
        ticket.admitted = loop.create_future()
        rest_s = ticket.lead_s() - BEHIND_S
        if ticket.begun and rest_s > 0 and self.pressed:
            due = loop.call_later(min(rest_s, LONGEST_REST_S), self._rouse, ticket)
            self._resting[id(ticket)] = ticket, due
        else:
            self._queue(ticket)
        await ticket.admitted

    @property
    def waiting(self) -> list[Ticket]:
        """Those outside who want to come in."""
        return list(self._waiting.items())

    @property
    def inside(self) -> int:
        """How many are inside."""
        return len(self._inside)

    @property
    def pressed(self) -> bool:
        """Whether anybody needs words soon."""
        everybody = itertools.chain(self._waiting.items(), self._inside.values())
        return any(not ticket.leaving and ticket.lead_s() < BEHIND_S for ticket in everybody)

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, waiting or inside. Idempotent."""
        _, due = self._resting.pop(id(ticket), (None, None))
        if due is not None:
            due.cancel()
        self._waiting.remove(id(ticket))
        self._inside.pop(id(ticket), None)
        self._admit()

    def promote(self, ticket: Ticket, priority: Priority, deadline: float) -> None:
        """Change the ticket's place, and what it may be preempted by."""
        ticket.priority = priority
        ticket.deadline = deadline
        if self._waiting.promote(id(ticket), priority, deadline):
            self._admit()

    def advanced(self) -> None:
        """Somebody inside has said more: see who may rest, and who may come back."""
        self._make_room()
        self._rouse_all()

    def _queue(self, ticket: Ticket) -> None:
        self._waiting.push(id(ticket), ticket, ticket.priority, ticket.deadline)
        self._admit()

    def _rouse(self, ticket: Ticket) -> None:
        _, due = self._resting.pop(id(ticket))
        due.cancel()
        ticket.waits_since = asyncio.get_running_loop().time()
        self._queue(ticket)

    def _rouse_all(self) -> None:
        while self._resting and not self.pressed:
            ticket, _ = next(iter(self._resting.values()))
            self._rouse(ticket)  # who may rouse the next

    def _admit(self) -> None:
        while self._waiting and len(self._inside) < self._most:
            key, ticket = self._waiting.pop()
            self._inside[key] = ticket
            if ticket.admitted is not None and not ticket.admitted.done():
                ticket.admitted.set_result(None)
        self._make_room()
        self._rouse_all()

    def _make_room(self) -> None:
        """Tell those to leave who keep others waiting and lose nothing by it.

        Who has begun leaves where a word ends. If that takes so long that its lead is gone, or that
        nobody waits any more, it stays.
        """
        for ticket in self._inside.values():
            if ticket.begun and (ticket.lead_s() < BEHIND_S or not self.pressed):
                ticket.leaving = False
        inside = [ticket for ticket in self._inside.values() if not ticket.leaving]
        leaving = len(self._inside) - len(inside)
        if self.pressed:
            for ticket in inside:
                if ticket.begun and ticket.resumable and ticket.lead_s() >= AHEAD_S:
                    leaving += 1
                    _show_out(ticket)
        urgent = sum(1 for ticket in self._waiting.items() if ticket.priority is Priority.FIRST)
        idle_work = [
            ticket
            for ticket in inside
            if ticket.priority >= Priority.SPECULATIVE and not (ticket.begun or ticket.leaving)
        ]
        idle_work.sort(key=lambda ticket: (ticket.priority, ticket.deadline), reverse=True)
        for ticket in itertools.islice(idle_work, max(0, urgent - leaving)):
            _show_out(ticket)


def _show_out(ticket: Ticket) -> None:
    ticket.leaving = True
    ticket.preempt()
