"""The supervisor: starts the workers and the gateways, keeps them alive, counts the sessions."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from pathlib import Path

from msgspec.structs import replace

from engine.admission import Admission
from engine.inference import InferenceError
from engine.process import resident_bytes
from engine.status import WorkerStatus
from server import control
from server.access.buckets import Buckets
from server.beside import beside, together
from server.database import KeptDatabase
from server.fleet import Fleet, Tell
from server.gateways import GatewayKeeper
from server.learning import Memory, Seconds, state_folder
from server.listening import ServeError
from server.machine import machine
from server.metering.books import Books
from server.metering.months import Months
from server.outbound.secret_key import key_of
from server.places import SPENT, Places
from server.recording.links import FILE as LINKS
from server.recording.links import Links
from server.recording.store import Recordings
from server.records.retention import Retention
from server.settings import Settings
from server.store import store_of
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

CORES_PER_GATEWAY = 4
"""One gateway carries hundreds of sessions on a core, so that models need the other three."""

LEAST_CONNECTIONS = 2
"""Of a gateway to the database: keys are looked up while another question takes its time."""

LEARN_EVERY_S = 1.0

LAST_WORDS_S = 10.0
"""What a gateway needs to end, beyond what its sessions may take."""

USAGE_FOLDER = "usage"
"""In the state folder: what is used, until it is in the database."""

MOST_STARTS = 3
"""A gateway that died so often before it served will not serve."""


def gateway_count(settings: Settings) -> int:
    """As many as the settings say, else one for every four cores."""
    return settings.gateways or max(1, (os.cpu_count() or 1) // CORES_PER_GATEWAY)


def secret_key(settings: Settings) -> bytes:
    """What seals secrets. Raises `ServeError`."""
    try:
        return key_of(settings)
    except StorageError as error:
        raise ServeError(str(error)) from error


class Supervisor:
    """The processes of one `voiceforge serve`. `folder` is for their sockets."""

    def __init__(self, settings: Settings, folder: Path, tell: Tell) -> None:
        self._settings = settings
        self._memory = Memory(state_folder(settings), settings)
        auto = settings.limits.admission == "auto"
        self._admission = Admission(self._memory.read()) if auto else None
        self._places = Places(settings.limits.max_sessions, self._admission)
        self._seconds = Seconds()
        self._database = KeptDatabase(settings, tell)
        self._fleet = Fleet(settings, folder, tell)
        self._fleet.changed = self._worker_changed
        self._fleet.loading = self._loading
        self._fetched = False
        self._told: dict[str, str] = {}
        self._loop = asyncio.get_running_loop()
        shown = settings.without_secrets()
        store = store_of(settings).root
        self._buckets = Buckets()
        self._books = Books(state_folder(settings) / USAGE_FOLDER)
        self._months = Months(self._books, lambda owner: self._broadcast(control.Spent(owner)))
        self._records = Database(self._database.url, most_connections=1)
        self._links = Links(state_folder(settings) / LINKS)
        self._retention = Retention(Recordings(state_folder(settings)))
        self._entering: dict[tuple[int, int], asyncio.Task[None]] = {}
        """By gateway and number, while it is read what their owners have used."""
        count = gateway_count(settings)
        each = max(LEAST_CONNECTIONS, settings.database.connections // count)
        reached = control.Reached(self._database.url, each, secret_key(settings))
        turn = settings.webrtc.turn_secret
        turn_secret = None if turn is None else turn.reveal()
        self._gateways = [
            GatewayKeeper(index, shown, store, folder, reached, turn_secret)
            for index in range(count)
        ]
        for gateway in self._gateways:
            gateway.greet = self._greet
            gateway.receive = self._receive
            gateway.lost = self._forget
            gateway.changed = self._gateways_changed

    async def start(self) -> None:
        """Start everything, and wait until sessions can begin. Raises `ServeError`."""
        try:
            self._database.check()
            self._links.see_to_secret()
        except StorageError as error:
            raise ServeError(str(error)) from error
        except OSError as error:
            raise ServeError(f"the state folder cannot be written: {error}") from error
        for gateway in self._gateways:
            gateway.start()
        try:
            await together(self._database.start(), self._start_fleet())
        except (InferenceError, StorageError) as error:
            raise ServeError(str(error)) from error
        await asyncio.gather(*map(self._served, self._gateways))

    async def _start_fleet(self) -> None:
        await self._fleet.fetch()
        self._fetched = True
        self._broadcast(control.Fetched())
        await self._fleet.start()

    async def _served(self, gateway: GatewayKeeper) -> None:
        while not gateway.serving.is_set():
            if gateway.status.restarts >= MOST_STARTS:
                raise ServeError("a gateway process ends before it serves: the log says why")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await gateway.serving.wait()

    def give(self, connection: socket.socket) -> bool:
        """Hand a connection to the gateway with the fewest sessions; False if none takes it now.

        While none can serve yet, to one that says so.
        """
        listening = [gateway for gateway in self._gateways if gateway.status.path]
        listening.sort(key=self._busier)
        return any(gateway.hand(connection) for gateway in listening)

    def _busier(self, gateway: GatewayKeeper) -> tuple[bool, int, int]:
        index = gateway.status.index
        return not gateway.serving.is_set(), self._places.of(index), gateway.handed

    async def drain(self) -> None:
        """Let the sessions end, then the gateways."""
        within_s = self._settings.limits.drain_s + LAST_WORDS_S
        await asyncio.gather(*(gateway.drain(within_s) for gateway in self._gateways))

    async def aclose(self) -> None:
        """End everything that still runs: first who asks, then who answers."""
        await asyncio.gather(*(gateway.close() for gateway in self._gateways))
        await self._fleet.close()
        await self._database.aclose()

    @property
    def sessions(self) -> int:
        """How many are open."""
        return len(self._places)

    def path(self) -> str:
        """The private socket of a gateway that answers."""
        return next((g.status.path for g in self._gateways if g.status.path), "")

    def _greet(self, gateway: GatewayKeeper) -> None:
        """Tell a gateway that has just been started what the others know."""
        for model, what in self._told.items():
            gateway.send(control.Loading(model, what))
        gateway.send(control.Workers(self._fleet.statuses))
        gateway.send(self._picture())
        if self._fetched:
            gateway.send(control.Fetched())

    def _receive(self, index: int, message: control.ToSupervisor) -> None:
        gateway = self._gateways[index]
        match message:
            case control.Listening(path):
                gateway.told(path=path)
            case control.Serving():
                gateway.serving.set()
                gateway.told(serving=True)
            case control.Enter(_, owners):
                unknown = self._months.unknown(owners)
                if unknown:
                    learning = self._learn_and_enter(index, message, unknown)
                    self._entering[index, message.number] = asyncio.create_task(learning)
                else:
                    self._enter(index, message)
            case control.Leave(number):
                self._give_up(index, number)
                self._places.leave(index, number)
                gateway.told(sessions=self._places.of(index))
            case control.Away(number, away):
                self._places.mark(index, number, away=away)
            case control.Wake(worker):
                self._fleet.wake(worker)
            case control.Look(number):
                gateway.send(self._picture(number))
            case control.Take():
                gateway.send(self._buckets.take(message))
            case control.PutBack(owner, count):
                self._buckets.put_back(owner, count)
            case control.Revoked():
                self._broadcast(message)
            case control.Usage(lines):
                used = dict(lines)
                self._books.add(used)
                self._months.add(used)
            case control.Vitals(lag_ms, waits_ms):
                self._seconds.lag_ms = max(self._seconds.lag_ms, lag_ms)
                self._seconds.waits_ms += waits_ms
                memory = resident_bytes(gateway.status.pid)
                gateway.told(lag_ms=lag_ms, resident_bytes=memory)

    async def _learn_and_enter(
        self, index: int, asked: control.Enter, unknown: list[control.Owner]
    ) -> None:
        await self._months.learn(unknown, self._records)
        del self._entering[index, asked.number]
        self._enter(index, asked)

    def _give_up(self, index: int, number: int) -> None:
        """Who asked has gone: it gets no place any more."""
        task = self._entering.pop((index, number), None)
        if task is not None:
            task.cancel()

    def _forget(self, index: int) -> None:
        """The gateway has died."""
        for gateway, number in list(self._entering):
            if gateway == index:
                self._give_up(gateway, number)
        self._places.forget(index)

    def _enter(self, index: int, asked: control.Enter) -> None:
        gateway = self._gateways[index]
        spent = self._months.refusal(asked.owners)
        if spent is not None:
            gateway.send(control.Refusal(asked.number, SPENT, *spent))
            return
        if not asked.takes_place:
            gateway.send(control.Welcome(asked.number))
            return
        gateway.send(self._places.enter(index, asked.number, asked.owners))
        gateway.told(sessions=self._places.of(index))

    async def learn(self) -> None:
        """Learn from every second what this machine holds, until cancelled."""
        while True:
            await asyncio.sleep(LEARN_EVERY_S)
            signs = self._seconds.signs(self._places.present, self._fleet.statuses)
            if self._admission is not None:
                self._admission.saw(signs, time.monotonic())
                self._memory.write(self._admission.learnt)

    async def keep_database(self) -> None:
        """Keep the database running, until cancelled."""
        await self._database.keep()

    async def keep_books(self) -> None:
        """Write down what is used, until cancelled: when everything that uses has ended."""
        with contextlib.closing(self._books):
            async with self._records, beside(self._retention.keep(self._records)):
                await self._books.keep(self._records)

    async def unload_idle(self) -> None:
        """Unload models that were loaded on demand and nobody uses, until cancelled."""
        await self._fleet.unload_idle()

    def _worker_changed(self, status: WorkerStatus) -> None:
        self._broadcast(control.Workers((status,)))

    def _loading(self, model: str, what: str) -> None:
        """Also called from the thread that fetches."""
        self._loop.call_soon_threadsafe(self._tell_loading, model, what)

    def _tell_loading(self, model: str, what: str) -> None:
        self._told[model] = what
        self._broadcast(control.Loading(model, what))

    def _gateways_changed(self) -> None:
        self._broadcast(self._picture())

    def _picture(self, number: int | None = None) -> control.Gateways:
        statuses = tuple(gateway.status for gateway in self._gateways)
        told = control.Gateways(statuses, number, self._database.status)
        if number is None:
            return told
        admission, capacity = self._places.status(), self._memory.measured()
        return replace(told, machine=machine(), admission=admission, capacity=capacity)

    def _broadcast(self, message: control.ToGateway) -> None:
        for gateway in self._gateways:
            gateway.send(message)
