"""What text may be in the protocol: anything that can be said, within a size."""

from engine.session import RequestError

LONGEST_TEXT = 65_536
"""Characters in one text: instructions, a message's part, a function's output.

Some 16,000 tokens of English. More would only be refused by the LLM's endpoint, late and without a
word of which text it was.
"""


def check_text(text: str, param: str) -> str:
    """`text` itself. Raises `RequestError` if it is too long or has a NUL in it."""
    if len(text) > LONGEST_TEXT:
        raise RequestError(
            "string_above_max_length",
            f"'{param}' has {len(text)} characters: at most {LONGEST_TEXT} are accepted; "
            "shorten it or send several items",
            param,
        )
    if "\0" in text:
        raise RequestError(
            "invalid_value",
            f"'{param}' has a NUL character at position {text.index(chr(0))}: remove it",
            param,
        )
    return text
