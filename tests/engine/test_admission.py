from engine.admission import (
    FEW,
    LEAST,
    MOST_LAG_MS,
    MOST_LATE,
    MOST_QUEUE_MS,
    MOST_WAIT_MS,
    RECOVER_S,
    SETTLE_S,
    WINDOW_S,
    Admission,
    Learnt,
    Signs,
    pressure_of,
)


class Machine:
    """A machine that has held `held` sessions; callers wait `wait_ms()` for each answer."""

    def __init__(self, held: int = 4, holds: int = 10) -> None:
        self.admission = Admission(Learnt(held))
        self.holds = holds
        self.sessions = 0
        self.refused = 0
        self.now = 0.0

    def wait_ms(self) -> float:
        return 100.0 if self.sessions <= self.holds else 300.0 * (self.sessions - self.holds + 4)

    def run(self, seconds: float, arriving_per_s: int = 0) -> None:
        for _ in range(int(seconds)):
            self.now += 1
            for _ in range(arriving_per_s):
                self.arrive()
            waits = [self.wait_ms()] * self.sessions
            self.admission.saw(Signs(self.sessions, waits_ms=waits), self.now)

    def arrive(self) -> bool:
        full = self.admission.ask(self.sessions, self.now)
        if full is None:
            self.sessions += 1
        else:
            self.refused += 1
            assert full.retry_after_s > 0
        return full is None


def test_what_is_known_to_fit_is_let_in_at_once() -> None:
    machine = Machine(held=5)
    assert [machine.arrive() for _ in range(5)] == [True] * 5


def test_beyond_that_callers_come_one_by_one() -> None:
    machine = Machine(held=5)
    assert [machine.arrive() for _ in range(7)] == [True] * 5 + [False] * 2
    machine.run(SETTLE_S)
    assert [machine.arrive() for _ in range(2)] == [True, False]


def test_a_flood_ends_near_what_the_machine_holds() -> None:
    machine = Machine(held=4, holds=10)
    machine.run(300, arriving_per_s=5)
    assert 10 <= machine.sessions <= 13  # the last ones are in before they have shown their cost
    assert machine.refused > 1000
    assert machine.admission.learnt.limit is not None
    assert machine.admission.learnt.limit <= 11


def test_what_was_held_with_people_talking_is_let_in_at_once_the_next_time() -> None:
    machine = Machine(held=4, holds=30)
    machine.run(20 * SETTLE_S, arriving_per_s=1)
    machine.run(2 * WINDOW_S)
    held = machine.admission.learnt.held
    assert held >= 15
    machine.sessions = 0
    machine.run(2 * WINDOW_S)
    assert all(machine.arrive() for _ in range(held))


def test_sessions_in_which_nobody_speaks_prove_nothing() -> None:
    machine = Machine(held=4)
    machine.sessions = 50
    for _ in range(100):
        machine.now += 1
        machine.admission.saw(Signs(50), machine.now)
    assert machine.admission.learnt.held == 4


def test_the_limit_recovers_slowly_when_more_would_fit() -> None:
    machine = Machine()
    machine.admission.learnt = Learnt(4, limit=6)
    machine.sessions = 6
    machine.run(RECOVER_S + WINDOW_S, arriving_per_s=1)
    assert machine.admission.learnt.limit == 7
    machine.run(2 * RECOVER_S)
    assert machine.admission.learnt.limit == 8  # somebody was still turned away at first
    machine.run(2 * RECOVER_S)
    assert machine.admission.learnt.limit == 8  # nobody is, so nothing is tried


def test_a_few_callers_are_never_turned_away_for_what_a_busy_machine_taught() -> None:
    admission = Admission(Learnt(8))
    for at in range(5):
        admission.saw(Signs(1, waits_ms=[MOST_WAIT_MS * 5] * FEW), at)
    assert admission.learnt.limit == LEAST
    assert [admission.ask(sessions, 5.0) for sessions in range(LEAST)] == [None] * LEAST


