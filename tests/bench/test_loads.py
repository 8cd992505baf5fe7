"""The loads of the other measurements: recordings, gateways, batches, answers."""

import pytest

from bench.answerer import ANSWERS, events
from bench.batching import clips, run_note, utterances
from bench.fairness import blocks
from bench.scale import Trial, efficiency
from engine.load import Load


def test_efficiency_is_what_a_session_costs_alone_over_what_it_costs_among_others() -> None:
    trials = [
        *(Trial(1, 20, (cost,), True, 3.0) for cost in (40.0, 44.0, 36.0)),
        *(Trial(3, 20, (cost, 48.0, 47.0), True, 3.0) for cost in (48.0, 50.0, 52.0)),
    ]

    row = efficiency("scaling_efficiency", trials, 3, 20)
    assert row.ours == pytest.approx(0.8)
    assert row.low is not None
    assert efficiency("scaling_efficiency", trials, 2, 20).ours is None


def test_the_busiest_gateway_is_full_first() -> None:
    trials = [Trial(1, 20, (40.0,), True, 3.0), Trial(2, 20, (80.0, 0.0), True, 3.0)]

    assert efficiency("scaling_efficiency", trials, 2, 20).ours == 0.5


def test_a_workers_batches_are_told() -> None:
    note = run_note(Load(lanes=2, worked_ms=1500.0, batches={1: 16, 4: 2}))

    assert note == "2 lanes, batches 16 of 1, 2 of 4, 1.5 s of work"


def test_the_same_requests_are_drawn_for_a_seed() -> None:
    assert clips(1) == clips(1)
    assert len(utterances(1)) == 16
    assert clips(1) != clips(2)


def test_blocks_come_in_pairs_with_and_without_load() -> None:
    plan = blocks(3, 4, seed=1)

    for at in range(0, 6, 2):
        (first, said), (second, same) = plan[at : at + 2]
        assert {first, second} == {False, True}
        assert said == same
        assert not any(one.into or one.mhm for one in said)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_streamed_word_by_word(text: str) -> None:
    parts = events(text)

    assert len(parts) == len(text.split()) + 1
    assert parts[-1].endswith(b"data: [DONE]\n\n")
    assert sum(text.count(stop) for stop in ".?!") == 2
