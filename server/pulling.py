"""How fetching models is told while the server starts."""

import threading
import time
from collections.abc import Callable

TOLD_EVERY_S = 3.0


class Stopped(Exception):
    """Nobody waits for the models any more."""


class Pulling:
    """A store's `Progress`: a line every few seconds through `tell`, and the state for /readyz.

    Called from the thread that fetches, which ends with `Stopped` once `stop` is set.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        state: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self._tell = tell
        self._state = state
        self._stop = stop
        self._told_s = 0.0

    def moved(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        """So much of `name` is on disk."""
        if self._stop.is_set():
            raise Stopped
        total = "?" if total_bytes is None else f"{total_bytes / 1e6:.0f}"
        text = f"fetching {name}: {done_bytes / 1e6:.0f} of {total} MB"
        self._state(text)
        now_s = time.monotonic()
        if done_bytes == total_bytes or now_s - self._told_s > TOLD_EVERY_S:
            self._told_s = now_s
            self._tell(text)

    def note(self, text: str) -> None:
        """Which source is used, why another one, or who is waited for."""
        self._tell(text)
