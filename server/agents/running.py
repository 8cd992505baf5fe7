"""A tool as it is run: whichever kind it is of."""

from collections.abc import Mapping
from typing import Any, Protocol

from engine.capabilities import ToolSpec
from engine.tools import Filler, Outcome
from server.agents.arguments import Arguments
from server.agents.config import FillerText


class RunTool(Protocol):
    """One tool of a session."""

    @property
    def spec(self) -> ToolSpec:
        """What the LLM is told of it."""
        ...

    @property
    def arguments(self) -> Arguments:
        """What it takes."""
        ...

    @property
    def filler(self) -> Filler | None:
        """What is said while it takes long."""
        ...

    async def run(
        self, given: dict[str, Any], variables: Mapping[str, str], call_id: str
    ) -> Outcome:
        """Run it once, with checked arguments. Whatever goes wrong is an `Outcome` too."""
        ...


def filler_of(text: FillerText | None) -> Filler | None:
    """As the engine wants it."""
    return None if text is None else Filler(text.text, text.after_ms)
