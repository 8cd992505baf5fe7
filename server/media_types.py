"""What a route answers in something else than JSON, and how OpenAPI says so."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

EVENTS = "text/event-stream"
MULTIPART = "multipart/form-data"
LINES = "application/x-ndjson"

TEXT = Schema(type=OpenAPIType.STRING)
BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
EVENT = Schema(
    type=OpenAPIType.OBJECT,
    properties={"data": Schema(type=OpenAPIType.STRING, description="JSON")},
    description="one of the server-sent events",
)

LINE = Schema(type=OpenAPIType.STRING, description="JSON, one object a line")

OTHERS = {EVENTS: EVENT, LINES: LINE}
"""What is no file."""


def sends(*media_types: str, json: bool = False, form: Schema | None = None) -> type[Operation]:
    """What a route answers with 200, or 206: one of these, or also `json`; and the `form` that it
    takes.
    """

    @dataclass
    class Sends(Operation):
        def __post_init__(self) -> None:
            for status in ("200", "206"):
                done = (self.responses or {}).get(status)
                if isinstance(done, OpenAPIResponse):
                    kept = dict(done.content or {}) if json else {}
                    told = {
                        one: OpenAPIMediaType(schema=OTHERS.get(one, BINARY)) for one in media_types
                    }
                    done.content = {**kept, **told}
            if form is not None:
                content = {MULTIPART: OpenAPIMediaType(schema=form)}
                self.request_body = RequestBody(content=content, required=True)

    return Sends


def takes(bodies: dict[str, Schema], *, gives: str) -> type[Operation]:
    """What a route takes, by media type, and that it answers with 201 in another."""

    @dataclass
    class Takes(Operation):
        def __post_init__(self) -> None:
            made = (self.responses or {}).get("201")
            if isinstance(made, OpenAPIResponse):
                made.content = {gives: OpenAPIMediaType(schema=TEXT)}
            content = {kind: OpenAPIMediaType(schema=schema) for kind, schema in bodies.items()}
            self.request_body = RequestBody(content=content, required=True)

    return Takes


def event(told: dict[str, Any]) -> bytes:
    """One of the server-sent events, as OpenAI's SDKs read them."""
    return b"data: " + msgspec.json.encode(told) + b"\n\n"
