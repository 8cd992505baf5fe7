"""How many sessions a process can hold: the largest load that still passes."""

from collections.abc import Callable

PRECISION = 0.04  # of the answer: finer than what two runs on a shared machine differ by


def largest(passes: Callable[[int], bool], start: int, growth: float = 1.5) -> int:
    """The largest load that `passes`, to within 4 %; 0 if none does.

    Grows or shrinks from `start` until one load passes and a larger one fails, then halves between
    them. A load that fails is tried once more before it counts: a shared machine stalls now and
    then, and a stall is none of the load's doing.
    """
    good, bad = 0, 0
    load = start
    while load:
        if passes(load) or passes(load):
            good = load
        else:
            bad = load
        if not bad:
            load = int(good * growth) + 1
        elif not good:
            load = int(bad / growth)
        elif bad - good > max(1, good * PRECISION):
            load = (good + bad) // 2
        else:
            break
    return good
