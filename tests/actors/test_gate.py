"""Who goes through to an endpoint, and who must leave."""

import asyncio

import pytest

from actors.gate import COMFORT_S, NEED_S, PATIENCE_S, Gate, Ticket
from engine.inference import Priority


class Asker:
    """One request at the gate."""

    def __init__(self, gate: Gate, priority: Priority, deadline: float = 1.0) -> None:
        self.told_to_leave = 0
        self.leaves_at_once = True
        self.lead_s = 0.0
        self.ticket = Ticket(priority, deadline, self._leave, lambda: self.lead_s)
        self.task = asyncio.create_task(gate.enter(self.ticket))

    def _leave(self) -> bool:
        self.told_to_leave += 1
        return self.leaves_at_once

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
    assert gate.inside == 1


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


async def test_who_was_told_to_leave_may_stay_as_long_as_it_has_not() -> None:
    gate = Gate(1)
    reading = Asker(gate, Priority.SPECULATIVE)
    reading.leaves_at_once = False
    await turn()
    urgent = Asker(gate, Priority.FIRST, deadline=2)
    await turn()
    assert reading.ticket.leaving
    gate.promote(reading.ticket, Priority.FIRST, 1.0)
    assert not reading.ticket.leaving
    assert not urgent.inside
    gate.promote(reading.ticket, Priority.SPECULATIVE, 1.0)
    assert reading.ticket.leaving
    urgent.task.cancel()
    gate.leave(urgent.ticket)
    assert not reading.ticket.leaving, "nobody needs its place"


async def test_there_is_room_while_a_place_is_free_and_nobody_waits() -> None:
    gate = Gate(2)
    assert not gate.full
    first = Asker(gate, Priority.FIRST)
    await turn()
    assert not gate.full
    Asker(gate, Priority.FIRST)
    await turn()
    assert gate.full
    gate.leave(first.ticket)
    assert not gate.full


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
    assert (gate.inside, gate.full) == (0, False)


class Speaker(Asker):
    """An answer that is spoken; the test sets how far it is ahead of its voice."""

    def __init__(self, gate: Gate, lead_s: float = 0.0, *, begun: bool = False) -> None:
        super().__init__(gate, Priority.FIRST, asyncio.get_running_loop().time() + 0.5)
        self.lead_s = lead_s
        self.ticket.resumable = begun
        self.ticket.begun = begun

    def come_again(self, gate: Gate) -> None:
        gate.leave(self.ticket)
        self.task = asyncio.create_task(gate.enter(self.ticket))


async def test_who_is_ahead_of_its_voice_leaves_for_somebody_who_waits_for_words() -> None:
    gate = Gate(2)
    ahead, modest = Speaker(gate, 9.0, begun=True), Speaker(gate, 4.0, begun=True)
    await turn()
    gate.review()
    assert (ahead.told_to_leave, modest.told_to_leave) == (0, 0), "nobody needs their room"
    hurried = Speaker(gate)
    await turn()
    assert (ahead.told_to_leave, modest.told_to_leave) == (1, 0)
    gate.review()
    assert ahead.told_to_leave == 1
    ahead.come_again(gate)
    await turn()
    assert hurried.inside
    assert not ahead.inside
    assert not gate.waiting, "who rests keeps nobody waiting"
    gate.leave(hurried.ticket)
    await turn()
    assert ahead.inside


async def test_of_those_who_speak_the_one_whose_voice_runs_out_first_goes_on() -> None:
    gate = Gate(1)
    speaking = Speaker(gate, begun=True)
    await turn()
    late, later = Speaker(gate, 2.5, begun=True), Speaker(gate, 2.7, begun=True)
    await turn()
    assert not late.inside
    speaking.lead_s = 2.6  # it has come to the end of a sentence
    gate.review()
    assert speaking.told_to_leave == 1
    speaking.come_again(gate)
    await turn()
    assert late.inside
    gate.leave(late.ticket)
    await turn()
    assert speaking.inside
    assert not later.inside


