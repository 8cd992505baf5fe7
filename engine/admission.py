"""Whether one more session fits, learnt from what the machine was seen to hold.

A machine tells by two things that it holds too many: callers whose turn is over wait for it, and
the loops that carry audio wake late. Queues and missed deadlines say it first, while callers still
notice nothing. What a machine held well is let in at once; beyond that one session at a time, each
once the last one has shown what it costs; at what was too many none. The limit is lowered a little
at the first sign, and further once a whole window has shown by how much there were too many. It
recovers slowly, in case what was seen was not the sessions' fault.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median_low

import msgspec

WINDOW_S = 20.0
"""A few turns of each caller."""

FEW = 5
"""Turns, or requests, of a window that say nothing yet: one slow sentence is no overload."""

MOST_WAIT_MS = 1000.0
"""For the machine, from the verdict that a turn is over to the first sound of the answer; of ten
turns at most one waits longer. The verdict itself comes 0.4 to 1.2 s after the last word."""

MOST_QUEUE_MS = 250.0
"""In a queue, on average, before work that somebody waits for: as long as the deadlines of a
transcript (300 ms) and of a first sentence (150 ms)."""

MOST_LATE = 0.4
"""Of that work, with its first result after its deadline: 34 % at 16 callers on two cores, whose
p95 was 1.34 times that of four, 53 % at 24 (1.87 times; `bench.callers --llm scripted`). Between
the two lies the 1.5 that callers are promised."""

MOST_LAG_MS = 60.0
"""Of a gateway's event loop. 100 ms at most are sent ahead of the ear: beyond that are holes."""

COMFORT = 0.6
"""Up to this pressure more are let in; the rest is the reserve of those inside."""

STEP = 0.85
"""The limit after too many, as a share of them, at the first sign: a few turns do not tell how many
too many they were."""

DEEPEST_STEP = 0.7
"""The least share, when a window has told. Missed deadlines and waits grow about as the sessions do
(the same measurement), so the share is what the pressure says, but for what else may have been."""

SETTLE_S = 3.0
"""After this a new caller's first turn is on its way."""

RECOVER_S = 60.0
"""Without pressure for so long, one more than the limit is tried."""

LEAST = 4
"""A machine that fewer callers are too many for is busy with something else, or hopeless: it is not
for us to turn people away then."""


class Signs(msgspec.Struct, frozen=True):
    """What one second showed.

    `waits_ms` is how long callers waited for each answer; `queued` how many requests that somebody
    waits for have begun, and `queued_ms` how long they waited in all; `late` results came after the
    deadline; `lag_ms` is the worst of a loop.
    """

    sessions: int
    waits_ms: Sequence[float] = ()
    queued: int = 0
    queued_ms: float = 0.0
    late: int = 0
    lag_ms: float = 0.0


class Learnt(msgspec.Struct):
    """What is known of a machine: it has `held` so many sessions well; `limit` were too many."""

    held: int
    limit: int | None = None


class Full(msgspec.Struct, frozen=True):
    """No: because of `reason`. Ask again after `retry_after_s`."""

    reason: str
    retry_after_s: int


