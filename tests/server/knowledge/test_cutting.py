"""Sections as passages."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.cutting import PASSAGE_TOKENS, passages, tokens
from server.knowledge.reading import Section

SENTENCES = [
    f"This is sentence number {number}, which Mr. Baker wrote at no. {number} of the e.g. longest."
    for number in range(60)
]


def cut(text: str, heading: str = "") -> list[str]:
    return [passage.text for passage in passages([Section(heading, 0, text)])]


def test_passages_end_where_sentences_end_and_begin_with_the_end_of_the_one_before() -> None:
    found = cut(" ".join(SENTENCES))
    assert len(found) > 5
    for text in found:
        assert text.startswith("This is sentence")
        assert text.endswith("longest.")
        assert tokens(text) <= PASSAGE_TOKENS
    for one, following in itertools.pairwise(found):
        first = following.index("longest.") + len("longest.")
        assert one.endswith(following[:first])
    for sentence in SENTENCES:
        assert any(sentence in text for text in found)


def test_a_passage_stays_below_its_heading() -> None:
    some = [Section("Hours", 0, "We open at six."), Section("Prices", 16, "Rye costs four.")]
    assert [(one.number, one.heading, one.position, one.text) for one in passages(some)] == [
        (0, "Hours", 0, "We open at six."),
        (1, "Prices", 16, "Rye costs four."),
    ]


def test_a_long_heading_takes_its_room_from_the_passage() -> None:
    found = cut(" ".join(SENTENCES), "Prices " * 100)
    assert all(tokens(text) <= PASSAGE_TOKENS - 20 for text in found)


def test_what_has_no_sentences_is_cut_between_words_or_anywhere() -> None:
    words = [f"w{random.Random(number).random()}" for number in range(500)]
    found = cut(" ".join(words))
    assert " ".join(found).split() == words
    assert "".join(cut("面包" * 1000)) == "面包" * 1000
    assert all(tokens(text) <= PASSAGE_TOKENS for text in cut("x" * 100_000))
    assert cut("- - -  ...") == ["- - -  ..."]


def test_lines_are_sentences_too() -> None:
    found = cut("\n".join(f"Bread number {number} | {number} euros |" for number in range(100)))
    assert all(text.startswith("Bread number") and text.endswith("euros |") for text in found)


@given(st.text(max_size=3000), st.text(max_size=300))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, heading: str) -> None:
    section = Section(heading, 7, text)
    found = list(passages([section]))
    assert [one.number for one in found] == list(range(len(found)))
    covered = 0
    for one in found:
        start = text.index(one.text, max(0, one.position - 7))
        assert (
            text[covered:start].strip() == "" or start <= covered or not tokens(text[covered:start])
        )
        covered = max(covered, start + len(one.text))
        assert tokens(one.text) <= PASSAGE_TOKENS
    assert tokens(text[covered:]) == 0
