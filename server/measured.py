"""What `voiceforge capacity` measured of a machine, as it is kept and shown."""

from datetime import datetime

import msgspec


class MeasuredLevel(msgspec.Struct, frozen=True):
    """So many callers at once: how long they waited for answers, and turns that got none. Without
    any answer there are no latencies.
    """

    callers: int
    answers: int
    lost: int
    p50_ms: float | None = None
    p95_ms: float | None = None


class Measured(msgspec.Struct, frozen=True):
    """The curve of `machine`, as it was called. So many callers were `held`, `limit` is the most
    that are let in, None if no level was too much. A level holds that loses no turn and has a p95
    within `bound_ms`.
    """

    at: datetime
    machine: str
    held: int
    limit: int | None
    bound_ms: float
    levels: tuple[MeasuredLevel, ...]
