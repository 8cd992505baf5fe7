"""The tools that every session has if its agent wants them: they need nobody else."""

from collections.abc import Mapping
from typing import Any

from engine.capabilities import ToolSpec
from engine.tools import Filler, Outcome
from server.agents.arguments import Arguments
from server.agents.config import EndCall, SetVariable, Wait

LONGEST_VALUE = 4096
"""Characters of what is noted under one name."""


class BuiltIn:
    """What they have in common: a spec, and no filler."""

    filler: Filler | None = None

    def __init__(self, name: str, description: str, properties: dict[str, Any]) -> None:
        schema = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        self.spec = ToolSpec(name, description, schema)
        self.arguments = Arguments(schema)


class EndsCall(BuiltIn):
    """`end_call`."""

    def __init__(self, tool: EndCall) -> None:
        message = {"type": "string", "description": "what to say last, if anything is left to say"}
        super().__init__(tool.name, tool.description, {"message": message})

    async def run(self, given: dict[str, Any], variables: Mapping[str, str], _: str) -> Outcome:
        return Outcome("The conversation ends.", ends=True, say=given.get("message", ""))


class Waits(BuiltIn):
    """`wait`."""

    def __init__(self, tool: Wait) -> None:
        super().__init__(tool.name, tool.description, {})

    async def run(self, given: dict[str, Any], variables: Mapping[str, str], _: str) -> Outcome:
        return Outcome("You wait.", follows=False)


class SetsVariable(BuiltIn):
    """`set_variable`."""

    def __init__(self, tool: SetVariable) -> None:
        properties = {
            "name": {"type": "string", "enum": list(tool.variables)},
            "value": {"type": "string", "maxLength": LONGEST_VALUE},
        }
        super().__init__(tool.name, tool.description, properties)

    async def run(self, given: dict[str, Any], variables: Mapping[str, str], _: str) -> Outcome:
        if "name" not in given or "value" not in given:
            return Outcome("name and value are needed", failed=True)
        return Outcome("Noted.", variables={given["name"]: given["value"]})
