"""The recorders of this gateway's sessions."""

import time
from collections import Counter
from collections.abc import Callable
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


class Recorders:
    """One for each open session of an account; what nobody's key began is nobody's. `writer` is
    this gateway's name.
    """

    def __init__(self, writer: str, wall: Callable[[], float] = time.time) -> None:
        self._writer = writer
        self._wall = wall
        self._open: dict[str, Recorder] = {}
        self._over: list[Recorder] = []
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
            self._over.append(recorder)

    def refused(self, caller: Caller, reason: str) -> None:
        """A session could not begin."""
        if caller.account_id is not None:
            hour = hour_of(self._wall())
            self._refused[caller.account_id, hour, caller.key_id or "", reason] += 1

    def take(self) -> Changes | None:
        """What is new since this was last asked; None without news."""
        sessions: list[storage.Session] = []
        turns: list[Turn] = []
        over, self._over = self._over, []
        for recorder in (*over, *self._open.values()):
            news = recorder.take()
            if news is not None:
                sessions.append(news[0])
                turns += news[1]
        refused, self._refused = self._refused, Counter()
        if not sessions and not refused:
            return None
        refusals = tuple(Refusal(*whose, count) for whose, count in refused.items())
        return Changes(tuple(sessions), tuple(turns), refusals)
