"""The recordings that run in this gateway, and the thread that writes them.

Files can take their time, and the event loop has none. The thread works for a moment only: the
recordings take turns, spread over the period.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.recording.store import Recordings
from server.recording.tape import Tape

EVERY_S = 0.5
"""A gateway that is killed loses so much of a recording, at most."""


class Tapes:
    """One for each session of an account that is open; most are never written."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._open: dict[str, Tape] = {}
        self._closing = threading.Event()

    def begin(self, session_id: str, account_id: str) -> Tape:
        """For a session that may be recorded."""
        tape = self._open[session_id] = Tape(self._recordings, account_id, session_id)
        return tape

    def end(self, session_id: str) -> None:
        """The session is over: the rest is written."""
        tape = self._open.get(session_id)
        if tape is not None:
            tape.over = True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write as long as the block lasts, and the rest then."""
        thread = threading.Thread(target=self._run, name="recordings")
        thread.start()
        try:
            yield
        finally:
            self._closing.set()
            thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.is_set()
            due = [(ident, tape) for ident, tape in list(self._open.items()) if tape.due]
            for session_id, tape in due:
                over = tape.over
                tape.write()
                if over:
                    tape.close()
                    del self._open[session_id]
                self._closing.wait(EVERY_S / len(due))
            if not due:
                self._closing.wait(EVERY_S)
