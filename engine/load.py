"""How busy an inference actor is, and what it has done since it began."""

import msgspec


class Served(msgspec.Struct):
    """The requests of one priority.

    `begun` of them, after waits of `waited_ms` together; `late` ones had their first result after
    their deadline; all took `compute_ms`.
    """

    begun: int = 0
    waited_ms: float = 0.0
    late: int = 0
    compute_ms: float = 0.0


class Load(msgspec.Struct, frozen=True):
    """`queued` requests wait, the oldest for `oldest_ms`; `running` ones were begun: they are being
    worked on, or were left for something more urgent.

    `busy_ms` is how long the run that began first has run. `lanes` runs may go on at once;
    `worked_ms` is what all of them have taken together. `served` is by priority, `batches` counts
    runs by their size.
    """

    queued: int = 0
    oldest_ms: float = 0.0
    running: int = 0
    busy_ms: float = 0.0
    lanes: int = 1
    worked_ms: float = 0.0
    served: dict[int, Served] = msgspec.field(default_factory=dict)
    batches: dict[int, int] = msgspec.field(default_factory=dict)


class Meter:
    """Counts what an inference actor does, in its event loop."""

    def __init__(self) -> None:
        self.served: dict[int, Served] = {}
        self.batches: dict[int, int] = {}
        self.worked_ms = 0.0

    def began(self, priority: int, waited_ms: float) -> None:
        """A request's work begins, after it waited."""
        served = self._of(priority)
        served.begun += 1
        served.waited_ms += waited_ms

    def was_late(self, priority: int) -> None:
        """A first result came after the deadline."""
        self._of(priority).late += 1

    def ended(self, priority: int, compute_ms: float) -> None:
        """A request's work is over."""
        self._of(priority).compute_ms += compute_ms

    def ran(self, size: int, took_ms: float, *, again: bool = False) -> None:
        """A batch is done, or left; `again`: it was before."""
        self.batches[size] = self.batches.get(size, 0) + (not again)
        self.worked_ms += took_ms

    def _of(self, priority: int) -> Served:
        return self.served.setdefault(priority, Served())


def sum_of(one: Load, other: Load) -> Load:
    """The load of an inference actor that consists of two."""
    served = {
        priority: Served(
            *(
                a + b
                for a, b in zip(
                    msgspec.structs.astuple(one.served.get(priority, Served())),
                    msgspec.structs.astuple(other.served.get(priority, Served())),
                    strict=True,
                )
            )
        )
        for priority in one.served.keys() | other.served.keys()
    }
    sizes = one.batches.keys() | other.batches.keys()
    return Load(
        queued=one.queued + other.queued,
        oldest_ms=max(one.oldest_ms, other.oldest_ms),
        running=one.running + other.running,
        busy_ms=max(one.busy_ms, other.busy_ms),
        lanes=one.lanes + other.lanes,
        worked_ms=one.worked_ms + other.worked_ms,
        served=served,
        batches={size: one.batches.get(size, 0) + other.batches.get(size, 0) for size in sizes},
    )
