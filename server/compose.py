"""The wiring: which models run where, and what sessions see of them."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from actors.download import StoreError
from actors.ear import SessionEar
from actors.embedded_llm import EmbeddedLLM
from actors.openai_llm import Endpoint, OpenAIChat
from actors.silero import Silero
from actors.speak import Speak
from actors.think import Think
from actors.vad import VadSlots
from actors.workers import MODELS, Family, worker_command
from engine.actor import Actor
from engine.capabilities import Clip, Speech, Transcript, TurnClip, TurnScore, Utterance
from engine.inference import InferenceError
from engine.playout import PlayoutClock
from engine.pool import Pool, PoolStatus
from engine.process import WorkerCommand
from engine.replica import State
from engine.services import Services
from server import probes
from server.pulling import Pulling
from server.readiness import Readiness
from server.settings import Settings
from server.store import store_of

log = logging.getLogger(__name__)

VAD_MODEL = "silero-vad"
VOICE = "joe"

Tell = Callable[[str], None]


class Loads(Protocol):
    """A model in a process of its own."""

    async def start(self) -> None: ...

    async def ready(self) -> None: ...


class Platform:
    """The models and the processes that they run in."""

    def __init__(self, settings: Settings, readiness: Readiness, tell: Tell) -> None:
        self._settings = settings
        self._readiness = readiness
        self._tell = tell
        self._store = store_of(settings)
        self._clock = PlayoutClock()
        workers = settings.workers
        self._stt: Pool[Clip, Transcript] = Pool(
            "stt", self._command("stt"), Transcript, replicas=workers.stt
        )
        self._turn: Pool[TurnClip, TurnScore] = Pool(
            "turn", self._command("turn"), TurnScore, replicas=workers.turn
        )
        self._tts: Pool[Utterance, Speech] = Pool(
            "tts", self._command("tts"), Speech, replicas=workers.tts
        )
        endpoint = foreign_llm(settings)
        self._embedded = EmbeddedLLM(self._command("llm")) if endpoint is None else None
        self._llm = OpenAIChat(endpoint or self._embedded_endpoint)
        self._services: Services | None = None
        self._stop_pulling = threading.Event()

    def services(self) -> Services | None:
        """What sessions share; None until every model is loaded."""
        return self._services

    def statuses(self) -> list[PoolStatus]:
        """How each model's workers are doing."""
        return [self._stt.state, self._turn.state, self._tts.state, self._llm_status()]

    async def start(self) -> None:
        """Fetch what is missing, then load all models at once.

        Raises `InferenceError` with the first reason why one cannot serve.
        """
        try:
            await asyncio.to_thread(self._pull)
        except asyncio.CancelledError:
            self._stop_pulling.set()  # a thread cannot be cancelled, and is waited for at the end
            raise
        starting: list[tuple[str, Loads]] = [
            ("stt", self._stt),
            ("turn", self._turn),
            ("tts", self._tts),
        ]
        if self._embedded is not None:
            starting.append(("llm", self._embedded))
        tasks = [asyncio.create_task(self._load(name, model)) for name, model in starting]
        try:
            slots = VadSlots(Silero(self._store.path(VAD_MODEL)))
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        self._services = Services(
            clock=self._clock,
            ear=partial(SessionEar, slots, self._stt, self._turn),
            voice=self._voice,
            room=lambda: slots.free > 0,
        )
        self._readiness.models_started(
            {
                "stt": probes.transcriber(self._stt),
                "turn": probes.turn_judge(self._turn),
                "llm": probes.thinker(self._llm),
                "tts": probes.speaker(self._tts, VOICE),
            }
        )

    async def aclose(self) -> None:
        """Stop everything: first who asks, then who answers."""
        self._services = None
        self._clock.close()
        await self._llm.close()
        closing = [self._stt.close(), self._turn.close(), self._tts.close()]
        if self._embedded is not None:
            closing.append(self._embedded.close())
        await asyncio.gather(*closing)

    def _voice(self) -> Sequence[Actor]:
        return Think(self._llm), Speak(self._tts)

    def _command(self, family: Family) -> WorkerCommand:
        """Workers find their model in the store that the settings name."""
        command = worker_command(family, threads=self._settings.threads)
        command.env["VOICEFORGE_MODELS"] = str(self._store.root)
        return command

    async def _embedded_endpoint(self) -> Endpoint:
        assert self._embedded is not None  # only then is this asked
        return await self._embedded.endpoint()

    async def _load(self, name: str, model: Loads) -> None:
        began_s = time.monotonic()
        self._readiness.loading(name, "loading")
        await model.start()
        await model.ready()
        self._tell(f"{name:5} ready after {time.monotonic() - began_s:.1f} s")

    def _pull(self) -> None:
        """Fetch the models that are missing. Runs in a thread."""
        wanted = {family: MODELS[family] for family in ("stt", "turn", "tts")}
        wanted["vad"] = VAD_MODEL
        if self._embedded is not None:
            wanted["llm"] = MODELS["llm"]
        try:
            for family, model in wanted.items():
                loading = partial(self._readiness.loading, family)
                self._store.pull(model, Pulling(self._tell, loading, self._stop_pulling))
        except StoreError as error:
            raise InferenceError("model_missing", str(error)) from error

    def _llm_status(self) -> PoolStatus:
        embedded = self._embedded
        error = embedded.error if embedded is not None else None
        state = embedded.state if embedded is not None else State.READY
        return PoolStatus(
            name="llm",
            state=state,
            up=int(state is State.READY),
            in_flight=self._llm.in_flight,
            queued=0,
            restarts=embedded.restarts if embedded is not None else 0,
            error_code=error.code if error else None,
            error_message=str(error) if error else None,
        )


def foreign_llm(settings: Settings) -> Endpoint | None:
    """The endpoint that the settings name, or None for the embedded model."""
    llm = settings.llm
    if llm.base_url is None or llm.model is None:
        return None
    return Endpoint(llm.base_url, llm.model, llm.api_key.reveal() if llm.api_key else "")
