"""How late the event loop wakes: whatever holds it up holds up audio."""

import asyncio
from collections.abc import Callable

EVERY_S = 0.1


class LoopLag:
    """Measures the event loop's lag; `observe` is called with each measurement, in s."""

    def __init__(self) -> None:
        self.observe: Callable[[float], None] = lambda lag_s: None
        self._worst_s = 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            lag_s = max(0.0, loop.time() - due)
            self._worst_s = max(self._worst_s, lag_s)
            self.observe(lag_s)

    def worst_ms(self) -> float:
        """The longest since this was last asked."""
        worst, self._worst_s = self._worst_s, 0.0
        return worst * 1000
