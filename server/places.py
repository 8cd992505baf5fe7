"""The places of this machine's sessions: who has one, and whether there is another."""

import time
from collections.abc import Callable

from engine.admission import Admission
from server.control import Refusal, Welcome

RETRY_FULL_S = 10


class Places:
    """Counts the sessions of all gateways: `most` at once, and no more than `admission` lets in."""

    def __init__(
        self,
        most: int | None,
        admission: Admission | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._admission = admission
        self._clock = clock
        self._taken: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._taken.values()))

    def of(self, gateway: int) -> int:
        """How many a gateway has."""
        return len(self._taken.get(gateway, ()))

    def enter(self, gateway: int, number: int) -> Welcome | Refusal:
        """Take a place for the gateway's session `number`, if there is one."""
        if self._most is not None and len(self) >= self._most:
            text = f"{len(self)} sessions are open, the most that limits.max_sessions allows"
            return Refusal(number, "full", text, RETRY_FULL_S)
        if self._admission is not None:
            full = self._admission.ask(len(self), self._clock())
            if full is not None:
                text = f"{len(self)} sessions are open: {full.reason}"
                return Refusal(number, "no_capacity", text, full.retry_after_s)
        self._taken.setdefault(gateway, set()).add(number)
        return Welcome(number)

    def leave(self, gateway: int, number: int) -> None:
        """Give a place back. Harmless if it was not taken."""
        self._taken.get(gateway, set()).discard(number)

    def forget(self, gateway: int) -> None:
        """The gateway has died: its sessions are over."""
        self._taken.pop(gateway, None)