async def test_of_those_who_run_out_of_words_the_first_to_do_so_comes_first() -> None:
    gate = Gate(1)
    speaking = Speaker(gate, 1.8, begun=True)
    await turn()
    short, silent = Speaker(gate, 1.5, begun=True), Speaker(gate, -1.0, begun=True)
    await turn()
    gate.review()
    assert speaking.told_to_leave == 0, "who is inside finishes what it has begun"
    gate.leave(speaking.ticket)
    await turn()
    assert silent.inside
    assert not short.inside


async def test_first_words_come_before_more_of_an_answer_that_is_ahead() -> None:
    gate = Gate(1)
    inside = Speaker(gate, begun=True)
    await turn()
    soon = Speaker(gate, COMFORT_S, begun=True)
    first = Speaker(gate)
    await turn()
    gate.leave(inside.ticket)
    await turn()
    assert first.inside
    assert not soon.inside


async def test_a_first_sentence_is_finished_however_long_others_have_waited() -> None:
    gate = Gate(1)
    inside = Speaker(gate)
    await turn()
    waiting = Speaker(gate)
    waiting.ticket.deadline -= 60
    inside.ticket.begun = inside.ticket.resumable = True
    await turn()
    gate.review()
    assert inside.told_to_leave == 0
    inside.lead_s = 2.2  # its first sentence is said
    gate.review()
    assert inside.told_to_leave == 1


async def test_an_answer_far_ahead_waits_for_one_that_may_never_be_heard() -> None:
    gate = Gate(1)
    ahead = Speaker(gate, 20.0, begun=True)
    await turn()
    soon = asyncio.get_running_loop().time() + 3
    prepared = Asker(gate, Priority.SPECULATIVE, deadline=soon)
    await turn()
    assert ahead.told_to_leave == 1
    gate.leave(ahead.ticket)
    await turn()
    assert prepared.inside


@pytest.mark.parametrize("at_once", [1, 4])
async def test_all_who_rest_come_back_when_nobody_is_in_a_hurry(at_once: int) -> None:
    gate = Gate(at_once)
    hurried = [Speaker(gate) for _ in range(at_once)]
    await turn()
    resting = [Speaker(gate, 9.0, begun=True) for _ in range(3)]
    await turn()
    assert not any(one.inside for one in resting)
    for one in hurried:
        gate.leave(one.ticket)
    await turn()
    assert [one.inside for one in resting].count(True) == min(at_once, 3)
    for one in resting:
        gate.leave(one.ticket)
        await turn()
    assert all(one.inside for one in resting)
    assert (gate.inside, gate.full) == (0, False)


async def test_what_cannot_go_on_later_is_not_stopped() -> None:
    gate = Gate(1)
    endless = Speaker(gate, 9.0, begun=True)
    endless.ticket.resumable = False
    await turn()
    hurried = Speaker(gate)
    await turn()
    assert endless.told_to_leave == 0
    gate.leave(endless.ticket)
    await turn()
    assert hurried.inside


async def test_who_gives_up_resting_is_forgotten() -> None:
    gate = Gate(1)
    hurried = Speaker(gate)
    await turn()
    ahead = Speaker(gate, 9.0, begun=True)
    await turn()
    assert (gate.inside, ahead.inside) == (1, False)
    ahead.task.cancel()
    gate.leave(ahead.ticket)
    gate.leave(hurried.ticket)
    await turn()
    assert (gate.inside, gate.full) == (0, False)


async def test_who_was_told_to_rest_stays_if_nobody_is_more_urgent_any_more() -> None:
    gate = Gate(1)
    ahead = Speaker(gate, 9.0, begun=True)
    await turn()
    hurried = Speaker(gate)
    await turn()
    assert ahead.ticket.leaving
    hurried.task.cancel()
    gate.leave(hurried.ticket)
    assert not ahead.ticket.leaving


