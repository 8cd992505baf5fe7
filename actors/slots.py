"""Which slot of llama.cpp a request goes to.

Left to itself it takes the one that has been idle for longest, which parks what it holds and takes
up what fits best of all that was parked; then all other idle ones are parked. So every conversation
is found again, but for the one that ended last, which still lies in its slot: what goes on with
that is sent there. A slot that is asked for takes up nothing: to ask for one whose conversation has
been parked is to have all of it read again.

Which slot a request had, llama.cpp tells at the end of an answer. Until then, and for what is
broken off, it is taken to be the one whose answer ended first, which may be wrong where two end
together, or one that was broken off stops later.
"""

from dataclasses import dataclass

from engine.capabilities import Chat

TOGETHER_S = 0.01
"""Between its batches, of 20 ms and more, llama.cpp first tells which answers have ended and then
begins with what was asked meanwhile. What ends and what begins so near to each other did so in this
order, whichever is heard first."""


@dataclass(eq=False)
class Place:
    """Where a request is worked on: in `slot` as far as known, which is asked for if `named`."""

    chat: Chat
    slot: int
    named: bool
    began_at: float | None = None
    ended_at: float | None = None


class Slots:
    """The `count` slots of one llama.cpp. Take one, and give it back when it has stopped. Times are
    in s.
    """

    def __init__(self, count: int) -> None:
        self._idle = list(range(count))  # longest first
        self._taken: list[Place] = []
        self._last: Place | None = None  # of the idle ones
        self._held: dict[int, Chat] = {}  # by idle slots, and not parked

    def take(self, chat: Chat) -> Place:
        """A place for a request. Never more at once than there are slots."""
        own = [slot for slot in self._idle if continues(self._held.get(slot), chat)]
        place = Place(chat, own[0] if own else self._idle[0], bool(own))
        self._idle.remove(place.slot)
        self._taken.append(place)
        self._held.clear()  # as a request begins, all that is idle is parked
        return place

    def began(self, place: Place, now: float) -> None:
        """llama.cpp has told something of it."""
        if place.began_at is None:
            place.began_at = now

    def ended(self, place: Place, slot: int, now: float) -> None:
        """Its answer has ended in this slot: what was thought to be there is where this was."""
        for other in self._taken:
            if other.slot == slot:
                other.slot = place.slot
        self._idle = [place.slot if idle == slot else idle for idle in self._idle]
        if slot != place.slot and slot in self._held:
            self._held[place.slot] = self._held.pop(slot)
        place.slot, place.ended_at = slot, now

    def give_back(self, place: Place) -> None:
        """It is idle. What was read and answered there it holds, unless it has been parked by what
        began after it.
        """
        self._taken.remove(place)
        self._append(place)
        read = place.named or place.began_at is not None
        if read and not any(_follows(other, place) for other in self._taken):
            self._held[place.slot] = place.chat

    def _append(self, place: Place) -> None:
        """Of those that end with one batch the lower number does first."""
        last, self._last = self._last, place
        self._idle.append(place.slot)
        if last is None or last.ended_at is None or place.ended_at is None:
            return
        if place.ended_at - last.ended_at < TOGETHER_S and self._idle[-2:-1] == [last.slot]:
            self._idle[-2:] = sorted(self._idle[-2:])


def _follows(other: Place, place: Place) -> bool:
    """Whether `other` began when `place` had ended. What was broken off goes on for a while, and
    is not idle as what was asked before then begins.
    """
    if place.ended_at is None:
        return False
    return other.began_at is None or other.began_at > place.ended_at - TOGETHER_S


def continues(held: Chat | None, asked: Chat) -> bool:
    """Whether `asked` goes on with what was `held`, so that nothing of it is lost: the conversation
    is the same, further on, or in another wording of the turn that is being said; or another one
    has the same beginning, and that was only read.
    """
    if held is None or not held.messages:
        return False
    said, now = held.messages, asked.messages
    same = held.conversation == asked.conversation
    if said == now[: len(said)]:
        return same or held.max_tokens == 0
    reworded = len(said) == len(now) and said[:-1] == now[:-1] and now[-1].role == "user"
    return same and reworded
