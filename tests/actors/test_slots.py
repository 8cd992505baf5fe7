"""Which slot of llama.cpp a request goes to."""

from msgspec.structs import replace

from actors.slots import Place, Slots, continues
from engine.capabilities import Chat, ChatMessage


def chat(*texts: str, conversation: str = "") -> Chat:
    roles = ("system", "user", "assistant", "user")
    messages = (ChatMessage(role, text) for role, text in zip(roles, texts, strict=False))  # type: ignore[arg-type]
    return Chat(tuple(messages), conversation=conversation)


ANNA = chat("A hotel.", "I am Anna.", "Hello.", "A room?", conversation="anna")
BERT = chat("A hotel.", "I am Bert.", conversation="bert")


def answered(slots: Slots, asked: Chat, told: int, now: float = 1.0) -> tuple[int, bool]:
    """Have llama.cpp answer in the slot `told`. Returns which slot was taken for it, and whether
    that was asked for.
    """
    place = slots.take(asked)
    thought = place.slot, place.named
    slots.began(place, now - 0.1)
    slots.ended(place, told, now)
    slots.give_back(place)
    return thought


def broken_off(slots: Slots, asked: Chat) -> Place:
    place = slots.take(asked)
    slots.began(place, 1.0)
    slots.give_back(place)
    return place


def test_what_goes_on_is_sent_where_it_has_just_ended() -> None:
    slots = Slots(2)
    assert answered(slots, chat("A hotel.", "Is there"), told=1) == (0, False)
    assert answered(slots, chat("A hotel.", "Is there a room?"), told=1) == (1, True)
    more = chat("A hotel.", "Is there a room?", "Yes.", "And a bed?")
    assert broken_off(slots, more).slot == 1
    assert answered(slots, more, told=1) == (1, True)


def test_what_was_parked_since_is_found_by_llama_cpp_itself() -> None:
    slots = Slots(2)
    answered(slots, ANNA, told=0)
    answered(slots, BERT, told=1)
    assert answered(slots, ANNA, told=0) == (0, False)


def test_two_that_ended_together_are_both_found() -> None:
    for first, second in ((0, 1), (1, 0)):
        slots = Slots(2)
        anna, bert = slots.take(ANNA), slots.take(BERT)
        slots.began(anna, 1.0)
        slots.began(bert, 1.0)
        for place, slot in ((bert, first), (anna, second)):
            slots.ended(place, slot, 2.0)
            slots.give_back(place)
        assert answered(slots, ANNA, told=second) == (second, True)


def test_what_begins_as_another_ends_has_parked_it() -> None:
    for begins_at in (None, 1.999, 2.001):
        slots = Slots(2)
        anna, bert = slots.take(ANNA), slots.take(BERT)
        slots.began(anna, 1.0)
        if begins_at is not None:
            slots.began(bert, begins_at)
        slots.ended(anna, 0, 2.0)
        slots.give_back(anna)
        assert not slots.take(ANNA).named


def test_what_began_before_another_ends_has_not() -> None:
    slots = Slots(2)
    anna, bert = slots.take(ANNA), slots.take(BERT)
    slots.began(anna, 1.0)
    slots.began(bert, 1.9)
    slots.ended(anna, 0, 2.0)
    slots.give_back(anna)
    assert slots.take(ANNA).named


def test_of_two_that_end_together_the_lower_slot_is_idle_for_longer() -> None:
    for first, second in ((0, 1), (1, 0)):
        slots = Slots(2)
        anna, bert = slots.take(ANNA), slots.take(BERT)
        slots.began(anna, 1.0)
        slots.began(bert, 1.0)
        slots.ended(anna, first, 2.0)
        slots.give_back(anna)
        slots.ended(bert, second, 2.001)
        slots.give_back(bert)
        assert slots.take(chat("A shop.")).slot == 0


def test_no_slot_is_ever_thought_to_be_taken_twice() -> None:
    slots = Slots(2)
    anna, bert = slots.take(ANNA), slots.take(BERT)
    slots.ended(anna, bert.slot, 1.0)
    assert {anna.slot, bert.slot} == {0, 1}
    slots.give_back(anna)
    assert slots.take(ANNA).slot == anna.slot


def test_what_is_broken_off_is_looked_for_where_it_must_have_been() -> None:
    slots = Slots(2)
    answered(slots, ANNA, told=1)
    bert = broken_off(slots, BERT)
    assert (bert.slot, bert.named) == (0, False)
    assert answered(slots, BERT, told=0) == (0, True)


def test_a_conversation_continues_with_more_or_with_other_words_of_its_last_turn() -> None:
    said = chat("A.", "Is there")
    assert continues(said, chat("A.", "Is there a room?"))
    assert continues(said, chat("A.", "Is there", "Yes.", "Good."))
    assert not continues(said, chat("A."))
    assert not continues(said, chat("B.", "Is there"))
    assert not continues(said, chat("A.", "Is here", "Yes.", "Good."))
    assert not continues(Chat(()), chat("A."))
    assert not continues(None, chat("A."))


def test_another_conversation_goes_on_with_no_more_than_they_have_in_common() -> None:
    said = chat("A.", "Is there", conversation="anna")
    assert not continues(said, chat("A.", "Is there a room?", conversation="bert"))
    instructions = chat("A.", conversation="anna")
    assert not continues(instructions, chat("A.", "Hi.", conversation="bert"))  # it was answered
    warm = replace(instructions, max_tokens=0)
    assert continues(warm, chat("A.", "Hi.", conversation="bert"))


def test_other_instructions_go_on_with_nothing() -> None:
    assert not continues(chat("A."), chat("B."))


def test_what_was_never_begun_is_nowhere() -> None:
    slots = Slots(2)
    slots.give_back(slots.take(ANNA))
    assert not slots.take(ANNA).named


def test_what_was_broken_off_moves_when_its_slot_turns_out_to_be_another() -> None:
    slots = Slots(2)
    anna, bert = slots.take(ANNA), slots.take(BERT)
    slots.began(anna, 1.0)
    slots.began(bert, 1.0)
    slots.give_back(anna)
    slots.ended(bert, anna.slot, 2.0)
    slots.give_back(bert)
    sent = slots.take(ANNA)
    assert (sent.slot, sent.named) == (1, True)
