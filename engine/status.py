"""Where a worker stands, as its keeper tells those who use it."""

import enum

import msgspec

from engine.inference import InferenceError
from engine.load import Load


class State(enum.StrEnum):
    """Where a worker stands."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # it died or could not start, and will be tried again
    ASLEEP = "asleep"  # not loaded, until somebody asks for it
    CLOSED = "closed"


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker. Once it is ready, it listens on the Unix socket `path`, new for each start.

    `model` is the name of what it runs. `node` is the address of the cluster's machine that the
    model runs on, empty for this one; `pid` is the process here. `resident_bytes` is the memory of
    the process that holds the model. `error_code` and `error_message` say why the last one was lost
    or could not start, until one is ready again.
    """

    name: str
    state: State = State.STARTING
    path: str = ""
    pid: int = 0
    restarts: int = 0
    resident_bytes: int = 0
    load: Load = msgspec.field(default_factory=Load)
    error_code: str = ""
    error_message: str = ""
    node: str = ""
    model: str = ""

    @property
    def error(self) -> InferenceError | None:
        """Why it is not ready, if it failed."""
        return InferenceError(self.error_code, self.error_message) if self.error_code else None
