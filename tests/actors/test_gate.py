"""Who goes through to an endpoint, and who must leave."""

import asyncio

import pytest

from actors.gate import BEHIND_S, Gate, Ticket
from engine.inference import Priority


class Asker:
    """One request at the gate."""

    def __init__(self, gate: Gate, priority: Priority, deadline: float = 1.0) -> None:
        self.told_to_leave = 0
        self.lead_s = 0.0
        self.ticket = Ticket(priority, deadline, self._leave, lambda: self.lead_s)
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


class Speaker(Asker):
    """An answer that is spoken; the test sets how far it is ahead of its voice."""

    def __init__(self, gate: Gate, lead_s: float) -> None:
        super().__init__(gate, Priority.FIRST)
        self.lead_s = lead_s
        self.ticket.resumable = True


async def test_who_is_far_ahead_of_its_voice_rests_while_somebody_waits_for_words() -> None:
    gate = Gate(4)
    ahead, modest = Speaker(gate, 9.0), Speaker(gate, 3.0)
    await turn()
    ahead.ticket.begun = modest.ticket.begun = True
    gate.advanced()
    assert (ahead.told_to_leave, modest.told_to_leave) == (0, 0), "nobody needs their room"
    hurried = Speaker(gate, 0.0)
    await turn()
    assert (ahead.told_to_leave, modest.told_to_leave) == (1, 0)
    gate.leave(ahead.ticket)
    ahead.task = asyncio.create_task(gate.enter(ahead.ticket))
    await turn()
    assert not ahead.inside
    assert not gate.waiting, "who rests keeps nobody waiting"
    hurried.lead_s = 2.6
    gate.advanced()
    await turn()
    assert ahead.inside, "nobody is in a hurry any more"


@pytest.mark.parametrize("most", [1, 4])
async def test_all_who_rest_come_back_when_nobody_is_in_a_hurry(most: int) -> None:
    gate = Gate(most)
    hurried = Speaker(gate, 0.0)
    resting = [Speaker(gate, 9.0) for _ in range(3)]
    for one in resting:
        one.ticket.begun = True
    await turn()
    assert not any(one.inside for one in resting)
    gate.leave(hurried.ticket)
    await turn()
    assert [one.inside for one in resting].count(True) == min(most, 3)
    for one in resting:
        gate.leave(one.ticket)
        await turn()
    assert all(one.inside for one in resting)
    assert len(gate) == 0


async def test_who_rests_comes_back_before_its_voice_runs_out_of_words() -> None:
    gate = Gate(4)
    hurried = Speaker(gate, 0.0)
    ahead = Speaker(gate, BEHIND_S + 0.05)
    await turn()
    gate.leave(ahead.ticket)
    ahead.ticket.begun = True
    ahead.task = asyncio.create_task(gate.enter(ahead.ticket))
    await turn()
    assert not ahead.inside
    await asyncio.wait_for(ahead.task, 5)
    assert hurried.inside


async def test_what_cannot_go_on_later_is_not_stopped() -> None:
    gate = Gate(4)
    ahead = Speaker(gate, 9.0)
    await turn()
    ahead.ticket.begun, ahead.ticket.resumable = True, False
    Speaker(gate, 0.0)
    await turn()
    assert ahead.told_to_leave == 0


async def test_who_gives_up_resting_is_forgotten() -> None:
    gate = Gate(1)
    hurried = Speaker(gate, 0.0)
    await turn()
    ahead = Speaker(gate, 9.0)
    ahead.ticket.begun = True
    await turn()
    assert len(gate) == 2
    ahead.task.cancel()
    gate.leave(ahead.ticket)
    gate.leave(hurried.ticket)
    await turn()
    assert len(gate) == 0


async def test_who_was_told_to_rest_and_fell_behind_meanwhile_stays() -> None:
    gate = Gate(4)
    ahead, hurried = Speaker(gate, 9.0), Speaker(gate, 0.0)
    ahead.ticket.begun = True
    await turn()
    gate.advanced()
    assert ahead.ticket.leaving
    ahead.lead_s = 1.0
    gate.advanced()
    assert not ahead.ticket.leaving
    assert gate.pressed
    gate.leave(hurried.ticket)
