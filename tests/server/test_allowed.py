"""What an error says may stand where something else stood."""

import pytest

from server import allowed
from server.agent_routes import NewAgent
from server.agents.config import AgentConfig


@pytest.mark.parametrize(
    ("place", "values"),
    [
        ("config.tools[0].type", ["http", "mcp", "end_call", "wait", "set_variable"]),
        ("config.tools[0].method", ["DELETE", "GET", "PATCH", "POST", "PUT"]),
        ("config.overrides[3]", None),
        ("config.tools[0].url", []),
        ("config.tools[0].headers.accept", []),
        ("config.nothing[0].there", []),
        ("", []),
    ],
)
def test_values_are_listed_where_there_is_a_list(place: str, values: list[str] | None) -> None:
    found = allowed.values(NewAgent, place)
    assert found == values if values is not None else "voice" in found


def test_fields_are_listed_where_there_is_one_object() -> None:
    assert allowed.fields(NewAgent, "config") == list(AgentConfig.__struct_fields__)
    assert "name" in allowed.fields(NewAgent, "")
    assert allowed.fields(NewAgent, "config.incoming") == [
        "url",
        "headers",
        "sign_with",
        "timeout_ms",
        "required",
    ]
    assert allowed.fields(NewAgent, "config.tools[0]") == [], "it may be one of several"
