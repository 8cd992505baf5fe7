"""The live view of the whole machine, as any gateway can show it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

import aiohttp
import msgspec
from msgspec.structs import replace
from yarl import URL

from engine.status import WorkerStatus
from server.access.caller import HEADER, Caller
from server.asking import Asking
from server.control import AdmissionStatus, DatabaseStatus, Gateways, GatewayStatus, Look
from server.forward import gateway_of
from server.machine import Machine
from server.machine_metrics import database_metrics, gateway_metrics, worker_metrics
from server.measured import Measured
from server.metrics_of_all import exposition
from server.sessions import SessionRegistry

Workers = Callable[[], Sequence[WorkerStatus]]
"""How the workers are."""

PATIENCE_S = 3.0
"""For another gateway to answer; one that does not is left out. For the supervisor likewise."""

log = logging.getLogger(__name__)


class Answered(msgspec.Struct, frozen=True):
    """What another gateway answered; the headers' names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class GatewaySilent(Exception):
    """Another gateway does not answer; the text says so to a client."""


class Whole(msgspec.Struct, frozen=True):
    """What `/v1/system` shows: `gateway` is the one that answered, `sessions` those of all.
    `capacity` is the curve that `voiceforge capacity` measured here, null before it did.
    """

    gateway: int
    sessions: int
    gateways: tuple[GatewayStatus, ...]
    workers: tuple[WorkerStatus, ...]
    database: DatabaseStatus | None = None
    machine: Machine | None = None
    admission: AdmissionStatus | None = None
    capacity: Measured | None = None


class System:
    """What this gateway knows of the machine, and how it reaches the other gateways."""

    def __init__(
        self, index: int, workers: Workers, sessions: SessionRegistry, asking: Asking | None = None
    ) -> None:
        self.index = index
        self.gateways: tuple[GatewayStatus, ...] = ()
        self.database: DatabaseStatus | None = None
        self._looked = Gateways(())
        """What the last answer told."""
        self._asking = asking
        self._workers = workers
        self._sessions = sessions
        self._http: dict[str, aiohttp.ClientSession] = {}

    def path_of(self, gateway: int) -> str | None:
        """Where another gateway's private socket is."""
        return next((g.path for g in self.gateways if g.index == gateway and g.path), None)

    def told(self, picture: Gateways) -> None:
        """The supervisor says how all gateways are."""
        self.gateways = picture.statuses
        self.database = picture.database
        if picture.number is not None:
            self._looked = picture

    async def _look(self) -> None:
        """Have the supervisor say it now; if it does not, what is known may be old."""
        if self._asking is None:
            return
        try:
            await self._asking.ask(Look(self._asking.number()), PATIENCE_S)
        except TimeoutError:
            log.warning("the supervisor does not answer")

    async def whole(self) -> Whole:
        """Everything, at this moment."""
        await self._look()
        total = sum(gateway.sessions for gateway in self.gateways)
        gateways = tuple(replace(gateway, path="") for gateway in self.gateways)
        workers = tuple(replace(worker, path="") for worker in self._workers())
        return Whole(
            self.index,
            total,
            gateways,
            workers,
            self.database,
            self._looked.machine,
            self._looked.admission,
            self._looked.capacity,
        )

    async def exposition(self) -> str:
        """The machine's metrics in Prometheus' text format, the same whichever gateway tells."""
        await self._look()
        told = [*gateway_metrics(self.gateways), *worker_metrics(self._workers())]
        if self.database is not None:
            told += database_metrics(self.database)
        return exposition(told)

    async def hang_up(self, session_id: str, caller: Caller) -> bool:
        """End a session, wherever it is; False if the caller has none such. Raises
        `GatewaySilent`.
        """
        owner = gateway_of(session_id)
        if owner is None or owner == self.index:
            return self._sessions.hang_up(session_id, caller)
        path = self.path_of(owner)
        if path is None:
            return False
        route = f"/v1/realtime/calls/{session_id}/hangup"
        status, _ = await self._ask("POST", path, route, caller)
        if status == 0:
            raise GatewaySilent(f"the gateway of session {session_id!r} does not answer: try again")
        return status == 200

    async def post(
        self, gateway: int, route: str, caller: Caller, body: bytes, kind: str
    ) -> "Answered":
        """Ask another gateway for the caller. Raises `GatewaySilent`."""
        path = self.path_of(gateway)
        asked = {HEADER: caller.told(), "content-type": kind}
        answered = None if path is None else await self._asked("POST", path, route, asked, body)
        if answered is None:
            raise GatewaySilent(f"gateway {gateway} does not answer: try again")
        return answered

    async def texts_of_others(self, route: str) -> list[str]:
        """What the other gateways answer to a GET of `route`."""
        paths = [g.path for g in self.gateways if g.index != self.index and g.path]
        told: Sequence[tuple[int, str]] = await asyncio.gather(
            *(self._ask("GET", path, route) for path in paths)
        )
        return [text for status, text in told if status == 200]

    async def _ask(
        self, method: str, path: str, route: str, caller: Caller | None = None
    ) -> tuple[int, str]:
        """Status and body of another gateway's answer; 0 if there is none."""
        told = {HEADER: caller.told()} if caller is not None else {}
        answered = await self._asked(method, path, route, told)
        return (0, "") if answered is None else (answered.status, answered.body.decode())

    async def _asked(
        self, method: str, path: str, route: str, headers: dict[str, str], body: bytes | None = None
    ) -> "Answered | None":
        if path not in self._http:
            self._http[path] = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path))
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                asked = URL(f"http://gateway{route}", encoded=True)
                request = self._http[path].request(method, asked, headers=headers, data=body)
                async with request as answer:
                    named = {name.lower(): value for name, value in answer.headers.items()}
                    return Answered(answer.status, named, await answer.read())
        return None

    async def aclose(self) -> None:
        """Close the connections to the others."""
        for http in self._http.values():
            await http.close()
