"""How long a piece of a recording may be."""

import pytest

from actors.piece_length import AIM, LONGEST_S, MOST_MS, SHORTEST_S, PieceLength


def test_a_piece_becomes_as_long_as_the_compute_allows() -> None:
    length = PieceLength()
    length.learn(2.0, 100.0)  # 50 ms a second

    assert length.seconds == pytest.approx(AIM * MOST_MS / 50)


def test_dear_pieces_count_at_once_and_cheap_ones_slowly() -> None:
    length = PieceLength()
    length.learn(1.0, 20.0)
    length.learn(1.0, 40.0)
    short = length.seconds
    length.learn(1.0, 20.0)

    assert short == pytest.approx(AIM * MOST_MS / 40)
    assert short < length.seconds < 1.1 * short


def test_pieces_are_neither_crumbs_nor_without_end() -> None:
    length = PieceLength()
    length.learn(1.0, 0.0)
    length.learn(0.0, 5.0)
    assert length.seconds <= LONGEST_S
    length.learn(1.0, 5000.0)
    assert length.seconds == SHORTEST_S
