"""The cutter of LLM text, on the texts that LLMs write and on any text at all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.cut import FIRST_CHARS, LONGEST_CHARS, Cutter

WRITTEN = st.text(alphabet="ab A.,;:!?…-—\n\"')(*1230e$@/。！？؟।🎉é\x00", max_size=900)


def cut(text: str, *, sizes: list[int] | None = None) -> list[str]:
    """The pieces of `text`, fed in tokens of `sizes` (repeated), one character each by default."""
    cutter, pieces, at = Cutter(), list[str](), 0
    steps = sizes or [1]
    turn = 0
    while at < len(text):
        size = steps[turn % len(steps)]
        pieces += cutter.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces + cutter.flush()


def later(text: str) -> list[str]:
    """The pieces of `text` when it is not the beginning of a reply."""
    return [piece.strip() for piece in cut("Yes. " + text)[1:]]


@given(WRITTEN | st.text(max_size=900), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_the_pieces_joined_are_the_text_and_do_not_depend_on_how_it_arrived(
    text: str, sizes: list[int]
) -> None:
    pieces = cut(text, sizes=sizes)
    assert "".join(pieces) == text
    assert pieces == cut(text, sizes=[len(text) or 1])
    assert all(0 < len(piece) <= LONGEST_CHARS for piece in pieces)


@given(WRITTEN)
def test_what_is_held_back_is_bounded(text: str) -> None:
    cutter, given_back = Cutter(), 0
    for at, char in enumerate(text):
        given_back += sum(len(piece) for piece in cutter.feed(char))
        assert at + 1 - given_back < LONGEST_CHARS


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith met Mrs. Jones at St. Mary's with J. R. R. Tolkien.",
        "It costs 3.5 percent, or $1,000.50, e.g. in the U.S. market.",
        "See https://example.com/a.b?c=d,e and mail me@example.co.uk, please.",
        "Well... maybe we could go at 6:15 p.m. today.",
        "Version 1.2.3 of Node.js is out.",
        "We need eggs, milk, flour, etc. for it.",
        "Acme Inc. has No. 5 in stock.",
        "I think that Prof. Lee, i.e. the dean, agrees!",
    ],
)
def test_a_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert later(text) == [text]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It is open. Come in.", ["It is open.", "Come in."]),
        ("What?! No way. Really?", ["What?!", "No way.", "Really?"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("(It rains.) Take a coat.", ["(It rains.)", "Take a coat."]),
        ("**Note.** This is bold. Done", ["**Note.**", "This is bold.", "Done"]),
        ("It costs 5. Pay now.", ["It costs 5.", "Pay now."]),
        ("At 6 p.m. We leave.", ["At 6 p.m.", "We leave."]),
        ("Eggs, milk, etc. Then mix.", ["Eggs, milk, etc.", "Then mix."]),
        ("So it goes... Then it ends.", ["So it goes...", "Then it ends."]),
        ("I said no. Then I left.", ["I said no.", "Then I left."]),
        ("So do I. You too.", ["So do I.", "You too."]),
        ("Great! 🎉 Let us start.", ["Great!", "🎉 Let us start."]),
        ("1. Wash it.\n2. Dry it.\n", ["1. Wash it.", "2. Dry it.", ""]),
        ("# Title\n- one\n- two\n\nEnd.", ["# Title", "- one", "- two", "End."]),
        ("今日は晴れ。明日は雨！傘は？", ["今日は晴れ。", "明日は雨！", "傘は？"]),
        ("هل أنت بخير؟ نعم.", ["هل أنت بخير؟", "نعم."]),
        ("वह आया। वह गया।", ["वह आया।", "वह गया।"]),
        ("```python\nprint(1)\n```\nDone.", ["```python", "print(1)", "```\nDone."]),
    ],
)
def test_sentences_and_lines_are_pieces(text: str, pieces: list[str]) -> None:
    assert later(text) == [piece for piece in pieces if piece] + [""] * pieces.count("")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The library opens at nine, and closes at five.", "The library opens at nine,"),
        ("Well, the library opens; it is big.", "Well, the library opens;"),
        ("Here is the plan: wait.", "Here is the plan:"),
        ("It is far away — about a mile.", "It is far away —"),
        ("It is far away - about a mile.", "It is far away -"),
        ("You owe 1,000 dollars, sir.", "You owe 1,000 dollars,"),
        ("Hi! How are you?", "Hi!"),
        ("🎉 Hi! How are you?", "🎉 Hi!"),
        ("The library opens late on Sunday at noon.", "The library opens late"),
        ("It opens on Sunday at noon.", "It opens on Sunday"),
    ],
)
def test_the_first_piece_is_the_first_clause_worth_speaking(text: str, first: str) -> None:
    pieces = cut(text)
    assert pieces[0] == first
    assert len(pieces) == 2


def test_after_a_flush_the_next_reply_starts_with_a_clause_again() -> None:
    cutter = Cutter()
    cutter.feed("The library opens at nine, and")
    cutter.flush()
    assert cutter.feed("The museum opens at ten, and") == ["The museum opens at ten,"]


def test_a_piece_is_given_with_the_first_character_that_decides_it() -> None:
    cutter = Cutter()
    assert cutter.feed("It is open.") == []
    assert cutter.feed(" ") == ["It is open."]
    assert cutter.feed("We close at 5 p.m.") == []
    assert cutter.feed(" ") == []
    assert cutter.feed("T") == [" We close at 5 p.m."]


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    clause = "and then we walked along the river for a while"
    pieces = later(", ".join([clause] * 12) + ".")
    assert all(FIRST_CHARS < len(piece) <= 200 for piece in pieces)
    assert all(piece.endswith((",", ".")) for piece in pieces)


def test_a_sentence_without_clauses_is_cut_between_words_and_a_word_without_end_anywhere() -> None:
    assert all(piece.endswith("word") for piece in later("word " * 200)[:-1])
    assert [len(piece) for piece in cut("a" * 1000)] == [300, 300, 300, 100]


@pytest.mark.parametrize(
    "text",
    ["Hello there, you. " * 5556, "a" * 100_000, "." * 100_000, "Inc. " * 20_000, "\n \n" * 33_334],
)
def test_a_hundred_thousand_characters_are_cut_in_well_under_a_second(text: str) -> None:
    began = time.process_time()
    assert "".join(cut(text, sizes=[4])) == text
    assert time.process_time() - began < 2
