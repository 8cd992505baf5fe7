"""`{{name}}` in instructions and greetings."""

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")


LONGEST_CHARS = 262_144
"""More than any model reads. Variables that are long and named often would fill the memory."""


class TooLong(ValueError):
    """The filled text would be longer than `LONGEST_CHARS`."""


class UnknownVariable(KeyError):
    """The text names a variable that was not given."""


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with each `{{name}}` replaced. Raises `UnknownVariable` and `TooLong`."""
    names = _FIELD.findall(text)
    unknown = [name for name in names if name not in variables]
    if unknown:
        raise UnknownVariable(unknown[0])
    length = len(text) + sum(len(variables[name]) for name in names)
    if length > LONGEST_CHARS:
        raise TooLong(f"filled in it would have {length} characters, over {LONGEST_CHARS}")
    return _FIELD.sub(lambda match: variables[match.group(1)], text)
