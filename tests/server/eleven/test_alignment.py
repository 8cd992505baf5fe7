"""Every character of a text is told once, in order, and time never goes back."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import SpokenWord
from server.eleven.alignment import Aligner, Timed, alignment, chunk_alignment

HZ = 1000


def times(timed: list[Timed]) -> list[tuple[str, float, float]]:
    return [(one.char, round(one.start, 3), round(one.end, 3)) for one in timed]


def test_a_words_characters_follow_evenly_and_a_space_has_the_gap() -> None:
    aligner = Aligner(HZ, "Hi, you.")
    assert times(aligner.up_to([SpokenWord(0, 2, 100, 300)])) == [
        ("H", 0.1, 0.2),
        ("i", 0.2, 0.3),
    ]
    assert times(aligner.up_to([SpokenWord(4, 7, 500, 800)])) == [
        (",", 0.3, 0.4),
        (" ", 0.4, 0.5),
        ("y", 0.5, 0.6),
        ("o", 0.6, 0.7),
        ("u", 0.7, 0.8),
    ]
    assert times(aligner.rest(1000)) == [(".", 0.8, 1.0)]
    assert aligner.rest(1000) == []


def test_a_stop_is_no_part_of_the_word_that_it_came_with() -> None:
    aligner = Aligner(HZ, "Hi! 🎉 Ho.")
    told = aligner.up_to([SpokenWord(0, 3, 0, 200), SpokenWord(3, 9, 600, 800)])
    assert times(told) == [
        ("H", 0.0, 0.1),
        ("i", 0.1, 0.2),
        ("!", 0.2, 0.3),
        (" ", 0.3, 0.4),
        ("🎉", 0.4, 0.5),
        (" ", 0.5, 0.6),
        ("H", 0.6, 0.7),
        ("o", 0.7, 0.8),
    ]
    assert times(aligner.rest(900)) == [(".", 0.8, 0.9)]


def test_what_is_read_as_two_words_is_told_once() -> None:
    aligner = Aligner(HZ, "42 a")
    words = [SpokenWord(0, 2, 0, 400), SpokenWord(0, 2, 400, 600), SpokenWord(3, 4, 700, 900)]
    assert times(aligner.up_to(words)) == [
        ("4", 0.0, 0.2),
        ("2", 0.2, 0.4),
        (" ", 0.6, 0.7),
        ("a", 0.7, 0.9),
    ]


def test_the_silence_before_it_counts() -> None:
    aligner = Aligner(HZ, "Hi", lead_samples=50)
    assert times(aligner.up_to([SpokenWord(0, 2, 100, 300)])) == [
        ("H", 0.15, 0.25),
        ("i", 0.25, 0.35),
    ]


def test_text_may_come_later() -> None:
    aligner = Aligner(HZ)
    aligner.add("Hi ")
    assert [one.char for one in aligner.up_to([SpokenWord(0, 2, 0, 200)])] == ["H", "i"]
    aligner.add("you")
    assert times(aligner.up_to([SpokenWord(3, 6, 300, 600)]))[:2] == [
        (" ", 0.2, 0.3),
        ("y", 0.3, 0.4),
    ]


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.integers(0, 9000)), max_size=9),
)
def test_all_is_told_whatever_the_words_are(
    text: str, given_words: list[tuple[int, int, int]]
) -> None:
    aligner = Aligner(HZ, text)
    words = [SpokenWord(at, at + size, ms, ms + size) for at, size, ms in given_words]
    told = [*aligner.up_to(words), *aligner.rest(9000)]
    assert "".join(one.char for one in told) == text
    edges = [edge for one in told for edge in (one.start, one.end)]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(edges))


def test_it_is_told_in_both_shapes() -> None:
    timed = [Timed("a", 1.0, 1.25), Timed("b", 1.25, 1.3)]
    whole = alignment(timed)
    assert whole is not None
    assert whole.characters == ["a", "b"]
    assert whole.character_end_times_seconds == [1.25, 1.3]
    chunk = chunk_alignment(timed, 1.0)
    assert chunk is not None
    assert chunk.char_start_times_ms == [0, 250]
    assert chunk.char_durations_ms == chunk.chars_durations_ms == [250, 50]
    assert alignment([]) is None
    assert chunk_alignment([], 0) is None
