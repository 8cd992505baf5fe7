"""What the parts of a program cost in CPU time, each without the parts that it calls."""

import functools
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Parts:
    """`spent_s` has the CPU seconds of each part, in one thread. `clock` is that thread's."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)
        self._clock = clock
        self._within: list[str] = []
        self._since = 0.0

    def time(self, part: str, owner: type, *methods: str) -> None:
        """From now on these methods of a class count as this part. They may not wait."""
        for name in methods:
            setattr(owner, name, self.timed(part, getattr(owner, name)))

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, counted."""

        @functools.wraps(call)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._pass()
            self._within.append(part)
            try:
                return call(*args, **kwargs)
            finally:
                self._pass()
                self._within.pop()

        return counted

    def _pass(self) -> None:
        """Put the time since the last change down to the part that had it."""
        now = self._clock()
        if self._within:
            self.spent_s[self._within[-1]] += now - self._since
        self._since = now
