"""What an embedded model sees of a long conversation."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.recent import CONTEXT_CHARS, SPOKEN_CHARS, STEP_CHARS, recent
from engine.capabilities import ChatMessage

Messages = tuple[ChatMessage, ...]

HEAD = ChatMessage("system", "Be brief.")
LONGEST = 900


def said(*lengths: int, head: ChatMessage = HEAD) -> Messages:
    """Instructions, and messages of so many characters."""
    return (
        head,
        *(
            ChatMessage("assistant" if index % 2 else "user", f"{index:04d}".ljust(length, "x"))
            for index, length in enumerate(lengths)
        ),
    )


def chars(messages: Messages) -> int:
    return sum(len(message.content or "") for message in messages)


def test_a_short_conversation_is_seen_whole() -> None:
    assert recent(said(*[100] * 10), spoken=True) == said(*[100] * 10)
    assert recent((), spoken=True) == ()
    assert recent((HEAD,), spoken=True) == (HEAD,)


@given(
    st.lists(st.integers(4, LONGEST), min_size=1, max_size=200),
    st.integers(1, 2 * CONTEXT_CHARS),
    st.booleans(),
)
def test_of_a_long_one_the_instructions_and_the_latest_messages_are_seen(
    lengths: list[int], instructions: int, spoken: bool
) -> None:
    messages = said(*lengths, head=ChatMessage("system", "x" * instructions))
    seen = recent(messages, spoken=spoken)
    assert seen[0] == messages[0]
    assert seen[-1] == messages[-1]
    assert seen[1:] == messages[len(messages) - len(seen) + 1 :]
    assert chars(seen) <= CONTEXT_CHARS or len(seen) == 2
    if spoken:
        assert chars(seen[1:]) <= SPOKEN_CHARS + 2 * LONGEST
    if len(seen) < len(messages) and instructions < CONTEXT_CHARS // 2:
        most = SPOKEN_CHARS if spoken else CONTEXT_CHARS - instructions
        assert chars(seen[1:]) > most - STEP_CHARS["spoken" if spoken else "written"] - LONGEST


def test_what_is_seen_begins_the_same_for_some_turns() -> None:
    beginnings = [recent(said(*[100] * count), spoken=True)[1] for count in range(35, 95)]
    assert sum(a != b for a, b in pairwise(beginnings)) == 60 * 100 // STEP_CHARS["spoken"]


@pytest.mark.parametrize("spoken", [True, False])
def test_the_last_message_is_always_seen(spoken: bool) -> None:
    messages = said(10, 10, 2 * CONTEXT_CHARS)
    assert recent(messages, spoken=spoken) == (HEAD, messages[-1])


def test_a_long_output_of_a_function_is_seen_with_its_question() -> None:
    question = ChatMessage("user", "What is on the menu?")
    menu = ChatMessage("tool", "x" * 2 * SPOKEN_CHARS)
    messages = (*said(*[100] * 60), question, menu)
    assert recent(messages, spoken=True)[-2:] == (question, menu)
