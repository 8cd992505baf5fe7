"""CPU time by part, on a clock of the test's own."""

from bench.parts import Parts


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_part_has_its_own_time_and_not_that_of_the_parts_it_calls() -> None:
    clock = Clock()
    parts = Parts(clock)

    class Machine:
        def outer(self) -> None:
            clock.now += 1
            self.inner()
            clock.now += 2

        def inner(self) -> None:
            clock.now += 10

    parts.time("outer", Machine, "outer")
    parts.time("inner", Machine, "inner")
    machine = Machine()
    machine.outer()
    clock.now += 100  # belongs to nobody
    machine.outer()
    machine.inner()

    assert dict(parts.spent_s) == {"outer": 6, "inner": 30}


def test_a_part_that_fails_has_its_time_too() -> None:
    clock = Clock()
    parts = Parts(clock)

    def fails() -> None:
        clock.now += 3
        raise ValueError("no")

    counted = parts.timed("fails", fails)
    for _ in range(2):
        try:
            counted()
        except ValueError:
            clock.now += 50

    assert dict(parts.spent_s) == {"fails": 6}
