"""What to say for what a text says that it is."""

import pytest

from server.speech.say_as import alias, is_known


@pytest.mark.parametrize(
    ("text", "kind", "form", "said"),
    [
        ("A1-b", "characters", "", "ay one dash B"),
        ("NATO", "spell-out", "", "N ay T O"),
        ("Größe", "verbatim", "", "G R Ö S S E".replace("S S", "SS")),
        ("4711", "digits", "", "four seven one one"),
        ("1,234.5", "cardinal", "", "one thousand two hundred thirty four point five"),
        ("-3", "number", "", "minus three"),
        ("21", "ordinal", "", "twenty first"),
        ("3rd", "ordinal", "", "third"),
        ("+44 20 7946", "telephone", "", "plus four four, two zero, seven nine four six"),
        ("1/2/2026", "date", "dmy", "February first twenty twenty six"),
        ("1/2/2026", "date", "mdy", "January second twenty twenty six"),
        ("2026-11-29", "date", "", "November twenty ninth twenty twenty six"),
        ("20261129", "date", "ymd", "November twenty ninth twenty twenty six"),
        ("29.11.", "date", "dm", "November twenty ninth"),
        ("40/40/2026", "date", "dmy", None),
        ("soon", "date", "dmy", None),
        ("1/2", "date", "dmy", None),
        ("1/2/3", "date", "ddd", None),
        ("many", "cardinal", "", None),
        ("12:30", "time", "hms24", None),
        ("x", "expletive", "", None),
        ("abc", "digits", "", None),
        ("!?", "characters", "", None),
        (f"1/{'9' * 5000}/2020", "date", "dmy", None),
    ],
)
def test_it_is_said_as_what_it_is(text: str, kind: str, form: str, said: str | None) -> None:
    assert alias(text, kind, form, english=True) == said


def test_other_languages_have_their_own_words_for_numbers() -> None:
    assert alias("A1-b", "characters", "", english=False) == "A, 1, b"
    assert alias("47", "digits", "", english=False) == "4, 7"
    assert alias("21", "ordinal", "", english=False) is None
    assert alias("नमस्ते", "characters", "", english=False) == "न, म, स्, ते"


def test_what_is_read_as_it_is_written_is_known() -> None:
    assert is_known("time")
    assert is_known("characters")
    assert not is_known("expletive")