async def test_who_asks_for_the_same_again_is_no_later_for_it() -> None:
    gate = Gate(1)
    inside = Asker(gate, Priority.FIRST)
    await turn()
    first, second = (Asker(gate, Priority.SPECULATIVE, deadline=5.0) for _ in range(2))
    await turn()
    gate.promote(first.ticket, Priority.FIRST, 6.0)
    gate.promote(second.ticket, Priority.FIRST, 7.0)
    gate.promote(first.ticket, Priority.FIRST, 8.0)
    gate.leave(inside.ticket)
    await turn()
    assert first.inside
    assert not second.inside


async def test_the_time_before_a_promotion_is_no_waiting() -> None:
    gate = Gate(1)
    Asker(gate, Priority.FIRST)
    await turn()
    prepared = Asker(gate, Priority.SPECULATIVE)
    await turn()
    since = prepared.ticket.waits_since
    await asyncio.sleep(0.01)
    gate.promote(prepared.ticket, Priority.FIRST, 1.0)
    assert since is not None
    assert prepared.ticket.waits_since is not None
    assert prepared.ticket.waits_since >= since + 0.01


async def test_a_long_prompt_is_read_alone_or_not_at_all() -> None:
    gate = Gate(2)
    reading = Asker(gate, Priority.FIRST, deadline=5)
    await turn()
    reading.ticket.resumable = True  # it has told that much is left
    sooner = Asker(gate, Priority.FIRST, deadline=1)
    await turn()
    assert sooner.inside
    assert reading.told_to_leave == 1
    gate.leave(reading.ticket)
    again = asyncio.create_task(gate.enter(reading.ticket))
    later = Asker(gate, Priority.FIRST, deadline=9)
    await turn()
    assert later.inside
    gate.leave(sooner.ticket)
    gate.leave(later.ticket)
    await turn()
    assert again.done()
    less = Asker(gate, Priority.SPECULATIVE, deadline=0)
    await turn()
    assert not less.inside


async def test_an_answer_far_ahead_rests_while_a_long_prompt_is_read() -> None:
    gate = Gate(2)
    speaking = Asker(gate, Priority.FIRST)
    reading = Asker(gate, Priority.FIRST, deadline=5)
    await turn()
    speaking.ticket.begun = speaking.ticket.resumable = True
    speaking.lead_s = COMFORT_S + 1
    reading.ticket.resumable = True
    gate.review()
    assert speaking.told_to_leave == 1
    assert reading.told_to_leave == 0


async def test_others_who_keep_coming_do_not_keep_a_long_prompt_out() -> None:
    gate = Gate(2)
    reading = Asker(gate, Priority.FIRST, deadline=5)
    await turn()
    reading.ticket.resumable = True
    gate.leave(reading.ticket)  # for what was more urgent
    here = [Asker(gate, Priority.FIRST, deadline=deadline) for deadline in (1, 2)]
    await turn()
    reading.task = asyncio.create_task(gate.enter(reading.ticket))
    await turn()
    assert reading.ticket.waits_since is not None
    reading.ticket.waits_since -= PATIENCE_S + 1
    later = [Asker(gate, Priority.FIRST, deadline=deadline) for deadline in (6, 7)]
    for one in here:
        gate.leave(one.ticket)
        await turn()
        assert not any(other.inside for other in later)
    assert reading.inside
    reading.ticket.resumable = False  # little is left
    gate.review()
    await turn()
    assert [other.inside for other in later] == [True, False]


async def test_who_speaks_goes_on_while_a_long_prompt_cannot_be_read_yet() -> None:
    gate = Gate(2)
    calling, speaking = (Asker(gate, Priority.FIRST) for _ in range(2))
    await turn()
    calling.ticket.begun = True  # a function call, which is never cut
    speaking.ticket.begun = speaking.ticket.resumable = True
    speaking.lead_s = (NEED_S + COMFORT_S) / 2
    reading = Asker(gate, Priority.FIRST, deadline=-100)
    reading.ticket.resumable = True
    await turn()
    assert reading.ticket.waits_since is not None
    reading.ticket.waits_since -= PATIENCE_S + 1
    gate.review()
    assert speaking.told_to_leave == 0
    gate.leave(calling.ticket)
    await turn()
    assert speaking.told_to_leave == 1
    gate.leave(speaking.ticket)
    await turn()
    assert reading.inside
