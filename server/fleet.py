"""The workers: which there are, and how they are."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from actors.download import StoreError
from actors.worker_plans import whisper_folder
from actors.workers import MODELS, Role
from engine.inference import InferenceError
from engine.keeper import Keeper
from engine.status import WorkerStatus
from server.commands import Commands
from server.idle import Idle, memory_is_scarce
from server.pulling import Pulling
from server.settings import Settings
from server.store import store_of

log = logging.getLogger(__name__)

VAD_MODEL = "silero-vad"
ROLES: tuple[Role, ...] = ("stt", "turn", "tts", "llm")

ON_DEMAND = ("whisper", "scribe", "kokoro", "espeak", "voices", "embed")
"""Workers that are started when somebody needs them: every language but English to hear,
recordings, other voices, every language but English to speak, voices that were fetched from the
hub, knowledge."""

UNLOAD_EVERY_S = 2.0

Tell = Callable[[str], None]


def worker_names(settings: Settings, role: Role) -> list[str]:
    """The workers of a role: `stt`, `stt:1` and so on. The queue of the LLM is one for all."""
    count = {
        "stt": settings.workers.stt,
        "turn": settings.workers.turn,
        "tts": settings.workers.tts,
    }
    return [role if not number else f"{role}:{number}" for number in range(count.get(role, 1))]


class Fleet:
    """Starts the workers and keeps them alive.

    `changed` is called with the status of a worker of which there is news, `loading` with what is
    being done for a role that does not serve yet. Their sockets lie in `folder`.
    """

    def __init__(self, settings: Settings, folder: Path, tell: Tell) -> None:
        self.changed: Callable[[WorkerStatus], None] = lambda status: None
        self.loading: Callable[[str, str], None] = lambda role, what: None
        self._settings = settings
        self._tell = tell
        self._store = store_of(settings)
        self._stop_pulling = threading.Event()
        commands = Commands(settings, self._store.root)
        self._keepers = {
            name: Keeper(name, commands.of_role(name, role, place), folder)
            for first, role in enumerate(ROLES)
            for place, name in enumerate(worker_names(settings, role), first)
        }
        self._on_demand = {
            name: Keeper(name, commands.on_demand(name, place), folder, asleep=True)
            for place, name in enumerate(ON_DEMAND)
        }
        self._idle = Idle(settings.workers.idle_s)
        for keeper in self._all():
            keeper.changed = self._changed

    @property
    def statuses(self) -> tuple[WorkerStatus, ...]:
        """How all of them are."""
        return tuple(keeper.status for keeper in self._all())

    async def fetch(self) -> None:
        """Fetch the models that are missing. Raises `InferenceError`."""
        try:
            await asyncio.to_thread(self._pull)
        except asyncio.CancelledError:
            self._stop_pulling.set()  # a thread cannot be cancelled, and is waited for at the end
            raise

    async def start(self) -> None:
        """Load all models at once. Raises `InferenceError` with why the first one cannot serve."""
        tasks = [asyncio.create_task(self._load(keeper)) for keeper in self._keepers.values()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def wake(self, worker: str) -> None:
        """Load a model that is asleep."""
        if worker in self._on_demand:
            self._idle.used(worker, time.monotonic())
            self._on_demand[worker].wake()

    async def unload_idle(self) -> None:
        """Unload what was loaded on demand and nobody uses, until cancelled."""
        while True:
            await asyncio.sleep(UNLOAD_EVERY_S)
            now, scarce = time.monotonic(), memory_is_scarce()
            statuses = [keeper.status for keeper in self._on_demand.values()]
            for name in self._idle.to_unload(statuses, now, scarce=scarce):
                log.info("model unloaded", extra={"model": name})
                await self._on_demand[name].sleep()

    async def close(self) -> None:
        """Stop all of them. Idempotent."""
        await asyncio.gather(*(keeper.close() for keeper in self._all()))

    async def _load(self, keeper: Keeper) -> None:
        name = keeper.status.name
        began_s = time.monotonic()
        self.loading(name.partition(":")[0], "loading")
        keeper.start()
        await keeper.ready()
        self._tell(f"{name:5} ready after {time.monotonic() - began_s:.1f} s")

    def _all(self) -> Iterator[Keeper]:
        yield from self._keepers.values()
        yield from self._on_demand.values()

    def _changed(self, status: WorkerStatus) -> None:
        self.changed(status)

    def _models(self) -> Iterator[tuple[str, str]]:
        """Role and id of every model that runs here."""
        for role in ROLES:
            if role != "llm" or self._settings.llm.base_url is None:
                yield role, MODELS[role]
        yield "vad", VAD_MODEL

    def _pull(self) -> None:
        """Runs in a thread."""
        try:
            self._check_whisper()
            for role, model in self._models():
                loading = partial(self.loading, role)
                self._store.pull(model, Pulling(self._tell, loading, self._stop_pulling))
        except StoreError as error:
            raise InferenceError("model_missing", str(error)) from error

    def _check_whisper(self) -> None:
        """Raises `StoreError` if what is set cannot be one: a server that starts is not to fail its
        first caller of another language. A folder on a cluster's nodes is seen there only.
        """
        named = self._settings.workers.whisper
        if os.sep not in named:
            if self._store.model(named).family != "whisper":
                raise StoreError(f"workers.whisper is {named!r}, which is no Whisper")
        elif self._settings.workers.placement == "local":
            whisper_folder(named)
