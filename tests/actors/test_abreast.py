"""How many answers the embedded LLM makes at once."""

import pytest

from actors.abreast import best_at_once


@pytest.mark.parametrize(
    ("steps_ms", "most", "best"),
    [
        ({1: 23, 2: 48}, 2, 1),  # arithmetic is what takes time
        ({1: 50, 2: 48}, 2, 2),  # the reading of the weights is
        ({1: 50, 2: 48, 4: 71}, 4, 4),
        ({1: 50, 2: 48, 4: 96}, 4, 2),
        ({1: 20, 2: 31, 4: 32}, 4, 1),  # the first step is not worth it
        ({1: 20}, 1, 1),
    ],
)
def test_more_at_once_as_long_as_that_is_worth_it(
    steps_ms: dict[int, float], most: int, best: int
) -> None:
    assert best_at_once(steps_ms.__getitem__, most) == best
