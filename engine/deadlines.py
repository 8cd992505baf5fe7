"""Waiting work in the order of its urgency."""

import heapq
import itertools
from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Place(NamedTuple):
    """Compares as the queue is ordered; `turn` is unique, so that nothing behind it matters."""

    priority: int
    deadline: float
    turn: int


class DeadlineQueue(Generic[K, T]):
    """Lowest priority number first, then earliest deadline, then first come.

    A deadline that has passed drops nothing: late speech is worth more than none. Deadlines are
    seconds of whatever clock the owner reads; the queue only compares them.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[_Place, K]] = []
        self._waiting: dict[K, tuple[_Place, T]] = {}
        self._turns = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: K) -> bool:
        return key in self._waiting

    def items(self) -> Iterator[T]:
        """What waits, in no order."""
        return (item for _, item in self._waiting.values())

    def push(self, key: K, item: T, priority: int, deadline: float) -> None:
        """Add `item`. Raises `KeyError` if `key` waits already."""
        if key in self._waiting:
            raise KeyError(f"{key!r} waits already: promote it, or remove it first")
        self._put(key, item, _Place(priority, deadline, next(self._turns)))

    def promote(self, key: K, priority: int, deadline: float) -> bool:
        """Give `key` another place, its turn among equals kept. False if it does not wait."""
        if key not in self._waiting:
            return False
        place, item = self._waiting[key]
        self._put(key, item, _Place(priority, deadline, place.turn))
        return True

    def remove(self, key: K) -> T | None:
        """Take `key` out, wherever it stands; None if it does not wait."""
        found = self._waiting.pop(key, None)
        self._tidy()
        return None if found is None else found[1]

    def peek(self) -> tuple[K, T]:
        """The most urgent. Raises `IndexError` when nothing waits."""
        self._drop_stale()
        key = self._heap[0][1]
        return key, self._waiting[key][1]

    def pop(self) -> tuple[K, T]:
        """Take the most urgent out. Raises `IndexError` when nothing waits."""
        key, item = self.peek()
        heapq.heappop(self._heap)
        del self._waiting[key]
        return key, item

    def pop_batch(self, most: int) -> list[tuple[K, T]]:
        """The most urgent and up to `most` - 1 that follow it with the same priority.

        A batch lasts as long as its slowest member, so less urgent work never joins.
        """
        priority = self._first().priority
        batch = [self.pop()]
        while len(batch) < most and self._waiting and self._first().priority == priority:
            batch.append(self.pop())
        return batch

    def _first(self) -> _Place:
        self._drop_stale()
        return self._heap[0][0]

    def _put(self, key: K, item: T, place: _Place) -> None:
        self._waiting[key] = (place, item)
        heapq.heappush(self._heap, (place, key))
        self._tidy()

    def _stale(self, place: _Place, key: K) -> bool:
        waiting = self._waiting.get(key)
        return waiting is None or waiting[0] != place

    def _drop_stale(self) -> None:
        while self._heap and self._stale(*self._heap[0]):
            heapq.heappop(self._heap)

    def _tidy(self) -> None:
        """Rebuild once most of the heap is stale, so that cancelled work holds no memory."""
        if len(self._heap) > 2 * len(self._waiting) + 16:
            self._heap = [(place, key) for key, (place, _) in self._waiting.items()]
            heapq.heapify(self._heap)
