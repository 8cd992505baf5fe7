"""What sounds like a key term is written as it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.key_terms import respelled

_KNOWN = """
i mean voice forge please is down ask does life kit work with bright water bank what
times eleven the of river wide live and kiss me happy birthday gets better this test
walked home a mile to version two take more line goes into it wish would
"""
KNOWN = frozenset(_KNOWN.split())
TERMS = ("VoiceForge", "Zadarma", "Moritz Keller", "LiveKit", "Elowen", "Vapi", "Brightwater Bank")


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("I mean voice forge, please.", "I mean VoiceForge, please."),
        ("Is Sodarma down?", "Is Zadarma down?"),
        ("Ask Morris Keller.", "Ask Moritz Keller."),
        ("Does life kit work with bright water bank?", "Does LiveKit work with Brightwater Bank?"),
        ("VAPI calls voice-forge.", "Vapi calls VoiceForge."),
    ],
)
def test_almost_a_term_is_the_term(heard: str, written: str) -> None:
    assert respelled(heard, TERMS, KNOWN) == written


@pytest.mark.parametrize(
    "said",
    [
        "What is twelve times eleven?",
        "I have a voice. Forge it.",
        "The bank of the bright river is wide.",
        "Live, and kiss me.",
        "Happy birthday!",
        "Life gets better.",
        "",
        "?!",
    ],
)
def test_ordinary_words_stay(said: str) -> None:
    assert respelled(said, TERMS, KNOWN) == said


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("This is a test.", "Isa"),
        ("I walked home.", "Walker"),
        ("I walked a mile.", "Walker"),
        ("What version is it?", "Verizon"),
        ("It goes into it.", "Intuit"),
        ("I would like a more.", "Amore"),
        ("Take the line to me.", "Alone"),
    ],
)
def test_names_that_are_almost_words_take_no_words_place(said: str, term: str) -> None:
    assert respelled(said, (term,), KNOWN) == said
    assert respelled(f"Ask {term.lower()}.", (term,), KNOWN) == f"Ask {term}."


def test_without_terms_nothing_changes() -> None:
    assert respelled("voice forge", (), KNOWN) == "voice forge"
    assert respelled("voice forge", ("!", "7"), KNOWN) == "voice forge"


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_any_text_and_terms_will_do(text: str, terms: list[str]) -> None:
    respelled(text, terms, KNOWN)


@given(st.lists(st.sampled_from(TERMS), min_size=1, max_size=5))
def test_what_is_right_already_stays(said: list[str]) -> None:
    text = ", ".join(said) + "."
    assert respelled(text, TERMS, KNOWN) == text


def test_many_terms_and_a_long_turn_take_milliseconds() -> None:
    terms = [
        f"{one}{other}" for one in ("Volt", "Nord", "Quant") for other in map(chr, range(97, 123))
    ]
    text = "the quick brown fox jumps over the lazy dog and goes on for a while " * 5
    began = time.perf_counter()
    respelled(text, terms, KNOWN)
    assert time.perf_counter() - began < 1
