"""Turns found in a recording, and what became of them."""

import numpy as np
import pytest

from bench.sound import QUIET_DBFS, Sound, amplitude, load, load_turns, noise
from bench.takes import FIRST_S, Exchange, exchange, exchanges, microphone, place

HZ = 16_000
GAP_S = 6.0
TURNS = [turn for turn in load_turns() if turn.kind == "question"][:2]


def room(seconds: float, seed: int = 9) -> Sound:
    return noise(round(seconds * HZ), QUIET_DBFS, np.random.default_rng(seed))


def tone(seconds: float) -> Sound:
    return np.full(round(seconds * HZ), amplitude(-20), np.float32)


def heard_at(*at_s: float, length_s: float = 1.0, all_s: float = 60.0) -> Sound:
    """A recording in which the agent is audible from these moments on."""
    heard = np.zeros(round(all_s * HZ), np.float32)
    for begin in at_s:
        first = round(begin * HZ)
        heard[first : first + round(length_s * HZ)] = tone(length_s)
    return heard


def last_voiced_s(number: int, late_s: float = 0.0) -> float:
    _, takes = microphone(TURNS, GAP_S, HZ, 1)
    return takes[number].at_s + TURNS[number].last_voiced_ms / 1000 + late_s


def test_the_first_turn_waits_for_the_call_and_each_has_its_gap() -> None:
    sound, takes = microphone(TURNS, GAP_S, HZ, 1)
    lengths = [len(load(turn, HZ)) / HZ for turn in TURNS]

    wanted = pytest.approx([FIRST_S, FIRST_S + lengths[0] + GAP_S])
    assert [take.at_s for take in takes] == wanted
    assert len(sound) / HZ == pytest.approx(FIRST_S + sum(lengths) + 2 * GAP_S)


def test_a_turn_is_found_to_the_sample_however_loud_it_was_recorded() -> None:
    clip = load(TURNS[0], HZ)
    said = np.concatenate([room(3), clip * np.float32(0.2), room(3)])

    assert place(said, clip, 0, 4 * HZ) == 3 * HZ


def test_another_turn_is_not_taken_for_it() -> None:
    said = np.concatenate([room(3), load(TURNS[1], HZ), room(6)])

    assert place(said, load(TURNS[0], HZ), 0, 4 * HZ) is None


def test_a_recording_that_ends_before_it_does_not_hold_it() -> None:
    assert place(room(1), load(TURNS[0], HZ), 0, HZ) is None


@pytest.mark.parametrize("late_s", [-0.5, 0.0, 0.7])
def test_latency_is_from_the_last_voiced_sample_whenever_the_microphone_opened(
    late_s: float,
) -> None:
    sound, takes = microphone(TURNS, GAP_S, HZ, 1)
    late = round(abs(late_s) * HZ)
    said = np.concatenate([room(late_s), sound]) if late_s > 0 else sound[late:]
    answers = [last_voiced_s(n, late_s) + 0.4 for n in range(2)]

    found = exchanges(takes, GAP_S, said, heard_at(*answers), HZ)

    assert [one.outcome for one in found] == ["answered"] * 2
    assert [one.latency_ms for one in found] == pytest.approx([400, 400], abs=0.2)
    assert found[0].answer_s == pytest.approx((answers[0], answers[0] + 1.0), abs=0.001)


def test_a_turn_that_nobody_answers_before_the_next_one_is_lost() -> None:
    sound, takes = microphone(TURNS, GAP_S, HZ, 1)

    first, second = exchanges(takes, GAP_S, sound, heard_at(last_voiced_s(1) + 1), HZ)

    assert (first.outcome, first.latency_ms) == ("lost", None)
    assert second.outcome == "answered"


def test_a_turn_that_the_microphone_did_not_record_is_nobodys_fault() -> None:
    _, takes = microphone(TURNS[:1], GAP_S, HZ, 1)

    (one,) = exchanges(takes, GAP_S, room(20), heard_at(), HZ)

    assert one == Exchange(TURNS[0].file, "unsaid")


@pytest.mark.parametrize(
    ("before_end_s", "outcome"), [(0.1, "cut"), (1.0, "cut"), (2.55, "over"), (4.0, "answered")]
)
def test_an_agent_that_is_heard_too_early_cut_the_turn_or_was_spoken_over(
    before_end_s: float, outcome: str
) -> None:
    turn = TURNS[0]
    at = 10 * HZ
    end_s = 10 + turn.last_voiced_ms / 1000
    length_s = 0.05
    heard = heard_at(end_s - before_end_s, end_s + 0.5, length_s=length_s)

    assert exchange(turn, at, 20 * HZ, heard, HZ).outcome == outcome
