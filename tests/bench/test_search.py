"""The search for what a process can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.search import PRECISION, largest


@given(limit=st.integers(1, 5000), start=st.integers(1, 5000))
def test_the_largest_load_is_found_from_anywhere(limit: int, start: int) -> None:
    found = largest(lambda load: load <= limit, start)

    assert found <= limit
    assert limit - found <= max(1, found * PRECISION)


def test_what_holds_nothing_holds_zero() -> None:
    assert largest(lambda load: False, 20) == 0


def test_a_load_that_fails_once_is_tried_again() -> None:
    tried: list[int] = []

    def stalls_once(load: int) -> bool:
        tried.append(load)
        return load <= 100 and tried.count(load) > 1

    assert largest(stalls_once, 100) == pytest.approx(100, abs=4)
