"""Rules as ElevenLabs' SDKs send them."""

from typing import Any

import msgspec
import pytest

from actors.dictionary import Rule
from server.access.denied import Denied
from server.eleven.dictionaries import (
    NewRules,
    rules_in,
    shown_rule,
    with_added,
    without,
)

ALIAS = {"type": "alias", "string_to_replace": "NASA", "alias": "nassa"}
PHONEME = {
    "type": "phoneme",
    "string_to_replace": "tomato",
    "phoneme": "təˈmɑːtoʊ",
    "alphabet": "ipa",
}


def read(*rules: dict[str, Any]) -> list[Rule]:
    return rules_in(msgspec.convert({"rules": rules}, NewRules).rules)


def test_each_kind_is_read_and_shown_as_it_was_sent() -> None:
    arpabet = PHONEME | {"phoneme": "T AH0", "alphabet": "cmu-arpabet"}
    anywhere = ALIAS | {"case_sensitive": False, "word_boundaries": False}
    rules = read(ALIAS, PHONEME, arpabet, anywhere, ALIAS | {"case_sensitive": None})
    assert rules == [
        Rule("NASA", "nassa"),
        Rule("tomato", ipa="təˈmɑːtoʊ"),
        Rule("tomato", arpabet="T AH0"),
        Rule("NASA", "nassa", case_sensitive=False, word_boundaries=False),
        Rule("NASA", "nassa"),
    ]
    plain = {"case_sensitive": True, "word_boundaries": True}
    assert [msgspec.to_builtins(shown_rule(rule)) for rule in rules] == [
        plain | ALIAS,
        plain | PHONEME,
        plain | arpabet,
        anywhere,
        plain | ALIAS,
    ]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (ALIAS | {"string_to_replace": " "}, "rules[1].string_to_replace: is blank"),
        (ALIAS | {"alias": "\t"}, "rules[1].alias: is blank"),
        (ALIAS | {"alias": "a\0b"}, "rules[1].alias: has U+0000"),
        (ALIAS | {"string_to_replace": "a\nb"}, "rules[1].string_to_replace: has U+000A"),
        (PHONEME | {"phoneme": "a\uffff"}, "rules[1].phoneme: has U+FFFF"),
        (PHONEME | {"alphabet": "x-sampa"}, "rules[1].alphabet: 'x-sampa' is not known"),
        (PHONEME | {"alphabet": ""}, "write ipa or cmu-arpabet"),
        (PHONEME | {"alphabet": "cmu-arpabet"}, "rules[1].phoneme: 'TƏˈMⱭːTOƱ' is no sound"),
    ],
)
def test_what_cannot_be_said_is_told_with_its_place(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(Denied) as refused:
        read(ALIAS, rule)
    assert (refused.value.status, refused.value.code) == (400, "invalid_rule")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [ALIAS] * 10_001,
        [ALIAS | {"string_to_replace": ""}],
        [ALIAS | {"string_to_replace": "a" * 251}],
        [ALIAS | {"alias": ""}],
        [ALIAS | {"alias": "a" * 1001}],
        [PHONEME | {"phoneme": ""}],
        [PHONEME | {"phoneme": "a" * 201}],
        [PHONEME | {"type": "alias"}],
        [PHONEME | {"type": "sound"}],
        [{"string_to_replace": "a", "alias": "b"}],
        [{"type": "phoneme", "string_to_replace": "a", "phoneme": "b"}],
        [ALIAS | {"case_sensitive": "no"}],
    ],
)
def test_what_is_no_rule_is_not_read(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(*rules)


def test_rules_are_added_in_place_of_others_for_the_same_and_taken_away() -> None:
    rules = [Rule("a", "1"), Rule("b", "2"), Rule("a", "3", case_sensitive=False)]
    added = [Rule("a", "4"), Rule("c", "5")]
    assert with_added(rules, added) == [Rule("b", "2"), *added]
    assert without(rules, {"a", "z"}) == [Rule("b", "2")]
