"""What admission learns from: the last second of all gateways and workers; kept between starts."""

import contextlib
import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engine.admission import Learnt, Signs
from engine.inference import Priority
from engine.status import WorkerStatus
from server.machine import cpu_model, machine_bytes
from server.measured import Measured
from server.settings import Settings

log = logging.getLogger(__name__)

FILE = "capacity.json"
MEASURED = "measured"

GUESS_PER_CORE = {"embedded": 4, "elsewhere": 16}
"""Sessions that a machine of which nothing is known is taken to hold, by where the LLM runs."""


class Seconds:
    """Turns what the processes have told since they began into what the last second showed."""

    def __init__(self) -> None:
        self.lag_ms = 0.0
        self.waits_ms: list[float] = []
        self._before: dict[str, tuple[int, float, int]] = {}

    def signs(self, sessions: int, workers: Sequence[WorkerStatus]) -> Signs:
        """The signs since this was last asked."""
        queued, queued_ms, late = 0, 0.0, 0
        for worker in workers:
            served = worker.load.served.get(Priority.FIRST)
            told = (0, 0.0, 0)
            if served is not None:
                told = served.begun, served.waited_ms, served.late
            before = self._before.get(worker.name, (0, 0.0, 0))
            self._before[worker.name] = told
            if told[0] > before[0]:  # less: it has been started again
                queued += told[0] - before[0]
                queued_ms += told[1] - before[1]
                late += max(0, told[2] - before[2])
        waits_ms = tuple(self.waits_ms)
        signs = Signs(sessions, waits_ms, queued, max(0.0, queued_ms), late, self.lag_ms)
        self.waits_ms, self.lag_ms = [], 0.0
        return signs


class Memory:
    """What was learnt of this machine with these settings, in a file of the state `folder`; and
    the curve that was measured of it, if one was.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._path = folder / FILE
        self._key = machine_key(settings)
        cores = os.cpu_count() or 1
        where = "embedded" if settings.llm.base_url is None else "elsewhere"
        self._guess = Learnt(held=GUESS_PER_CORE[where] * cores)
        self._written: Learnt | None = None
        self._measured: Measured | None = None
        self._measured_ns: int | None = None
        """How old the file was that it was read from."""

    def read(self) -> Learnt:
        """What is known, else a guess."""
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(self._known(self._all()), Learnt)
        return self._guess

    def measured(self) -> Measured | None:
        """The curve, if `voiceforge capacity` measured one here, be it while this runs."""
        with contextlib.suppress(OSError):
            ns = self._path.stat().st_mtime_ns
            if ns != self._measured_ns:
                self._measured_ns, self._measured = ns, self._read_measured()
        return self._measured

    def _read_measured(self) -> Measured | None:
        kept = self._known(self._all()).get(MEASURED)
        if kept is None:
            return None
        try:
            return msgspec.convert(kept, Measured)
        except msgspec.ValidationError as error:
            told = {"file": str(self._path), "error": str(error)}
            log.warning("what was measured cannot be read: measure it again", extra=told)
            return None

    def write(self, learnt: Learnt, measured: Measured | None = None) -> None:
        """Keep it, if there is news, and the curve that it was learnt from, if it was. A disk that
        takes nothing costs only the memory.
        """
        if learnt == self._written and measured is None:
            return
        self._written = Learnt(learnt.held, learnt.limit)
        known = self._all()
        curve = self._known(known).get(MEASURED)
        if measured is not None:
            curve = msgspec.to_builtins(measured)
        known[self._key] = msgspec.to_builtins(learnt) | ({MEASURED: curve} if curve else {})
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(known, indent=1), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            log.warning("what was learnt cannot be kept", extra={"error": error.strerror})

    def _known(self, known: Mapping[str, object]) -> Mapping[str, object]:
        """Of this machine, with these settings."""
        here = known.get(self._key)
        return here if isinstance(here, dict) else {}

    def _all(self) -> dict[str, object]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def state_folder(settings: Settings) -> Path:
    """Where a server keeps what it learns: the setting, else the user's state folder (XDG)."""
    if settings.state is not None:
        return Path(settings.state)
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "voiceforge"


def machine_key(settings: Settings) -> str:
    """Names this machine and what it is to run; another of either has another capacity."""
    parts = [
        platform.machine(),
        cpu_model(),
        str(os.cpu_count()),
        f"{machine_bytes() >> 30} GB",
        str(settings.threads),
        str(settings.gateways),
        msgspec.json.encode(settings.workers).decode(),
        f"{settings.llm.base_url} {settings.llm.model} {settings.llm.at_once}",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
