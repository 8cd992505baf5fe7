"""What the LLM makes of a conversation after its end."""

import json
from typing import Any

import pytest

from engine.capabilities import Chat, ChatDelta, ToolCall
from engine.inference import Priority
from server.agents.digest import MOST_CHARACTERS, Made, Undigested, digest, transcript
from storage.turns import Turn
from tests import scripted

WANTED = {
    "type": "object",
    "properties": {"loaves": {"type": "integer"}},
    "required": ["loaves"],
}

TURNS = [
    Turn("s", 1, 0, "agent", "completed", "Good morning."),
    Turn("s", 2, 900, "caller", "completed", "Two loaves please."),
    Turn(
        "s", 3, 1500, "tool", "completed", tool_name="order", tool_arguments="{}", tool_output="ok"
    ),
    Turn("s", 4, 1600, "caller", "incomplete"),
]


def calling(*written: str) -> scripted.Scripted[Chat, ChatDelta]:
    """An LLM that calls the function with these arguments, one after the other."""
    left = list(written)

    def reply(chat: Chat) -> list[ChatDelta]:
        half = len(left[0]) // 2
        text = left.pop(0)
        pieces = (ToolCall(0, text[:half], "call_1", "record"), ToolCall(0, text[half:]))
        return [ChatDelta(tool_calls=(piece,)) for piece in pieces]

    return scripted.llm(reply, 0.0, 0.0)


def filled(summary: str = "Bread was ordered.", **extracted: Any) -> str:
    return json.dumps({"summary": summary, **({"extracted": extracted} if extracted else {})})


def test_a_transcript_has_a_line_for_each_turn_that_said_something() -> None:
    assert transcript(TURNS) == (
        "Agent: Good morning.\nCaller: Two loaves please.\nTool: order {} -> ok"
    )
    long = [Turn("s", n, 0, "caller", "completed", "x" * 1000) for n in range(100)]
    assert len(transcript(long)) == MOST_CHARACTERS


async def test_a_summary_and_what_was_asked_for_come_of_it() -> None:
    llm = calling(filled(loaves=2))
    assert await digest(TURNS, WANTED, llm) == Made("Bread was ordered.", {"loaves": 2})
    [chat] = llm.asked
    assert (chat.tool_choice, chat.temperature) == ("record", 0.0)
    assert chat.tools[0].parameters["properties"]["extracted"] == WANTED
    assert llm.requests[0].priorities == [Priority.BATCH]


@pytest.mark.parametrize("of", ["$defs", "definitions"])
async def test_what_a_schema_defines_is_found(of: str) -> None:
    loaf = {"type": "object", "properties": {"kind": {"enum": ["rye", "wheat"]}}}
    bread = {"type": "array", "items": {"$ref": f"#/{of}/Loaf"}}
    wanted = {"type": "object", "properties": {"bread": bread}, of: {"Loaf": loaf}}
    llm = calling(filled(bread=[{"kind": "stone"}]), filled(bread=[{"kind": "rye"}]))
    assert (await digest(TURNS, wanted, llm)).extracted == {"bread": [{"kind": "rye"}]}
    assert wanted[of] == {"Loaf": loaf}
    own = {**wanted, "$id": "https://bakery.example/bread"}
    llm = calling(filled(bread=[{"kind": "rye"}]))
    assert (await digest(TURNS, own, llm)).extracted == {"bread": [{"kind": "rye"}]}


async def test_a_summary_alone_needs_no_schema() -> None:
    assert await digest(TURNS, None, calling(filled())) == Made("Bread was ordered.", None)


async def test_what_does_not_fit_is_asked_for_again_with_the_reason() -> None:
    llm = calling(filled(loaves="two"), filled(loaves=2))
    assert (await digest(TURNS, WANTED, llm)).extracted == {"loaves": 2}
    again = llm.asked[1].messages[-1].content
    assert again is not None
    assert 'loaves: "two" is not of type "integer"' in again


async def test_after_some_tries_it_is_given_up_with_the_reason() -> None:
    with pytest.raises(Undigested, match="the arguments are no JSON"):
        await digest(TURNS, WANTED, calling("{", "{", "{"))


async def test_of_nothing_nothing_is_asked() -> None:
    llm = calling()
    assert await digest(TURNS[3:], WANTED, llm) == Made("Nothing was said.", None)
    assert llm.asked == []
