"""Texts and the languages that they are in."""

import tomllib

import pytest

from actors.voices.catalogue import FOLDER, SAMPLES
from actors.voices.languages import language_of, runs
from actors.voices.scripts import TOLD_APART, script_of
from actors.voices.tags import language

SENTENCES: dict[str, str] = tomllib.loads((FOLDER / SAMPLES).read_text("utf-8"))["sentences"]
TOLD = {tag: text for tag, text in SENTENCES.items() if language(tag) in TOLD_APART}

PHRASES = """
Hello there/Hello./Ok/iPhone/Yes please/Thank you very much/Your table is booked./No problem
Good morning/New York/Microsoft Teams/What time is it?/Great!/I can help you with that.
See you tomorrow/Sure, one moment./Dr. Smith/The weather is nice/Paris/Hm, let me see
Anna Karenina/pizza margherita/SUV/Rendezvous at noon
"""


def split(text: str, usual: str = "en", said: str | None = None) -> list[tuple[str, str]]:
    return [(text[run.start_char : run.end_char], run.language) for run in runs(text, usual, said)]


@pytest.mark.parametrize("tag", [tag for tag in TOLD if tag != "ms"])
def test_a_sentence_is_found_to_be_in_its_language(tag: str) -> None:
    assert language(language_of(SENTENCES[tag])) == language(tag)


def test_enough_languages_are_told_apart() -> None:
    assert len(TOLD) > 70


def test_what_is_brief_is_in_the_usual_language() -> None:
    for phrase in PHRASES.replace("\n", "/").split("/"):
        assert language_of(phrase) == "en"
    assert language_of("Ok", "de-AT") == "de-AT"
    assert language_of("Bonjour", "fr") == "fr"


def test_the_usual_language_keeps_its_region() -> None:
    assert language_of("The library opens at nine tomorrow.", "en-GB") == "en-GB"
    assert language_of("Die Bibliothek öffnet morgen um neun Uhr.", "en-GB") == "de"


def test_a_text_in_two_scripts_is_split_where_they_meet() -> None:
    assert split("Please say नमस्ते, आप कैसे हैं? to your guests.") == [
        ("Please say ", "en"),
        ("नमस्ते, आप कैसे हैं? ", "hi"),
        ("to your guests.", "en"),
    ]


def test_japanese_is_one_language_in_two_scripts() -> None:
    assert split("東京タワーは Tokyo Tower です。東京") == [
        ("東京タワーは ", "ja"),
        ("Tokyo Tower ", "en"),
        ("です。東京", "ja"),
    ]
    assert split("你好，今天天气很好。") == [("你好，今天天气很好。", "zh")]


def test_what_is_said_of_a_text_holds_for_its_script() -> None:
    assert split("Guten Morgen, это Москва", said="de-AT") == [
        ("Guten Morgen, ", "de-AT"),
        ("это Москва", "ru"),
    ]
    assert split("Kia ora koutou katoa", said="mi") == [("Kia ora koutou katoa", "mi")]


@pytest.mark.parametrize("text", ["", " ", "123", "...", "🙂", "\x00", "ªº", "𐌰"])
def test_a_text_without_letters_is_in_the_usual_language(text: str) -> None:
    assert language_of(text, "pl") == "pl"
    assert "".join(piece for piece, _ in split(text)) == text


def test_no_character_is_lost() -> None:
    text = "  (1) Hello! Привет, мир — שלום 你好 ตอนเช้า 99% "
    pieces = split(text)
    assert "".join(piece for piece, _ in pieces) == text
    tags = [tag for _, tag in pieces]
    assert (tags[0], *tags[2:]) == ("en", "he", "zh", "th")  # two Russian words are Russian or near


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert language_of("Heute ist ein schöner Tag. " * 20_000) == "de"


def test_scripts_of_characters() -> None:
    found = [script_of(char) for char in "aé中あｱＡ한อा1 ,"]
    wide = ["LATIN", "LATIN", "CJK", "CJK", "CJK", "LATIN", "HANGUL", "THAI", "DEVANAGARI"]
    assert found == [*wide, "", "", ""]