class Admission:
    """Decides; times are seconds of any clock that does not jump."""

    def __init__(self, learnt: Learnt) -> None:
        self.learnt = learnt
        self._window: deque[tuple[float, Signs]] = deque()
        self._let_in_at = float("-inf")
        self._calm_since: float | None = None
        self._turned_away = False

    def saw(self, signs: Signs, now: float) -> None:
        """Learn from the last second. One without sessions teaches nothing."""
        if signs.sessions:
            self._forget_crowds(signs.sessions)
            self._window.append((now, signs))
        if not self._window:
            return
        while self._window and self._window[0][0] < now - WINDOW_S:
            self._window.popleft()
        pressure = pressure_of([signs for _, signs in self._window])
        if pressure > 1:
            self._too_many(pressure, now)
        elif pressure <= COMFORT:
            self._well(signs.sessions, now)
        else:
            self._calm_since = None

    def ask(self, sessions: int, now: float) -> Full | None:
        """May another join the `sessions` that there are? None if so."""
        full = self.full(sessions, now)
        if full is None:
            self._let_in_at = now
        elif self.learnt.limit is not None and sessions >= self.learnt.limit:
            self._turned_away = True
        return full

    def full(self, sessions: int, now: float) -> Full | None:
        """What another would be told; None if it would be let in."""
        learnt = self.learnt
        if learnt.limit is not None and sessions >= learnt.limit:
            return Full(f"this machine serves {learnt.limit} well", round(WINDOW_S / 2))
        if sessions >= self.at_once:
            if self.pressure > COMFORT:
                return Full("those inside need all of this machine", round(WINDOW_S / 2))
            if now < self._let_in_at + SETTLE_S:
                return Full("callers beyond what is known are let in one by one", round(SETTLE_S))
        return None

    @property
    def at_once(self) -> int:
        """So many come in together; whoever is beyond, one by one, if at all."""
        return max(self.learnt.held, LEAST)

    @property
    def pressure(self) -> float:
        """As `pressure_of`, of the last seconds with sessions."""
        return pressure_of([signs for _, signs in self._window])

    def _forget_crowds(self, sessions: int) -> None:
        """What a larger crowd waited for says nothing of those who stay."""
        most = sessions / STEP
        if any(signs.sessions > most for _, signs in self._window):
            kept = [(at, signs) for at, signs in self._window if signs.sessions <= most]
            self._window = deque(kept)

    def _too_many(self, pressure: float, now: float) -> None:
        """Whoever is inside stays; the limit is lowered, and what comes next shows if enough."""
        self._calm_since = None
        whole = self._window[0][0] <= now - WINDOW_S + 2  # a second for each end
        share = max(DEEPEST_STEP, min(STEP, 1 / pressure)) if whole else STEP
        crowd = median_low(signs.sessions for _, signs in self._window if _strained(signs))
        limit = max(LEAST, min(crowd - 1, int(crowd * share)))
        if self.learnt.limit is None or limit < self.learnt.limit:
            self.learnt.limit = limit
            self._window.clear()
        self.learnt.held = min(self.learnt.held, limit)

    def _well(self, sessions: int, now: float) -> None:
        if self._calm_since is None:
            self._calm_since = now
        learnt = self.learnt
        if now - self._calm_since >= WINDOW_S and self._spoke():
            fewest = min(signs.sessions for _, signs in self._window)
            learnt.held = max(learnt.held, fewest)
        if learnt.limit is not None and now - self._calm_since >= RECOVER_S:
            if self._turned_away:
                learnt.limit += 1
            self._turned_away = False
            self._calm_since = now

    def _spoke(self) -> bool:
        """Whether the sessions did anything: silent ones prove nothing."""
        return sum(len(signs.waits_ms) for _, signs in self._window) >= FEW


def pressure_of(window: Sequence[Signs]) -> float:
    """How near to its bounds the machine was in these seconds: 1 is at one of them."""
    waits = sorted(wait for signs in window for wait in signs.waits_ms)
    wait_ms = waits[int((len(waits) - 1) * 0.9)] if len(waits) >= FEW else 0.0
    queued = sum(signs.queued for signs in window)
    in_all_ms = sum(signs.queued_ms for signs in window)
    queue_ms = in_all_ms / queued if queued >= FEW else 0.0
    late = sum(signs.late for signs in window) / queued if queued >= FEW else 0.0
    lags = sorted((signs.lag_ms for signs in window), reverse=True)
    lag_ms = lags[1] if len(lags) > 1 else 0.0  # one late wake-up in a window is the system's
    return max(
        wait_ms / MOST_WAIT_MS, queue_ms / MOST_QUEUE_MS, late / MOST_LATE, lag_ms / MOST_LAG_MS
    )


def _strained(signs: Signs) -> bool:
    """Whether this second by itself was beyond a bound."""
    return (
        any(wait > MOST_WAIT_MS for wait in signs.waits_ms)
        or signs.queued_ms > MOST_QUEUE_MS * signs.queued
        or signs.late > MOST_LATE * signs.queued
        or signs.lag_ms > MOST_LAG_MS
    )
