"""The tools of one session."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from engine.capabilities import ToolSpec
from engine.items import FunctionCall
from engine.tools import Filler, Outcome
from server.agents.arguments import WrongArguments
from server.agents.running import RunTool

log = logging.getLogger(__name__)


class AgentTools:
    """Satisfies `engine.tools.Toolbox`. Of two tools with one name the first is the one."""

    def __init__(self, tools: Iterable[RunTool]) -> None:
        self._tools: dict[str, RunTool] = {}
        for tool in tools:
            self._tools.setdefault(tool.spec.name, tool)

    @property
    def specs(self) -> Sequence[ToolSpec]:
        return tuple(tool.spec for tool in self._tools.values())

    def filler(self, name: str) -> Filler | None:
        tool = self._tools.get(name)
        return tool.filler if tool is not None else None

    async def call(self, call: FunctionCall, variables: Mapping[str, str]) -> Outcome:
        tool = self._tools.get(call.name)
        if tool is None:
            return Outcome(f"there is no tool {call.name!r}", failed=True)
        try:
            given = tool.arguments.read(call.arguments)
            return await tool.run(given, variables, call.call_id)
        except WrongArguments as wrong:
            return Outcome(str(wrong), failed=True)
        except Exception:  # whatever it is, the conversation goes on
            log.exception("a tool failed", extra={"tool": tool.spec.name})
            return Outcome("the tool failed", failed=True)
