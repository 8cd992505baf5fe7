"""Which slot of llama.cpp a request goes to.

Left to itself it takes the one that has been idle for longest, which parks what it holds and takes
up what fits best of all that was parked; then all other idle ones are parked. So every conversation
is found again, but for the one that ended last, which still lies in its slot: what goes on with
that is sent there.
"""

from collections.abc import Sequence

from engine.capabilities import ChatMessage

Messages = Sequence[ChatMessage]


class Slots:
    """The slots of one llama.cpp. Take one, and give it back when it has stopped."""

    def __init__(self, count: int) -> None:
        self._free = list(range(count))  # the one that has been idle for longest first
        self._held: dict[int, Messages] = {}  # what is not parked

    def take(self, messages: Messages) -> tuple[int, bool]:
        """The slot that a request will have, and whether it must be named.

        Never more at once than there are slots.
        """
        own = [one for one in self._free if continues(self._held.get(one), messages)]
        slot = own[0] if own else self._free[0]
        self._free.remove(slot)
        for parked in self._free:
            self._held.pop(parked, None)
        self._held[slot] = messages
        return slot, bool(own)

    def give_back(self, slot: int) -> None:
        """It is idle, and holds what was read and answered there."""
        self._free.append(slot)


def continues(held: Messages | None, asked: Messages) -> bool:
    """Whether `asked` is the same conversation, further on: at least in another wording of the turn
    that is being said.
    """
    if not held or len(held) > len(asked):
        return False
    before = len(held) if len(held) < len(asked) else len(held) - 1
    return list(held[:before]) == list(asked[:before])
