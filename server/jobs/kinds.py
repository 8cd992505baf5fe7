"""What kinds of jobs there are to be done, and when one is tried again."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from storage.jobs import Job

Result = Mapping[str, Any] | None
Report = Callable[[float], None]
"""Told how far an attempt is, from 0 to 1."""

Handle = Callable[[Job, Report], Awaitable[Result]]
"""Does a job, which may have been done before in full or in part; returns what is kept of it.

Raises `TryAgain` or `GiveUp`, whose texts the owner of the job reads.
"""

FIRST_S, LONGEST_S = 5.0, 3600.0
"""After the first attempt, and at most; twice as long after each."""

JITTER = 0.25
"""Of a delay, more: what failed together does not come again together."""


class TryAgain(Exception):
    """It may succeed later."""


class GiveUp(Exception):
    """It never will."""


def growing_s(attempts: int) -> float:
    """Seconds until the next one, after so many attempts."""
    return min(LONGEST_S, FIRST_S * 2.0 ** min(attempts - 1, 20))


def jittered(delay_s: float) -> float:
    """So long, or a little longer."""
    return delay_s * random.uniform(1, 1 + JITTER)


class Kind(msgspec.Struct, frozen=True):
    """How jobs of a kind are done, and how many seconds after so many attempts another is made."""

    handle: Handle
    delay_s: Callable[[int], float] = growing_s
