"""What an LLM writes as arguments."""

import time

import pytest

from server.agents.arguments import Arguments, WrongArguments, WrongSchema

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
}


def test_what_fits_is_read() -> None:
    assert Arguments(CITY).read('{"city": "Oslo", "days": 3}') == {"city": "Oslo", "days": 3}
    assert Arguments({"type": "object"}).read("") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the arguments are no JSON"),
        ("[" * 5000, "the arguments are no JSON"),
        ("[1]", 'is not of type "object"'),
        ("{}", '"city" is a required property'),
        ('{"city": 3, "days": 0}', "days: 0 is less than the minimum of 1"),
    ],
)
def test_what_does_not_is_told_so_that_the_llm_can_mend_it(text: str, told: str) -> None:
    with pytest.raises(WrongArguments) as wrong:
        Arguments(CITY).read(text)
    assert told in str(wrong.value)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "nonsense"}, "no JSON Schema"),
        ({"type": "string"}, '"type" must be "object"'),
        ({}, '"type" must be "object"'),
        ({"type": "object", "$ref": "http://127.0.0.1:1/schema"}, "no JSON Schema"),
        ({"type": "object", "$ref": "file:///etc/passwd"}, "no JSON Schema"),
    ],
)
def test_a_schema_that_is_none_is_refused_and_nothing_is_fetched(
    schema: dict[str, object], told: str
) -> None:
    with pytest.raises(WrongSchema) as wrong:
        Arguments(schema)
    assert told in str(wrong.value)


def test_a_pattern_takes_no_longer_than_the_text_is_long() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    began = time.monotonic()
    with pytest.raises(WrongArguments):
        Arguments(schema).read('{"a": "' + "a" * 5000 + 'b"}')
    assert time.monotonic() - began < 1
