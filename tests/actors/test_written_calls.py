"""What the embedded model sees of a conversation, and what is made of what it writes."""

import pytest

from actors.written_calls import DROPPED_AT_ONCE, HISTORY_CHARS, WrittenCalls, answerable
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolSpec


def said(count: int, chars: int) -> Chat:
    """Instructions, and so many messages of so many characters."""
    spoken = (
        ChatMessage("assistant" if index % 2 else "user", f"{index:04d}" + "x" * (chars - 4))
        for index in range(count)
    )
    return Chat((ChatMessage("system", "Be brief."), *spoken))


def test_a_short_conversation_is_seen_whole() -> None:
    chat = said(10, 100)
    assert answerable(chat).messages == chat.messages


def test_of_a_long_one_the_instructions_and_the_latest_messages_are_seen() -> None:
    chat = said(200, 100)
    seen = answerable(chat).messages
    assert seen[0] == chat.messages[0]
    assert seen[-1] == chat.messages[-1]
    assert sum(len(message.content or "") for message in seen) <= HISTORY_CHARS


def test_what_is_seen_begins_the_same_for_some_turns() -> None:
    beginnings = {answerable(said(200 + turn, 100)).messages[1] for turn in range(DROPPED_AT_ONCE)}
    assert len(beginnings) <= 2


def test_the_last_message_is_always_seen() -> None:
    chat = said(3, 2 * HISTORY_CHARS)
    assert answerable(chat).messages == (chat.messages[0], chat.messages[-1])


@pytest.mark.parametrize(
    "text",
    [
        '{"name": {"weather": 1}, "arguments": {}}',
        '{"name": "sing", "arguments": {}}',
        '["weather"]',
        '{"name": ' + "[" * 7_000,
    ],
    ids=["a name that is none", "an unknown function", "no object", "nested without end"],
)
def test_json_that_calls_nothing_is_text(text: str) -> None:
    reader = WrittenCalls((ToolSpec("weather", "", {}),))
    passed = [*reader.feed(ChatDelta(text=text)), *reader.rest()]
    assert not reader.found
    assert "".join(delta.text for delta in passed) == text


def test_a_written_call_is_a_call() -> None:
    reader = WrittenCalls((ToolSpec("weather", "", {}),))
    assert reader.feed(ChatDelta(text='{"name": "weather", "argu')) == []
    [delta] = reader.feed(ChatDelta(text='ments": {"city": "Rome"}} and so'))
    [call] = delta.tool_calls
    assert (call.name, call.arguments) == ("weather", '{"city": "Rome"}')
    assert reader.found
