"""When a model that was loaded on demand is unloaded: nobody uses it, or memory is scarce."""

from collections.abc import Iterable

from engine.status import State, WorkerStatus
from server.machine import available_bytes, machine_bytes

SCARCE = 0.1
"""Of the machine's memory: with less available, what is idle is unloaded, longest idle first."""

MOMENT_S = 10.0  # what has just been used is left alone, however scarce memory is


def memory_is_scarce() -> bool:
    """Whether less than `SCARCE` of it is available; False where that cannot be read."""
    return 0 < available_bytes() < SCARCE * machine_bytes()


class Idle:
    """Knows which models loaded on demand nobody has used for `idle_s`."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._begun: dict[str, int] = {}
        self._used_at: dict[str, float] = {}

    def used(self, name: str, now: float) -> None:
        """Somebody asks for it."""
        self._used_at[name] = now

    def to_unload(self, workers: Iterable[WorkerStatus], now: float, *, scarce: bool) -> list[str]:
        """Those idle for too long; if there are none and memory is `scarce`, the longest idle."""
        idle = []
        for worker in workers:
            begun = sum(served.begun for served in worker.load.served.values())
            busy = worker.load.queued or worker.load.running
            if busy or begun != self._begun.get(worker.name, 0):
                self._used_at[worker.name] = now
            self._begun[worker.name] = begun
            if worker.state is State.READY and not busy:
                idle.append(worker.name)
        idle.sort(key=lambda name: self._used_at.get(name, now))
        since = {name: now - self._used_at.setdefault(name, now) for name in idle}
        long = [name for name in idle if since[name] >= self._idle_s]
        return long or ([idle[0]] if scarce and idle and since[idle[0]] >= MOMENT_S else [])
