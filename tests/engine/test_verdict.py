"""The turn verdict."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.verdict import Eagerness, patience_ms

EAGERNESS: list[Eagerness] = ["high", "medium", "low"]


def test_a_whole_sentence_that_sounds_whole_ends_soonest() -> None:
    assert patience_ms(0.9, "Who painted the Mona Lisa?") == 400
    assert patience_ms(None, "Who painted the Mona Lisa?") == 600
    assert patience_ms(0.02, "Who painted the Mona Lisa?") == 1200


def test_words_that_lead_on_outweigh_a_sound_of_completion() -> None:
    assert patience_ms(0.99, "I'd like to order a pizza with.") == 1500
    assert patience_ms(0.99, "My account number is four, seven, two.") == 1300
    assert patience_ms(0.99, "Could I, um,") == 2000


def test_doubted_words_cannot_say_that_a_turn_is_whole() -> None:
    heard = "My emailed dress is on it."
    assert patience_ms(0.9, heard, confidence=0.7) == 1300
    assert patience_ms(0.9, heard, confidence=0.8) == 400
    assert patience_ms(0.9, "Could I, um,", confidence=0.7) == 2000
    assert patience_ms(0.9, "", confidence=0.0) == 400


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=60))
def test_a_better_score_never_asks_for_more_patience(one: float, other: float, text: str) -> None:
    low, high = sorted((one, other))
    assert patience_ms(high, text) <= patience_ms(low, text)


@given(st.none() | st.floats(0, 1), st.text(max_size=60))
def test_eagerness_orders_patience_and_bounds_hold(score: float | None, text: str) -> None:
    waits = [patience_ms(score, text, eagerness) for eagerness in EAGERNESS]
    assert all(sooner <= later for sooner, later in itertools.pairwise(waits))
    assert patience_ms(score, text, "auto") == patience_ms(score, text, "medium")
    assert all(240 <= wait <= 4000 for wait in waits)
