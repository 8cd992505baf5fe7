"""Who goes through to an endpoint, and who must leave."""

import asyncio

from actors.gate import Gate, Ticket
from engine.inference import Priority


class Asker:
    """One request at the gate."""

    def __init__(self, gate: Gate, priority: Priority, deadline: float = 1.0) -> None:
        self.told_to_leave = 0
        self.ticket = Ticket(priority, deadline, self._leave)
        self.task = asyncio.create_task(gate.enter(self.ticket))

    def _leave(self) -> None:
        self.told_to_leave += 1

    @property
    def inside(self) -> bool:
        return self.task.done()


async def turn() -> None:
    """Let the others run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_at_stake_comes_first_then_the_earliest_deadline() -> None:
    gate = Gate(1)
    first = Asker(gate, Priority.BATCH)
    await turn()
    later = Asker(gate, Priority.PARTIAL, deadline=9)
    sooner = Asker(gate, Priority.PARTIAL, deadline=5)
    least = Asker(gate, Priority.BATCH)
    order = []
    await turn()
    inside = first
    for _ in range(3):
        gate.leave(inside.ticket)
        await turn()
        inside = next(one for one in (later, sooner, least) if one.inside and one not in order)
        order.append(inside)
    assert order == [sooner, later, least]
    assert len(gate) == 1


async def test_urgent_work_has_speculative_work_leave_that_has_not_begun() -> None:
    gate = Gate(2)
    begun = Asker(gate, Priority.SPECULATIVE, deadline=9)
    waiting = Asker(gate, Priority.SPECULATIVE, deadline=5)
    await turn()
    begun.ticket.begun = True
    urgent = Asker(gate, Priority.FIRST)
    await turn()
    assert (begun.told_to_leave, waiting.told_to_leave) == (0, 1)
    assert not urgent.inside
    gate.leave(waiting.ticket)
    await turn()
    assert urgent.inside


async def test_a_promoted_request_may_not_be_displaced_and_displaces() -> None:
    gate = Gate(1)
    inside = Asker(gate, Priority.SPECULATIVE)
    await turn()
    gate.promote(inside.ticket, Priority.FIRST, 1.0)
    urgent = Asker(gate, Priority.FIRST)
    await turn()
    assert inside.told_to_leave == 0
    gate.leave(inside.ticket)
    await turn()
    assert urgent.inside


async def test_who_gives_up_waiting_leaves_no_place_behind() -> None:
    gate = Gate(1)
    inside = Asker(gate, Priority.FIRST)
    await turn()
    impatient = Asker(gate, Priority.FIRST)
    await turn()
    impatient.task.cancel()
    await turn()
    gate.leave(impatient.ticket)
    gate.leave(inside.ticket)
    gate.leave(inside.ticket)
    assert len(gate) == 0
