"""Stable partials."""

from hypothesis import given
from hypothesis import strategies as st

from actors.agreement import Agreement

WORDS = st.sampled_from(
    ["I", "I'd", "like", "to", "Two", "two,", "too", "order.", "order", "a", "-"]
)
HYPOTHESES = st.lists(st.lists(WORDS, max_size=9).map(" ".join), max_size=12)


@given(HYPOTHESES, st.lists(WORDS, max_size=9).map(" ".join))
def test_what_is_stable_never_changes_and_begins_every_text(partials: list[str], end: str) -> None:
    agreement = Agreement()
    before = ""
    for partial in partials:
        stable, text = agreement.update(partial)
        assert stable.startswith(before)
        assert text.startswith(stable)
        before = stable
    stable, text = agreement.final(end)
    assert stable.startswith(before)
    assert text == end


@given(HYPOTHESES)
def test_a_word_becomes_stable_only_where_two_hypotheses_had_it(partials: list[str]) -> None:
    agreement = Agreement()
    for at, partial in enumerate(partials):
        count = len(agreement.update(partial)[0].split())
        assert count <= max(sum(len(p.split()) for p in partials[: at + 1]) - 1, 0)
        if at == 0:
            assert count == 0


def test_the_last_agreed_word_is_held_back() -> None:
    agreement = Agreement()
    assert agreement.update("Can I speak to some") == ("", "Can I speak to some")
    assert agreement.update("Can I speak to some one") == (
        "Can I speak to",
        "Can I speak to some one",
    )
    assert agreement.update("Can I speak to someone about") == (
        "Can I speak to",
        "Can I speak to someone about",
    )


def test_case_and_punctuation_do_not_count_and_the_first_agreed_spelling_stays() -> None:
    agreement = Agreement()
    agreement.update("i like, to order")
    assert agreement.update("I like to order, a pizza")[0] == "I like to"
    assert agreement.update("i. LIKE. to order a pizza") == (
        "I like to order a",
        "I like to order a pizza",
    )


def test_a_stable_word_that_is_later_heard_otherwise_stays_until_the_final() -> None:
    agreement = Agreement()
    agreement.update("I like to order a")
    agreement.update("I like to order a")
    assert agreement.update("I'd like to order a large") == (
        "I like to order",
        "I like to order a large",
    )
    assert agreement.final("I'd like to order a large pizza.") == (
        "I like to order a large pizza.",
        "I'd like to order a large pizza.",
    )


def test_a_final_that_agrees_completes_the_pieces() -> None:
    agreement = Agreement()
    agreement.update("Who painted the")
    agreement.update("Who painted the Mona")
    assert agreement.final("Who painted the Mona Lisa?") == (
        "Who painted the Mona Lisa?",
        "Who painted the Mona Lisa?",
    )


def test_an_empty_hypothesis_takes_nothing_back() -> None:
    agreement = Agreement()
    agreement.update("one two three")
    agreement.update("one two three")
    assert agreement.update("") == ("one two", "one two")
    assert agreement.final("") == ("one two", "")
