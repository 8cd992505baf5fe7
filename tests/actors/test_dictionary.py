"""Where the rules of a dictionary fit in a text."""

import random
import time
import unicodedata
from itertools import pairwise

import pytest

from actors.dictionary import Dictionary, Rule
from actors.respelling import Said


def hits(text: str, *rules: Rule) -> list[tuple[str, str]]:
    """What is replaced, and by what."""
    said = Dictionary(rules).said(text)
    assert all(before.end_char <= behind.start_char for before, behind in pairwise(said))
    return [(text[one.start_char : one.end_char], one.alias or one.ipa) for one in said]


def part(string: str, alias: str = "x") -> Rule:
    """A rule for parts of words too."""
    return Rule(string, alias, word_boundaries=False)


def test_a_rule_fits_wherever_its_word_stands() -> None:
    said = Dictionary([Rule("NASA", "nassa"), Rule("tomato", ipa="təˈmɑːtoʊ")]).said(
        "NASA eats a tomato, NASA."
    )
    assert said == (
        Said(0, 4, alias="nassa"),
        Said(12, 18, ipa="təˈmɑːtoʊ"),
        Said(20, 24, alias="nassa"),
    )
    assert Dictionary().said("NASA") == ()
    assert Dictionary([Rule("a", "b")]).said("") == ()


def test_arpabet_is_told_in_the_ipa() -> None:
    assert Dictionary([Rule("cat", arpabet="K AE1 T")]).said("cat") == (Said(0, 3, ipa="kˈæt"),)


def test_the_longest_is_taken_and_among_equals_the_earlier() -> None:
    rules = Rule("New", "1"), Rule("New York", "2"), Rule("York City", "3"), Rule("New York", "4")
    assert hits("New York City, New Yorkers", *rules) == [("New York", "2"), ("New", "1")]
    either = Rule("Us", "us", case_sensitive=False), Rule("US", "U S")
    assert hits("US us", *either) == [("US", "us"), ("us", "us")]
    assert hits("US us", *reversed(either)) == [("US", "U S"), ("us", "us")]


@pytest.mark.parametrize(
    ("text", "string", "found"),
    [
        ("cat concat cats cat_1 cat-flap cat's", "cat", 3),
        ("C++ and C++, (C++) ABC++", "C++", 3),
        (".NET is .NET, ASP.NET", ".NET", 3),
        ("кот котик скот Кот", "кот", 1),
        ("नमस्ते नमस्तेजी", "नमस्ते", 1),
        ("नमस्", "नम", 0),
        ("قلم القلم", "قلم", 1),
        ("私は東京に行く", "東京", 1),
        ("ผมอยู่กรุงเทพครับ", "กรุงเทพ", 1),
        ("서울 서울에서", "서울", 1),
        ("ランチ ラン", "ラン", 1),
        ("naïve naïvely", "naïve", 1),
        ("3D 3DX 13D", "3D", 1),
    ],
)
def test_no_part_of_a_word_is_replaced(text: str, string: str, found: int) -> None:
    assert len(hits(text, Rule(string, "x"))) == found


def test_parts_of_words_are_replaced_where_that_is_wanted() -> None:
    assert hits("concat cats", part("cat")) == [("cat", "x"), ("cat", "x")]
    assert hits("aaaaa", part("aa")) == [("aa", "x"), ("aa", "x")]
    rules = Rule("cat", "whole"), part("cat"), part("ca", "y"), Rule("ca ts", "z")
    assert hits("concat cats cat ca ts", *rules) == [
        ("cat", "x"), ("cat", "x"), ("cat", "whole"), ("ca ts", "z"),
    ]  # fmt: skip


def test_a_shorter_one_fits_where_a_longer_one_would_end_inside_a_word() -> None:
    rules = Rule("New", "1"), Rule("New Yo", "2"), Rule("New York Ci", "3")
    assert hits("New York City", *rules) == [("New", "1")]


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("nasa", "NASA"),
        ("STRASSE", "Straße"),
        ("straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("ÉCOLE", "e\u0301cole"),
        ("İstanbul", "i\u0307STANBUL"),
    ],
)
def test_case_is_passed_over_where_that_is_wanted(text: str, string: str) -> None:
    within = f"a {text} b"
    assert hits(within, Rule(string, "x", case_sensitive=False)) == [(text, "x")]
    assert hits(within, Rule(string, "x")) == []


