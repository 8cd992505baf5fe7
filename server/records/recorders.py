"""The recorders of this gateway's sessions."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from engine.frames import Frame
from engine.session import EndReason, Session
from server.access.caller import Caller
from server.metering.collector import hour_of
from server.records.recorder import Recorder, begun_at
from storage import sessions as storage
from storage.records import Changes
from storage.refusals import Refusal
from storage.turns import Turn

AT_ONCE = 50
"""Sessions in one batch: it holds up the event loop for 2 ms when all have news."""


class Recorders:
    """One for each open session of an account; what nobody's key began is nobody's. `writer` is
    this gateway's name.
    """

    def __init__(self, writer: str, wall: Callable[[], float] = time.time) -> None:
        self._writer = writer
        self._wall = wall
        self._open: dict[str, Recorder] = {}
        self._over: dict[str, Recorder] = {}
        self._refused: Counter[tuple[str, datetime, str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def began(
        self,
        session: Session,
        caller: Caller,
        transport: str,
        agent_id: str = "",
        agent_version: int | None = None,
    ) -> None:
        """Record this session, from here on."""
        if caller.account_id is None:
            return
        record = storage.Session(
            session.id,
            caller.account_id,
            caller.key_id or "",
            transport,
            self._writer,
            begun_at(self._wall()),
            agent_id,
            agent_version,
        )
        self._open[session.id] = Recorder(session, record)

    def observe(self, session_id: str, frame: Frame) -> None:
        """One of its outward frames."""
        recorder = self._open.get(session_id)
        if recorder is not None:
            recorder.observe(frame)

    def ended(self, session: Session, reason: EndReason) -> None:
        """It is over."""
        recorder = self._open.pop(session.id, None)
        if recorder is not None:
            recorder.ended(reason)
            self._over[session.id] = recorder

    def refused(self, caller: Caller, reason: str) -> None:
        """A session could not begin."""
        if caller.account_id is not None:
            hour = hour_of(self._wall())
            self._refused[caller.account_id, hour, caller.key_id or "", reason] += 1

    def take(self) -> Iterator[Changes]:
        """What is new since this was last asked, of some sessions at a time. What is not taken is
        new the next time.
        """
        if self._refused:
            refused, self._refused = self._refused, Counter()
            yield Changes(refusals=tuple(Refusal(*whose, n) for whose, n in refused.items()))
        every = [*self._over.items(), *self._open.items()]
        for start in range(0, len(every), AT_ONCE):
            sessions: list[storage.Session] = []
            turns: list[Turn] = []
            for ident, recorder in every[start : start + AT_ONCE]:
                news = recorder.take()
                if news is not None:
                    sessions.append(news[0])
                    turns += news[1]
                if recorder.over:
                    self._over.pop(ident, None)
            if sessions:
                yield Changes(tuple(sessions), tuple(turns))
