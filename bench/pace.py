"""Feeds many sessions with frames at real pace and measures how late they come out.

Runs in both virtual environments, so that ours and the peer are driven by the same lines. Sessions
are spread over four slots of 5 ms, as a server would spread them; a slot that comes late is not
skipped, and latency counts from when a frame was due (an open loop: a stall is seen by every frame
that it held up).
"""

import asyncio
import json
import resource
import time
from collections.abc import Callable, Coroutine, Sequence

FRAME_S = 0.02
SLOTS = 4
SETTLE_S = 2.0  # frames of the first seconds do not count: queues and caches are still filling
HOPELESS_S = 1.0  # so far behind, a process will not catch up

Feed = Callable[[float], Coroutine[object, object, None] | None]
"""Hands a session its frames that are due at this moment of `time.monotonic`."""


class Lateness:
    """How late frames came out, in seconds; filled by the sinks of all sessions."""

    def __init__(self) -> None:
        self.counting = False
        self.seconds: list[float] = []

    def add(self, due: float) -> None:
        """A frame came out now (by the system's clock: uvloop's own counts whole milliseconds)."""
        if self.counting:
            self.seconds.append(time.monotonic() - due)

    def percentile_ms(self, q: float) -> float:
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(len(ranked) * q / 100))] * 1000


async def pace(feeds: Sequence[Feed], lateness: Lateness, seconds: float) -> bool:
    """Feed all sessions for so long after the settling time; False if they fell far behind."""
    slots = [list(feeds[slot::SLOTS]) for slot in range(SLOTS)]
    start = time.monotonic() + 0.1
    ticks = int((SETTLE_S + seconds) * SLOTS / FRAME_S)
    for tick in range(ticks):
        due = start + tick * FRAME_S / SLOTS
        now = time.monotonic()
        await asyncio.sleep(max(0.0, due - now))
        if now - due > HOPELESS_S:
            return False
        lateness.counting = due - start > SETTLE_S
        for feed in slots[tick % SLOTS]:
            if (waiting := feed(due)) is not None:
                await waiting
    await asyncio.sleep(0.2)
    return True


def tell(sessions: int, lateness: Lateness, kept_up: bool, wall_s: float) -> None:
    """Print one JSON line for `bench.pipeline`: `p99_ms` is null if the process fell behind."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "sessions": sessions,
        "p50_ms": lateness.percentile_ms(50) if kept_up else None,
        "p99_ms": lateness.percentile_ms(99) if kept_up else None,
        "cpu": (used.ru_utime + used.ru_stime) / wall_s,
    }
    print(json.dumps(told), flush=True)
