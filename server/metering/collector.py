"""What the sessions of this gateway use, told every second."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from engine.meter import Meter
from server.access.caller import Caller
from storage.usage import NOTHING, Amounts, Subject

EVERY_S = 1.0

LATE_S = 30.0
"""After its end a session is looked at for so long: what was cancelled is known to have cost
something when the worker has stopped it."""

Tell = Callable[[dict[Subject, Amounts]], None]


class Metered:
    """One meter, and whose it is."""

    def __init__(self, meter: Meter, session_id: str, caller: Caller, agent_id: str) -> None:
        self.meter = meter
        self.session_id = session_id
        self.caller = caller
        self.agent_id = agent_id
        self.ended_at: float | None = None


class Collector:
    """Has an eye on every session's meter. What nobody's key began is nobody's."""

    def __init__(
        self,
        tell: Tell,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._wall = wall
        self._clock = clock
        self._metered: dict[Meter, Metered] = {}

    def __len__(self) -> int:
        return len(self._metered)

    def began(self, session_id: str, meter: Meter, caller: Caller, agent_id: str = "") -> None:
        """Count what is used in this session, or for it after its end, from here on."""
        self._metered[meter] = Metered(meter, session_id, caller, agent_id)

    def ended(self, meter: Meter) -> None:
        """Nothing more is used, but for what is still being stopped."""
        self._metered[meter].ended_at = self._clock()

    async def run(self) -> None:
        """Tell what was used, every second until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                self.collect()
        finally:
            self.collect()

    def collect(self) -> None:
        """Tell what was used since the last time."""
        hour = hour_of(self._wall())
        used: dict[Subject, Amounts] = {}
        for meter, metered in list(self._metered.items()):
            self._take(metered, hour, used)
            if metered.ended_at is not None:
                late = self._clock() > metered.ended_at + LATE_S
                if meter.settled or late:
                    del self._metered[meter]
        if used:
            self._tell(used)

    def _take(self, metered: Metered, hour: datetime, used: dict[Subject, Amounts]) -> None:
        caller = metered.caller
        for one in metered.meter.take():
            if caller.account_id is None:
                continue
            subject = Subject(
                caller.account_id,
                hour,
                metered.session_id,
                key_id=caller.key_id or "",
                agent_id=metered.agent_id,
                model=one.model,
                dropped=one.dropped,
            )
            amounts = Amounts(*(getattr(one.amounts, name) for name in Amounts.__struct_fields__))
            used[subject] = used.get(subject, NOTHING) + amounts


def hour_of(seconds: float) -> datetime:
    """The hour in which this moment lies, in seconds since 1970."""
    return datetime.fromtimestamp(seconds - seconds % 3600, UTC)
