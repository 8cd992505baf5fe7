"""How OpenAPI says that a route answers in something else than JSON."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Schema,
)

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"

BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
EVENT = Schema(
    type=OpenAPIType.OBJECT,
    properties={"data": Schema(type=OpenAPIType.STRING, description="JSON")},
    description="one of the server-sent events",
)

LINE = Schema(type=OpenAPIType.STRING, description="JSON, one object a line")

OTHERS = {EVENTS: EVENT, LINES: LINE}
"""What is no file."""


def sends(*media_types: str, json: bool = False) -> type[Operation]:
    """What a route answers with 200: one of these, or also `json`."""

    @dataclass
    class Sends(Operation):
        def __post_init__(self) -> None:
            done = (self.responses or {}).get("200")
            if isinstance(done, OpenAPIResponse):
                kept = dict(done.content or {}) if json else {}
                told = {
                    one: OpenAPIMediaType(schema=OTHERS.get(one, BINARY)) for one in media_types
                }
                done.content = {**kept, **told}

    return Sends
