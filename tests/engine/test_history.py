"""Histories, and what the LLM is told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.history import ROOT, History, UnknownItem, chat_messages
from engine.items import FunctionCall, FunctionOutput, Item, Message, Part


def said(item_id: str, text: str | None, role: str = "user") -> Message:
    return Message(item_id, role, (Part("audio", text),))  # type: ignore[arg-type]


def test_items_go_where_they_are_put() -> None:
    history = History()
    assert history.add(said("b", "two")) is None
    assert history.add(said("c", "three")) == "b"
    assert history.add(said("a", "one"), ROOT) is None
    assert history.add(said("bb", "two and a half"), "b") == "b"
    assert [item.id for item in history] == ["a", "b", "bb", "c"]
    with pytest.raises(UnknownItem):
        history.add(said("d", ""), "nowhere")
    with pytest.raises(ValueError, match="already"):
        history.add(said("a", ""))


def test_a_transcript_fills_the_audio_of_its_item() -> None:
    history = History()
    history.add(said("a", None))
    history.set_transcript("a", "hello")
    history.set_transcript("gone", "hello")
    assert history["a"] == said("a", "hello")


def test_the_llm_sees_words_and_answered_calls_only() -> None:
    items: list[Item] = [
        said("a", "what is the weather"),
        FunctionCall("b", "call_1", "weather", "{}"),
        FunctionCall("c", "call_2", "never_answered", "{}"),
        FunctionOutput("d", "call_1", "rain"),
        said("e", "", "assistant"),
        said("f", "It rains.", "assistant"),
    ]
    messages = chat_messages(items, "Be brief.")
    assert [message.role for message in messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [call["id"] for call in messages[2].tool_calls] == ["call_1"]


def test_outputs_stand_behind_their_calls_whatever_was_said_meanwhile() -> None:
    items: list[Item] = [
        said("a", "rain in Rome and Oslo?"),
        FunctionCall("b", "call_1", "weather", "{}"),
        FunctionCall("c", "call_2", "weather", "{}"),
        said("d", "hello?"),
        FunctionOutput("e", "call_2", "dry"),
        FunctionOutput("f", "call_1", "wet"),
        FunctionOutput("g", "call_9", "of no call"),
    ]
    messages = chat_messages(items, "")
    assert [(message.role, message.content) for message in messages] == [
        ("user", "rain in Rome and Oslo?"),
        ("assistant", None),
        ("tool", "wet"),
        ("tool", "dry"),
        ("user", "hello?"),
    ]
    assert [call["id"] for call in messages[1].tool_calls] == ["call_1", "call_2"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "root", "after", "delete", "put"]), st.integers(0, 9))
    )
)
def test_whatever_is_done_order_and_items_agree(steps: list[tuple[str, int]]) -> None:
    history = History()
    for what, number in steps:
        item_id = str(number)
        known = item_id in history
        match what:
            case "add" | "root" if not known:
                history.add(said(item_id, ""), None if what == "add" else ROOT)
            case "after" if known and f"{number}x" not in history:
                assert history.add(said(f"{number}x", ""), item_id) == item_id
            case "delete" if known:
                history.delete(item_id)
            case "put":
                history.put(said(item_id, "new"))
                assert (item_id in history) == known
    ids = [item.id for item in history]
    assert len(ids) == len(set(ids)) == len(history)
    assert history.last_id() == (ids[-1] if ids else None)
