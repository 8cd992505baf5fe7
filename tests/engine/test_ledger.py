"""The heard ledger."""

from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import SpokenWord
from engine.ledger import Ledger

WORD = 100  # samples


def ledger_of(*pieces: str) -> Ledger:
    ledger = Ledger()
    for piece in pieces:
        words = []
        at = 0
        for index, word in enumerate(piece.split()):
            start = piece.index(word, at)
            at = start + len(word)
            words.append(SpokenWord(start, at, index * WORD, (index + 1) * WORD))
        ledger.add(piece, len(words) * WORD, words)
    return ledger


def test_a_word_counts_once_half_of_it_is_out() -> None:
    ledger = ledger_of("one two three")
    ledger.sent(300)
    assert ledger.heard(0) == ""
    assert ledger.heard(49) == ""
    assert ledger.heard(151) == "one two"
    assert ledger.heard(300) == "one two three"


def test_what_was_not_sent_was_not_heard() -> None:
    ledger = ledger_of("one two three")
    ledger.sent(100)
    assert ledger.heard(300) == "one"


def test_pieces_follow_one_another() -> None:
    ledger = ledger_of("Hello there. ", "How are you?")
    ledger.sent(500)
    assert ledger.heard(399) == "Hello there. How are"
    assert ledger.heard(500) == "Hello there. How are you?"


def test_playout_goes_back_to_the_start_of_the_cut_word() -> None:
    ledger = ledger_of("one two three")
    ledger.sent(130)
    assert ledger.back_to_word() == 100
    ledger.sent(100)  # "two" again
    assert ledger.at_source(130) == 100
    assert ledger.at_source(230) == 200
    assert ledger.heard(230) == "one two"


def test_between_words_playout_goes_on_where_it_stopped() -> None:
    ledger = ledger_of("one two")
    ledger.sent(100)
    assert ledger.back_to_word() == 100


@given(
    st.lists(st.text("ab ,.", min_size=1, max_size=20), min_size=1, max_size=5),
    st.lists(st.integers(1, 250), max_size=12),
)
def test_what_is_heard_only_grows_and_is_a_beginning_of_the_text(
    pieces: list[str], sends: list[int]
) -> None:
    ledger = ledger_of(*pieces)
    before = ""
    position = 0
    for samples in sends:
        samples = min(samples, ledger.source_samples - position)
        ledger.sent(samples)
        position = ledger.back_to_word() if samples % 2 else position + samples
        heard = ledger.heard(ledger.sent_samples)
        assert ledger.text.startswith(heard)
        assert before.startswith(heard) or heard.startswith(before)
        assert len(before[len(heard) :].split()) <= 1  # the cut word may be counted later again
        before = heard
    if position == ledger.source_samples:
        assert ledger.heard(ledger.sent_samples) == ledger.text
