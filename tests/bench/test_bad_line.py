"""What becomes of packets on a bad line; the line itself takes root, and is measured with."""

import random

import pytest

from bench.bad_line import Impairment


def test_a_good_line_neither_loses_nor_delays() -> None:
    draw = random.Random(1)

    assert {Impairment().delay_s(draw) for _ in range(1000)} == {0.0}


def test_a_share_is_lost_and_the_others_come_within_the_jitter_and_out_of_order() -> None:
    draw = random.Random(1)
    line = Impairment(loss=0.05, delay_ms=30, jitter_ms=30)
    delays = [line.delay_s(draw) for _ in range(20_000)]
    came = [delay for delay in delays if delay is not None]

    assert 1 - len(came) / len(delays) == pytest.approx(0.05, abs=0.01)
    assert 0 <= min(came) < 0.001
    assert 0.059 < max(came) <= 0.06
    assert sum(came) / len(came) == pytest.approx(0.03, abs=0.001)
    arrivals = [0.02 * n + delay for n, delay in enumerate(came)]
    assert arrivals != sorted(arrivals)


def test_nothing_comes_before_it_was_sent() -> None:
    draw = random.Random(1)
    line = Impairment(delay_ms=5, jitter_ms=30)

    assert min(line.delay_s(draw) or 0.0 for _ in range(1000)) == 0.0
