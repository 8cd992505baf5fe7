"""What an LLM writes as a tool's arguments, against their JSON Schema."""

from typing import Any

import jsonschema_rs
import msgspec

MOST_TOLD = 5
"""Faults in one set of arguments that the LLM is told of: with these mended it tries again."""


class WrongArguments(ValueError):
    """The text says what is wrong, for an LLM that may do better."""


class WrongSchema(ValueError):
    """What should be a JSON Schema is none; the text says why."""


class Arguments:
    """Those of one tool. `schema` is of an object. Raises `WrongSchema`.

    Nothing is fetched for a schema, and its patterns are matched in linear time: whoever writes one
    is no administrator of this machine.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(
                schema, offline=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        except (jsonschema_rs.ValidationError, ValueError) as error:
            reason = getattr(error, "message", None) or str(error)
            raise WrongSchema(f"no JSON Schema: {reason[:300]}") from None
        if schema.get("type") != "object":
            raise WrongSchema('the arguments are an object: "type" must be "object"')

    def read(self, text: str) -> dict[str, Any]:
        """The arguments in the JSON `text`. Raises `WrongArguments`."""
        try:
            given = msgspec.json.decode(text or "{}")
        except (ValueError, RecursionError):
            raise WrongArguments("the arguments are no JSON") from None
        faults = []
        for fault in self._validator.iter_errors(given):
            where = ".".join(map(str, fault.instance_path))
            faults.append(f"{where}: {fault.message[:200]}" if where else fault.message[:200])
            if len(faults) == MOST_TOLD:
                break
        if faults:
            raise WrongArguments("wrong arguments: " + "; ".join(faults))
        checked: dict[str, Any] = given
        return checked
