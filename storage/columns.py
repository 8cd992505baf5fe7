"""Structs as columns, for statements that write many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

SQL: dict[Any, str] = {
    str: "text",
    int: "bigint",
    float: "float8",
    bool: "boolean",
    datetime: "timestamptz",
}
JSON = "jsonb"
"""What a field's type is to PostgreSQL; JSON is what is not here."""


def unnested(name: str, *kinds: type[msgspec.Struct]) -> str:
    """Rows as a table of this name, from one parameter for each field: a list of its values."""
    fields = [field for kind in kinds for field in msgspec.structs.fields(kind)]
    given = ", ".join(f"${at}::{_sql(field.type)}[]" for at, field in enumerate(fields, 1))
    return f"unnest({given}) as {name} ({', '.join(field.name for field in fields)})"


def columns(rows: Sequence[msgspec.Struct]) -> list[list[Any]]:
    """The parameters for rows of one kind, of which there is at least one."""
    fields = msgspec.structs.fields(rows[0])
    return [
        [_written(getattr(row, field.name), _sql(field.type)) for row in rows] for field in fields
    ]


def _written(value: Any, sql: str) -> Any:
    if sql == JSON and value is not None:
        return msgspec.json.encode(value).decode()
    return value


def _sql(kind: Any) -> str:
    return next((name for plain, name in SQL.items() if kind in (plain, plain | None)), JSON)
