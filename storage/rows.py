"""Rows as structs."""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_origin

import asyncpg
import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def as_struct(row: asyncpg.Record, kind: type[S]) -> S:
    """The columns by the names of its fields; JSON, which asyncpg leaves as text, is read."""
    values: dict[str, Any] = dict(row)
    for field in msgspec.structs.fields(kind):
        value = values[field.name]
        if isinstance(value, str) and not _text(field.type):
            values[field.name] = msgspec.json.decode(value)
    return msgspec.convert(values, kind)


def as_structs(rows: Iterable[asyncpg.Record], kind: type[S]) -> list[S]:
    """The same for each row."""
    return [as_struct(row, kind) for row in rows]


def _text(kind: Any) -> bool:
    """Whether the column holds text, and not JSON."""
    return kind in (str, str | None) or get_origin(kind) is Literal
