"""Which slot of llama.cpp a request goes to."""

from actors.slots import Slots, continues
from engine.capabilities import ChatMessage

Chat = tuple[ChatMessage, ...]


def chat(*texts: str) -> Chat:
    roles = ("system", "user", "assistant", "user")
    return tuple(ChatMessage(role, text) for role, text in zip(roles, texts, strict=False))  # type: ignore[arg-type]


def served(slots: Slots, messages: Chat) -> tuple[int, bool]:
    slot, named = slots.take(messages)
    slots.give_back(slot)
    return slot, named


def test_what_goes_on_is_sent_where_it_has_just_ended() -> None:
    slots = Slots(2)
    slot, named = served(slots, chat("A hotel.", "Is there"))
    assert not named
    assert served(slots, chat("A hotel.", "Is there a room?")) == (slot, True)
    more = chat("A hotel.", "Is there a room?", "Yes.", "And a bed?")
    assert served(slots, more) == (slot, True)


def test_another_conversation_goes_to_the_slot_that_was_idle_for_longest() -> None:
    slots = Slots(2)
    anna, _ = served(slots, chat("A hotel.", "I am Anna.", "Hello.", "A room?"))
    bert, named = served(slots, chat("A shop.", "I am Bert."))
    assert bert != anna
    assert not named
    # Anna's has been parked since: llama.cpp finds it by itself.
    assert served(slots, chat("A hotel.", "I am Anna.", "Hello.", "A room?")) == (anna, False)


def test_two_that_ended_together_are_both_found() -> None:
    slots = Slots(2)
    anna, _ = slots.take(chat("A hotel.", "I am Anna.", "Hello.", "A room?"))
    bert, _ = slots.take(chat("A hotel.", "I am Bert."))
    assert {anna, bert} == {0, 1}
    slots.give_back(bert)
    slots.give_back(anna)
    assert slots.take(chat("A hotel.", "I am Anna.", "Hello.", "A room?")) == (anna, True)


def test_a_conversation_continues_with_more_or_with_other_words_of_its_last_turn() -> None:
    said = chat("A.", "Is there")
    assert continues(said, chat("A.", "Is there a room?"))
    assert continues(said, chat("A.", "Is there", "Yes.", "Good."))
    assert not continues(said, chat("A."))
    assert not continues(said, chat("B.", "Is there"))
    assert not continues(said, chat("A.", "Is here", "Yes.", "Good."))
    assert not continues((), chat("A."))
    assert not continues(None, chat("A."))
