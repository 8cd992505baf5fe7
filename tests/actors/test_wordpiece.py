"""BERT's tokens, against what the `tokenizers` package (0.23) makes of the same texts."""

import pytest

from actors.store import Store
from actors.wordpiece import WordPieces

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces.read(Store().path("minilm-l6") / "tokenizer.json")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        (
            "Hello, World! It's $5.00",
            [7592, 1010, 2088, 999, 2009, 1005, 1055, 1002, 1019, 1012, 4002],
        ),
        (
            "Caf\xe9 cr\xe8me f\xfcr M\xfcnchen \u2013 na\xefve",
            [7668, 13675, 21382, 6519, 25802, 1516, 15743],
        ),
        ("\u5317\u4eac is \u6771\u4eac", [1781, 1755, 2003, 1879, 1755]),
        ("a\u200bb\ufeffc \x00d\ufffde", [5925, 2139]),
        ("tab\tnew\nx\x85y\xa0z\u2028q", [21628, 2047, 1060, 2100, 1062, 1053]),
        ("\ud55c\uad6d\uc5b4", [1469, 30006, 30021, 29991, 30014, 30020, 29999, 30008]),
        ("Stra\xdfe \u0130stanbul", [2358, 27807, 9960]),
        ("\ufb01ne \xbd \xb2", [1984, 2638, 1092, 1082]),
        ("__init__ ^caret |~", [1035, 1035, 1999, 4183, 1035, 1035, 1034, 2729, 2102, 1064, 1066]),
        (
            "unbelievably antidisestablishmentarianism",
            [4895, 8671, 2666, 3567, 6321, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964],
        ),
    ],
)
def test_a_text_has_the_tokens_that_its_model_was_trained_on(
    pieces: WordPieces, text: str, ids: list[int]
) -> None:
    assert pieces.ids(text, 256) == [101, *ids, 102]


def test_a_long_text_is_cut_at_its_end(pieces: WordPieces) -> None:
    assert pieces.ids("bread " * 1000, 8) == [101, *[7852] * 6, 102]


def test_a_word_without_end_is_unknown_and_quickly(pieces: WordPieces) -> None:
    assert pieces.ids("z" * 1_000_000, 256) == [101, 100, 102]