def test_an_idle_machine_whose_loop_is_late_learns_nothing() -> None:
    admission = Admission(Learnt(8))
    for at in range(60):
        admission.saw(Signs(0, lag_ms=MOST_LAG_MS * 5), at)
    assert admission.learnt == Learnt(8, None)


def test_a_burst_after_silence_is_measured_by_itself_not_by_the_silence() -> None:
    admission = Admission(Learnt(50))
    for at in range(30):
        admission.saw(Signs(0 if at < 15 else 2), at)
    for at in range(30, 33):
        admission.saw(Signs(40, waits_ms=[MOST_WAIT_MS * 2] * FEW), at)
    assert admission.learnt.limit is not None
    assert 20 <= admission.learnt.limit <= 34


def pressure(*seconds: Signs) -> float:
    return pressure_of(seconds)


def test_queues_waits_and_late_loops_are_pressure() -> None:
    assert pressure(Signs(1, waits_ms=[MOST_WAIT_MS * 2] * FEW)) == 2
    assert pressure(Signs(1, queued=FEW, queued_ms=MOST_QUEUE_MS * FEW * 3)) == 3
    assert pressure(Signs(1, queued=FEW * 2, late=FEW * 2)) == 1 / MOST_LATE
    assert pressure(*[Signs(1, lag_ms=MOST_LAG_MS * 2)] * 2) == 2


def test_one_slow_answer_or_one_late_wake_up_is_no_pressure() -> None:
    assert pressure(Signs(1, waits_ms=[MOST_WAIT_MS * 9])) == 0
    for others in (4, 9, 10):
        assert pressure(Signs(1, waits_ms=[10.0] * others + [MOST_WAIT_MS * 9])) < 0.1
    assert pressure(Signs(1), Signs(1, lag_ms=MOST_LAG_MS * 9), Signs(1)) == 0


def test_after_the_limit_is_lowered_only_what_comes_then_counts() -> None:
    admission = Admission(Learnt(8))
    admission.saw(Signs(8, waits_ms=[MOST_WAIT_MS * 2] * FEW), 0.0)
    assert admission.learnt == Learnt(6, 6)
    for at in range(1, 10):
        admission.saw(Signs(6, waits_ms=[100.0]), at)
    assert admission.learnt == Learnt(6, 6)


def test_a_whole_window_tells_how_many_too_many_there_were() -> None:
    admission = Admission(Learnt(40))
    limits = []
    for at in range(60):
        admission.saw(Signs(40, queued=50, late=int(50 * MOST_LATE * 1.25)), at)
        limits.append(admission.learnt.limit)
    assert limits[0] == limits[15] == 34
    assert limits[-1] == 32  # of 40, by 1.25


def test_but_not_by_more_than_may_be_the_sessions_fault() -> None:
    admission = Admission(Learnt(40))
    for at in range(60):
        admission.saw(Signs(40, waits_ms=[MOST_WAIT_MS * 9] * FEW), at)
    assert admission.learnt.limit == 28


def test_what_a_crowd_that_left_waited_for_does_not_count_against_those_who_stay() -> None:
    admission = Admission(Learnt(40, limit=30))
    crowded = Signs(30, waits_ms=[MOST_WAIT_MS * 1.5] * FEW)
    well = Signs(18, waits_ms=[MOST_WAIT_MS * 1.1] + [100.0] * 10)  # as one of ten may
    for at in range(60):
        admission.saw(crowded if at < 30 else well, at)
    assert admission.learnt.limit == 21  # 0.7 of 30


def test_half_of_the_work_after_its_deadline_is_too_many() -> None:
    admission = Admission(Learnt(30))
    admission.saw(Signs(20, queued=40, late=24), 0.0)
    assert admission.learnt.limit is not None
    assert admission.learnt.limit < 20


def test_pressure_is_forgotten_after_a_window() -> None:
    admission = Admission(Learnt(4))
    admission.saw(Signs(4, queued=FEW, queued_ms=MOST_QUEUE_MS * FEW * 0.9), 0.0)
    assert admission.ask(4, 1.0) is not None
    admission.saw(Signs(4), WINDOW_S + 1)
    assert admission.ask(4, WINDOW_S + 1) is None
