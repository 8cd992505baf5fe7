"""`{{name}}` in instructions and greetings."""

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")


class UnknownVariable(KeyError):
    """The text names a variable that was not given."""


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with each `{{name}}` replaced. Raises `UnknownVariable`."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise UnknownVariable(name)
        return variables[name]

    return _FIELD.sub(value, text)
