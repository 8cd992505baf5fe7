"""What the embedded model sees of a conversation, and what is made of what it writes."""

import pytest

from actors.recent import recent
from actors.written_calls import WrittenCalls, answerable
from engine.capabilities import Chat, ChatDelta, ChatMessage, ToolSpec


@pytest.mark.parametrize("voice_speed", [None, 1.0])
def test_of_a_long_conversation_what_is_recent_is_seen(voice_speed: float | None) -> None:
    said = (ChatMessage("assistant" if n % 2 else "user", f"{n} words") for n in range(2_000))
    chat = Chat((ChatMessage("system", "Be brief."), *said), voice_speed=voice_speed)
    assert answerable(chat).messages == recent(chat.messages, spoken=voice_speed is not None)


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
