"""The places of this machine's sessions: who has one, and whether there is another."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from engine.admission import Admission, Full
from server.control import AdmissionStatus, Owner, Refusal, Welcome

RETRY_FULL_S = 10
ENOUGH = "session_limit"
"""The reason for who has as many sessions as it may have."""

SPENT = "insufficient_quota"
"""For who has used what it may use this month, as OpenAI calls it."""

WAY_OUT = "`voiceforge capacity` measures it, limits.admission = off lets everybody in"


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
        self._taken: dict[int, dict[int, tuple[str, ...]]] = {}
        self._owned: Counter[str] = Counter()
        """Sessions by key and account. One whose client was dropped is let back in, always, and
        keeps its owner from no other meanwhile."""
        self._away: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._taken.values()))

    @property
    def present(self) -> int:
        """Sessions whose client is there; one that was dropped may come back to its own, always."""
        return len(self) - sum(map(len, self._away.values()))

    def of(self, gateway: int) -> int:
        """How many a gateway has."""
        return len(self._taken.get(gateway, ()))

    def enter(self, gateway: int, number: int, owners: Sequence[Owner] = ()) -> Welcome | Refusal:
        """Take a place for the gateway's session `number`, if there is one."""
        for owner in owners:
            most = owner.limits.concurrent_sessions
            if most is not None and self._owned[owner.id] >= most:
                text = f"{owner.id} may have {most} sessions at once: end one, or wait"
                return Refusal(number, ENOUGH, text, RETRY_FULL_S)
        present = self.present
        if self._most is not None and present >= self._most:
            return Refusal(number, "full", _most_are_open(present), RETRY_FULL_S)
        if self._admission is not None:
            full = self._admission.ask(present, self._clock())
            if full is not None:
                text = _full_of(present, full)
                return Refusal(number, "no_capacity", text, full.retry_after_s)
        ids = tuple(owner.id for owner in owners)
        self._taken.setdefault(gateway, {})[number] = ids
        self._owned.update(ids)
        return Welcome(number)

    def status(self) -> AdmissionStatus:
        """Whether there is another, and why."""
        present, admission = self.present, self._admission
        full = None if admission is None else admission.full(present, self._clock())
        refusal = None if full is None else _full_of(present, full)
        if self._most is not None and present >= self._most:
            refusal = _most_are_open(present)
        if admission is None:
            return AdmissionStatus(present, self._most, refusal=refusal)
        at_once, limit = admission.at_once, admission.learnt.limit
        return AdmissionStatus(present, self._most, at_once, limit, admission.pressure, refusal)

    def leave(self, gateway: int, number: int) -> None:
        """Give a place back. Harmless if it was not taken."""
        ids = self._taken.get(gateway, {}).pop(number, ())
        if number in self._away.get(gateway, ()):
            self._away[gateway].discard(number)
        else:
            self._disown(ids)

    def mark(self, gateway: int, number: int, *, away: bool) -> None:
        """The client of a session is gone, or back."""
        gone = self._away.setdefault(gateway, set())
        ids = self._taken.get(gateway, {}).get(number)
        if ids is None or away == (number in gone):
            return
        if away:
            gone.add(number)
            self._disown(ids)
        else:
            gone.discard(number)
            self._owned.update(ids)

    def forget(self, gateway: int) -> None:
        """The gateway has died: its sessions are over."""
        away = self._away.pop(gateway, set())
        for number, ids in self._taken.pop(gateway, {}).items():
            if number not in away:
                self._disown(ids)

    def _disown(self, ids: tuple[str, ...]) -> None:
        for ident in ids:
            self._owned[ident] -= 1
            if not self._owned[ident]:
                del self._owned[ident]


def _most_are_open(present: int) -> str:
    return f"{present} sessions are open, the most that limits.max_sessions allows"


def _full_of(present: int, full: Full) -> str:
    return f"{present} sessions are open: {full.reason} ({WAY_OUT})"