def test_half_a_letter_is_never_replaced() -> None:
    assert hits("Maß", Rule("Mas", "x", case_sensitive=False, word_boundaries=False)) == []
    assert hits("cafe\u0301", part("cafe")) == []
    assert hits("\u1112\u1161\u11ab", part("하")) == []


@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_it_does_not_matter_how_unicode_writes_a_letter(written: str, form: str) -> None:
    text = unicodedata.normalize(written, "Ein Café in Zürich, 한국")  # type: ignore[arg-type]
    for word in ("Café", "Zürich", "한국"):
        string = unicodedata.normalize(form, word)  # type: ignore[arg-type]
        (found,) = hits(text, Rule(string, "x"))
        assert found == (unicodedata.normalize(written, word), "x")  # type: ignore[arg-type]


def test_it_agrees_with_looking_at_each_place() -> None:
    """Against the plain way: every rule at every place."""
    chance = random.Random(5)
    for _ in range(300):
        text = "".join(chance.choices(["a", "A", "b", "é", "e\u0301", " ", "-"], k=40))
        rules = [
            Rule("".join(chance.choices("aAbe s", k=chance.randint(1, 4))), str(number),
                 case_sensitive=chance.random() < 0.5, word_boundaries=chance.random() < 0.5)
            for number in range(8)
        ]  # fmt: skip
        plain = text.replace("e\u0301", "é")
        expected, at = [], 0
        while at < len(plain):
            fit = [rule for rule in rules if fits(plain, at, rule)]
            best = max(fit, key=lambda rule: len(rule.string_to_replace), default=None)
            if best is not None:
                expected.append(best.alias)
            at += len(best.string_to_replace) if best else 1
        assert [alias for _, alias in hits(text, *rules)] == expected, (text, rules)


def fits(text: str, at: int, rule: Rule) -> bool:
    string = rule.string_to_replace
    end = at + len(string)
    there = text[at:end]
    if there != string and (rule.case_sensitive or there.lower() != string.lower()):
        return False
    inside = [
        0 < edge < len(text) and text[edge - 1].isalnum() and text[edge].isalnum()
        for edge in (at, end)
    ]
    return not (rule.word_boundaries and any(inside))


def words(count: int) -> list[str]:
    chance = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyzäöü"
    return ["".join(chance.choices(letters, k=chance.randint(2, 12))) for _ in range(count)]


COMMON = words(10_000)
PROSE = " ".join(words(20_000))[:100_000]

RULES = {
    "words": [Rule(word, "x") for word in COMMON],
    "parts": [part(word) for word in COMMON],
    "every way": [
        Rule(word, "x", case_sensitive=number % 2 == 0, word_boundaries=number % 4 > 1)
        for number, word in enumerate(COMMON)
    ],
    "nested": [part("a" * length + "b") for length in range(1, 250)],
    "mid-word": [Rule(("ab " * length) + "a", "x") for length in range(80)],
    "alike": [part("a" * 240 + str(number)) for number in range(10_000)],
}

TEXTS = {
    "words": PROSE,
    "parts": PROSE,
    "every way": PROSE,
    "nested": "a" * 100_000,
    "mid-word": "ab " * 33_333,
    "alike": "a" * 100_000,
}


@pytest.mark.parametrize("kind", RULES)
def test_ten_thousand_rules_and_a_long_text_take_a_moment(kind: str) -> None:
    began = time.process_time()
    dictionary = Dictionary(RULES[kind])
    built = time.process_time()
    dictionary.said(TEXTS[kind])
    took = time.process_time() - built
    print(f"{kind}: built in {built - began:.3f} s, {took:.3f} s")
    assert built - began < 2
    assert took < 2


def test_marks_without_end_take_a_moment() -> None:
    text = "a" + "\u0301\u0323" * 50_000
    began = time.process_time()
    assert Dictionary([Rule("b", "x")]).said(text) == ()
    assert time.process_time() - began < 2
