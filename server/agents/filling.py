"""A tool's address and headers, filled with a session's variables, secrets and arguments."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

FIELD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""`{{variable}}` or `{argument}`."""

IN_HEADER = re.compile(r"\{\{\s*(?:secret\.([A-Za-z0-9_.-]+)|([A-Za-z_][A-Za-z0-9_.]*))\s*\}\}")
"""`{{secret.NAME}}` or `{{variable}}`."""

DOTS = (".", "..")
"""They would lead elsewhere in a path, and no quoting keeps them from it."""


class Unfillable(ValueError):
    """What is to stand there cannot; the text says why, without the value."""


def check_url(url: str) -> None:
    """Only behind the host may something be filled in. Raises `ValueError`."""
    parts = urlsplit(url)
    if "{" in parts.netloc or not parts.hostname:
        raise ValueError("the host cannot be filled in: name it")
    if parts.username is not None:
        raise ValueError("a password belongs into a header: use {{secret.NAME}} there")


def secrets_in(texts: Mapping[str, str]) -> set[str]:
    """The names of the secrets that stand in these values."""
    found = (match for text in texts.values() for match in IN_HEADER.finditer(text))
    return {match.group(1) for match in found if match.group(1) is not None}


def filled_url(
    url: str, variables: Mapping[str, str], given: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The address, and the arguments that do not stand in it. Raises `Unfillable`."""
    placed: set[str] = set()

    def value(match: re.Match[str]) -> str:
        variable, argument = match.groups()
        source: Mapping[str, Any] = given if variable is None else variables
        name = argument or variable
        if name not in source:
            raise Unfillable(f"{name} is missing")
        if variable is None:
            placed.add(name)
        text = as_text(source[name])
        if text in DOTS:
            raise Unfillable(f"{name} cannot be {text!r}")
        return quote(text, safe="")

    filled = FIELD.sub(value, url)
    return filled, {name: value for name, value in given.items() if name not in placed}


def with_query(url: str, given: Mapping[str, Any]) -> str:
    """The address with these arguments behind it."""
    if not given:
        return url
    pairs = {
        name: [as_text(one) for one in value] if isinstance(value, list) else as_text(value)
        for name, value in given.items()
    }
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(pairs, doseq=True)}"


def filled_headers(
    headers: Mapping[str, str], variables: Mapping[str, str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """The headers. Raises `Unfillable`."""

    def value(match: re.Match[str]) -> str:
        secret, variable = match.groups()
        source, name = (secrets, secret) if secret is not None else (variables, variable)
        if name not in source:
            kind = "secret" if secret is not None else "variable"
            raise Unfillable(f"there is no {kind} {name}")
        return source[name]

    filled = {name: IN_HEADER.sub(value, text) for name, text in headers.items()}
    if any(not text.isprintable() for text in filled.values()):
        raise Unfillable("a header would hold a line break, or another control character")
    return filled


def as_text(value: Any) -> str:
    """An argument as it stands in an address."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
