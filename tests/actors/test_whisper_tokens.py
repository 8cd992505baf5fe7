"""Whisper's tokens: letters of several bytes, words of several tokens, languages."""

import json
from pathlib import Path

import pytest

from actors.whisper_tokens import Spelled, Vocabulary, spell, tag, words

MARKS = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|jw|>", "<|yue|>"]
TOKENS = ["a", "Ġb", *MARKS, "<|translate|>", "<|transcribe|>", "<|notimestamps|>", "<|0.00|>"]


def tokens(*texts: str) -> list[str]:
    """The texts as byte-level tokens write them."""
    table = {0x20: "Ġ"} | {byte: chr(0x100 + at) for at, byte in enumerate(range(0x21))}
    table |= {byte: chr(0x121 + at) for at, byte in enumerate(range(0x7F, 0xA1))} | {0xAD: "Ń"}
    return ["".join(table.get(byte, chr(byte)) for byte in text.encode()) for text in texts]


def test_bytes_spell_letters() -> None:
    assert tokens(" über", "你") == ["ĠÃ¼ber", "ä½ł"]
    assert spell(tokens(" über", " 10", " €", ".")) == "über 10 €."
    assert spell(["ä½", "ł", "å¥½"]) == "你好"


def test_marks_and_half_a_letter_at_the_end_are_left_out() -> None:
    assert spell(["<|0.00|>", "ĠYes", ".", "<|2.00|>"]) == "Yes."
    assert spell(["ĠYes", "ä½"]) == "Yes"
    assert spell([]) == ""


def test_what_looks_like_a_mark_is_spelled_as_text() -> None:
    vocabulary = Vocabulary([*map(chr, range(0x21, 0x7F)), "Ġ", *TOKENS[1:]])
    assert vocabulary.spelled(" b<|zh|>") == ["Ġb", *"<|zh|>"]
    assert spell(vocabulary.spelled(" <|endoftext|>")) == "<|endoftext|>"
    assert vocabulary.words == {"b"}


def test_words_begin_at_spaces_and_keep_their_punctuation() -> None:
    assert words(tokens(" Don", "'t", " stop", ",", " (", "now", ")", " -", " why", "?"), "en") == [
        Spelled("Don't", 0, 2),
        Spelled("stop,", 2, 4),
        Spelled("(now)", 4, 7),
        Spelled("- why?", 7, 10),
    ]
    assert words(tokens(" So", " ..."), "en") == [Spelled("So ...", 0, 2)]
    assert words([], "en") == []


def test_where_no_spaces_are_written_each_whole_letter_or_token_is_a_word() -> None:
    assert words(["ä½", "ł", "å¥½", *tokens("，", "吗"), "ä½"], "zh") == [
        Spelled("你", 0, 2),
        Spelled("好，", 2, 4),
        Spelled("吗", 4, 5),
    ]


@pytest.mark.parametrize("name", ["vocabulary.json", "vocabulary.txt"])
def test_languages_are_those_of_the_model(tmp_path: Path, name: str) -> None:
    text = json.dumps(TOKENS) if name.endswith("json") else "\n".join(TOKENS) + "\n"
    (tmp_path / name).write_text(text, "utf-8")
    vocabulary = Vocabulary.read(tmp_path)
    assert vocabulary.languages == ("en", "zh", "jw", "yue")
    assert vocabulary.ids(["<|startoftranscript|>", "<|zh|>"]) == [3, 5]


def test_languages_are_known_by_their_bcp_47_tags() -> None:
    vocabulary = Vocabulary(TOKENS)
    asked = ("EN", "en-GB", "zh_Hant_TW", "cmn", "jv", "yue", "xx", "auto", "")
    found = [vocabulary.language(asked_tag) for asked_tag in asked]
    assert found == ["en", "en", "zh", "zh", "jw", "yue", None, None, None]
    assert (tag("jw"), tag("zh")) == ("jv", "zh")
