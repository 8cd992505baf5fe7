"""The tools of one session, whatever they do."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.items import FunctionCall
from engine.tools import Outcome
from server.agents.builtin import Waits
from server.agents.config import Wait
from server.agents.toolbox import AgentTools


class Breaks(Waits):
    """A tool with a mistake in it."""

    async def run(self, given: dict[str, Any], variables: Mapping[str, str], _: str) -> Outcome:
        raise RecursionError("of what was said")


async def test_a_tool_that_breaks_has_failed_and_is_logged_by_its_type(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tools = AgentTools([Breaks(Wait())])
    outcome = await tools.call(FunctionCall("item_1", "call_1", "wait", "{}"), {})
    assert outcome == Outcome("the tool failed", failed=True)
    [record] = caplog.records
    assert record.getMessage() == "a tool failed"
    assert record.exc_info is not None
    assert record.exc_info[0] is RecursionError
