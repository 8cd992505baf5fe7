"""The order in which requests go to an endpoint that knows no priorities itself."""

import asyncio
import itertools
from collections.abc import Callable

from engine.deadlines import DeadlineQueue
from engine.inference import Priority


class Ticket:
    """One request at the gate. `preempt` is called when it must make room for a more urgent one.

    It never is once the request has `begun` to answer: what was said of an answer cannot be unsaid.
    """

    def __init__(self, priority: Priority, deadline: float, preempt: Callable[[], None]) -> None:
        self.priority = priority
        self.deadline = deadline
        self.preempt = preempt
        self.waits_since: float | None = None
        self.leaving = False
        self.begun = False
        self.admitted: asyncio.Future[None] | None = None


class Gate:
    """Lets at most `most` requests through at once: priority first, then earliest deadline.

    A request for a reply that somebody waits for does not wait for work that may never be heard:
    if all places are taken, the least urgent speculative (or batch) one that has not begun to
    answer is told to leave.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: DeadlineQueue[int, Ticket] = DeadlineQueue()
        self._inside: dict[int, Ticket] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._inside)

    async def enter(self, ticket: Ticket) -> None:
        """Wait for a place. Every `enter`, also a cancelled one, needs its `leave`."""
        loop = asyncio.get_running_loop()
        ticket.leaving = False
        ticket.waits_since = loop.time()
        ticket.admitted = loop.create_future()
        self._waiting.push(id(ticket), ticket, ticket.priority, ticket.deadline)
        self._admit()
        await ticket.admitted

    @property
    def waiting(self) -> list[Ticket]:
        """Those outside."""
        return list(self._waiting.items())

    @property
    def inside(self) -> int:
        """How many are inside."""
        return len(self._inside)

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, waiting or inside. Idempotent."""
        self._waiting.remove(id(ticket))
        self._inside.pop(id(ticket), None)
        self._admit()

    def promote(self, ticket: Ticket, priority: Priority, deadline: float) -> None:
        """Change the ticket's place, and what it may be preempted by."""
        ticket.priority = priority
        ticket.deadline = deadline
        if self._waiting.promote(id(ticket), priority, deadline):
            self._admit()

    def _admit(self) -> None:
        while self._waiting and len(self._inside) < self._most:
            key, ticket = self._waiting.pop()
            self._inside[key] = ticket
            if ticket.admitted is not None and not ticket.admitted.done():
                ticket.admitted.set_result(None)
        self._make_room()

    def _make_room(self) -> None:
        """Preempt for urgent requests that wait, one for each, counting those on their way out."""
        urgent = sum(1 for ticket in self._waiting.items() if ticket.priority is Priority.FIRST)
        leaving = sum(1 for ticket in self._inside.values() if ticket.leaving)
        idle_work = [
            ticket
            for ticket in self._inside.values()
            if ticket.priority >= Priority.SPECULATIVE and not (ticket.begun or ticket.leaving)
        ]
        idle_work.sort(key=lambda ticket: (ticket.priority, ticket.deadline), reverse=True)
        for ticket in itertools.islice(idle_work, max(0, urgent - leaving)):
            ticket.leaving = True
            ticket.preempt()
