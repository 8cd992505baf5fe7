"""An OpenAPI schema as HTML: what routes take and give, and the objects of their bodies."""

import html
from collections.abc import Mapping
from typing import Any

from server import page

Schema = Mapping[str, Any]

LIMITS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minimum", "maximum", ""),
)


def operation(path: str, method: str, described: Schema) -> str:
    """One operation: what it is for, what it takes, what it answers."""
    answers = described.get("responses", {})
    rows = ((html.escape(status), answer(told)) for status, told in answers.items())
    return (
        page.heading(f"{method.upper()} {path}", 3)
        + page.paragraph(described.get("summary") or "")
        + page.paragraph(described.get("description") or "")
        + parameters(described.get("parameters", ()))
        + body(described.get("requestBody", {}))
        + page.html_table(("status", "answer"), rows)
    )


def objects(schemas: Mapping[str, Schema]) -> str:
    """All objects, each with its fields."""
    return "".join(
        page.heading(name, 3, anchor=name)
        + page.paragraph(schema.get("description", ""))
        + fields(schema)
        for name, schema in schemas.items()
    )


def parameters(given: Any) -> str:
    """Those of an operation; nothing if there are none."""
    rows = [
        (
            page.text(f"`{one['name']}`" + ("" if one.get("required") else " (optional)")),
            html.escape(one["in"]),
            kind(one["schema"]),
            page.text(one.get("description", "")),
        )
        for one in given
    ]
    return page.html_table(("parameter", "in", "what", ""), rows) if rows else ""


def body(told: Schema) -> str:
    """What is sent; nothing if nothing is."""
    kinds = [
        f"{kind(content['schema'])} as <code>{html.escape(media)}</code>"
        for media, content in told.get("content", {}).items()
    ]
    return f"<p>Body: {', '.join(kinds)}</p>" if kinds else ""


def answer(told: Schema) -> str:
    """What an answer is, and the object that it holds; refusals all hold the same."""
    meant = page.text(told.get("description", ""))
    content = told.get("content", {}).get("application/json")
    name = kind(content["schema"]) if content is not None else ""
    return f"{meant}: {name}" if name and "#Refusal" not in name else meant


def fields(schema: Schema) -> str:
    """A table of an object's fields."""
    required = schema.get("required", ())
    rows = [
        (
            page.text(f"`{name}`" + ("" if name in required else " (optional)")),
            kind(field),
            page.text(field.get("description", "")),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    if not rows:
        return f"<p>{kind(schema)}</p>"
    return page.html_table(("field", "what", ""), rows)


def kind(schema: Schema) -> str:
    """What may stand there, and what does if nothing is given."""
    told = _kind(schema)
    for least, most, unit in LIMITS:
        if schema.get(least) is not None or schema.get(most) is not None:
            span = f"{_number(schema.get(least))}-{_number(schema.get(most))}"
            told += f", {span} {unit}".rstrip()
    if schema.get("pattern"):
        told += f", <code>{html.escape(schema['pattern'])}</code>"
    if schema.get("default") not in (None, "", [], {}):
        told += f"; default {html.escape(_shown(schema['default']))}"
    return told


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "oneOf" in schema:
        return " or ".join(kind(one) for one in schema["oneOf"] if one)
    if "const" in schema:
        return html.escape(_shown(schema["const"]))
    if "enum" in schema:
        return " or ".join(html.escape(_shown(one)) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {})) or 'anything'}"
    return html.escape(str(schema.get("format") or schema.get("type") or "anything"))


def _number(value: float | None) -> str:
    return "" if value is None else str(int(value))


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
