"""What the supervisor and its gateways say to each other, over a socket pair made for each."""

import asyncio

import msgspec

from engine.framing import framed, read_body
from engine.status import WorkerStatus
from server.machine import Machine
from server.measured import Measured
from server.settings import Settings
from storage.accounts import NO_LIMITS, Limits
from storage.usage import Amounts, Subject

# ---- supervisor to gateway -------------------------------------------------------------------


class Reached(msgspec.Struct, frozen=True):
    """How a gateway reaches the database: `url` may hold a password. `secret_key` opens what is
    sealed in it.
    """

    url: str
    connections: int
    secret_key: bytes


class GatewayPlan(msgspec.Struct, frozen=True):
    """What a gateway is told on its standard input; the settings come without secrets.

    `store` is the model store's folder, `path` where its private socket is to lie. The two file
    descriptors are inherited: the supervisor talks over one, and hands connections over the other.
    `turn_secret` is shared with the TURN server.
    """

    index: int
    settings: Settings
    store: str
    database: Reached
    path: str
    control_fd: int
    channel_fd: int
    turn_secret: str | None = None


class Loading(msgspec.Struct, frozen=True, tag="loading"):
    """What is being done for a model that does not serve yet."""

    model: str
    what: str


class Fetched(msgspec.Struct, frozen=True, tag="fetched"):
    """Every model's files are here: open those that run in the gateway."""


class Workers(msgspec.Struct, frozen=True, tag="workers"):
    """How the workers are: all of them at first, then those of which there is news."""

    statuses: tuple[WorkerStatus, ...]


class GatewayStatus(msgspec.Struct, frozen=True):
    """A gateway. `path` is its private socket, empty until it listens there."""

    index: int
    pid: int = 0
    path: str = ""
    restarts: int = 0
    serving: bool = False
    sessions: int = 0
    lag_ms: float = 0.0
    resident_bytes: int = 0


class DatabaseStatus(msgspec.Struct, frozen=True):
    """Where the records are. `restarts` counts those of the embedded server."""

    embedded: bool
    up: bool = False
    restarts: int = 0


class AdmissionStatus(msgspec.Struct, frozen=True):
    """Whether one more session would begin.

    `present` of the sessions have their client there, which is what counts; `most` is what the
    settings allow, None is no limit. So many are let in `at_once`, which the machine has held well
    or is taken to hold, others one by one; `limit` is the most that it serves well, None while that
    is not known. Without `at_once` everybody is let in (`limits.admission`). At a `pressure` of 1
    the machine is at one of its bounds. `refusal` is what the next one would be told, None if it
    would be let in.
    """

    present: int
    most: int | None = None
    at_once: int | None = None
    limit: int | None = None
    pressure: float = 0.0
    refusal: str | None = None


class Gateways(msgspec.Struct, frozen=True, tag="gateways"):
    """All gateways, and the database: told when a gateway is somewhere else, and in answer to the
    `Look` with `number`, which gets the rest too.
    """

    statuses: tuple[GatewayStatus, ...]
    number: int | None = None
    database: DatabaseStatus | None = None
    machine: Machine | None = None
    admission: AdmissionStatus | None = None
    capacity: Measured | None = None


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Answers `Enter`: there is room."""

    number: int


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Answers `Enter`: no. `reason` is stable, `retry_after_s` when to ask again."""

    number: int
    reason: str
    message: str
    retry_after_s: int


class Granted(msgspec.Struct, frozen=True, tag="granted"):
    """Answers `Take`: `count` requests of the owner are lent. `left` remain; without any there is
    one again after `wait_s`.
    """

    number: int
    owner: str
    count: int
    left: int
    wait_s: float


class Spent(msgspec.Struct, frozen=True, tag="spent"):
    """This key or account has used up what it may use this month: its sessions come to an end."""

    owner: str


class Revoked(msgspec.Struct, frozen=True, tag="revoked"):
    """These keys open nothing from now on: by one gateway to the supervisor, by it to all."""

    key_ids: tuple[str, ...]


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """Take no new session, let those that are open finish what is said, and end."""


Answer = Gateways | Welcome | Refusal | Granted
ToGateway = Loading | Fetched | Workers | Answer | Spent | Revoked | Drain

# ---- gateway to supervisor -------------------------------------------------------------------


class Listening(msgspec.Struct, frozen=True, tag="listening"):
    """The gateway serves, also at its private socket `path`."""

    path: str


class Serving(msgspec.Struct, frozen=True, tag="serving"):
    """It is connected to every worker: sessions can begin."""


class Owner(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of an account, or the account itself, by its id; and what it may use."""

    id: str
    account_id: str
    limits: Limits = NO_LIMITS


class Enter(msgspec.Struct, frozen=True, tag="enter"):
    """May one more session of these owners begin? Or, if it `takes_place` nowhere: may they use
    more this month?
    """

    number: int
    owners: tuple[Owner, ...] = ()
    takes_place: bool = True


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """The session that entered with this number has ended."""

    number: int


class Away(msgspec.Struct, frozen=True, tag="away"):
    """The client of the session that entered with this number has gone (or is back): it may return,
    but costs nothing meanwhile.
    """

    number: int
    away: bool


class Wake(msgspec.Struct, frozen=True, tag="wake"):
    """A request waits for a worker that is asleep."""

    worker: str


class Look(msgspec.Struct, frozen=True, tag="look"):
    """How are all gateways now? Asked when somebody wants to know: told at every change, the cost
    would grow with the square of their number.
    """

    number: int


class Take(msgspec.Struct, frozen=True, tag="take"):
    """May the gateway serve some requests, at most so many, of an owner who may make `per_minute`
    in all?
    """

    number: int
    owner: str
    per_minute: int
    most: int


class PutBack(msgspec.Struct, frozen=True, tag="put_back"):
    """It did not need so many of those that it was lent."""

    owner: str
    count: int


class Usage(msgspec.Struct, frozen=True, tag="usage"):
    """What was used since the gateway last told."""

    lines: tuple[tuple[Subject, Amounts], ...]


class Vitals(msgspec.Struct, frozen=True, tag="vitals"):
    """The last second: how late the event loop woke at worst, how long callers whose turn was over
    waited for each answer.
    """

    lag_ms: float
    waits_ms: tuple[float, ...] = ()


Question = Enter | Look | Take
ToSupervisor = (
    Question | Listening | Serving | Leave | Away | Wake | PutBack | Revoked | Usage | Vitals
)

_to_gateway = msgspec.msgpack.Decoder(ToGateway)
_to_supervisor = msgspec.msgpack.Decoder(ToSupervisor)
_encoder = msgspec.msgpack.Encoder()


def encode(message: ToGateway | ToSupervisor) -> bytes:
    """The message as it goes over the socket."""
    return framed(_encoder.encode(message))


async def read_to_gateway(reader: asyncio.StreamReader) -> ToGateway | None:
    """The supervisor's next message; None when it is gone. Raises `WireError` for a torn one."""
    body = await read_body(reader)
    return None if body is None else _to_gateway.decode(body)


async def read_to_supervisor(reader: asyncio.StreamReader) -> ToSupervisor | None:
    """The gateway's next message, as `read_to_gateway`."""
    body = await read_body(reader)
    return None if body is None else _to_supervisor.decode(body)
