"""What a gateway's sessions see of the models: pools over the workers, and the actors that ask."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from actors.ear import SessionEar
from actors.silero import Silero
from actors.speak import Speak
from actors.stenographer import Hearing
from actors.store import Store
from actors.stt_router import Recogniser, RoutedSTT
from actors.think import Think
from actors.vad import VadSlots
from actors.voice_router import KOKORO, RoutedTTS
from actors.voices.catalogue import catalogue
from actors.voices.weights import fetchable
from actors.workers import MODELS
from engine.actor import Actor
from engine.caller_audio import CallerAudio
from engine.capabilities import (
    Chat,
    ChatDelta,
    Clip,
    Embedding,
    Speech,
    TextToEmbed,
    Transcript,
    TurnClip,
    TurnScore,
    Utterance,
)
from engine.inference import Inference
from engine.link import Link
from engine.meter import Watch
from engine.playout import PlayoutClock
from engine.pool import Pool
from engine.services import Mind, Services, Tongue
from engine.settings import SessionSettings
from engine.status import WorkerStatus
from server import probes
from server.commands import ESPEAK, PIPER_VOICES
from server.commands import KOKORO as KOKORO_MODEL
from server.fleet import ON_DEMAND, ROLES, VAD_MODEL, worker_names
from server.readiness import Readiness
from server.settings import Settings

VOICE = "joe"


class Platform:
    """A gateway's links to the workers. `wake` is called with one that is asleep and needed."""

    def __init__(
        self, settings: Settings, store: Path, readiness: Readiness, wake: Callable[[str], None]
    ) -> None:
        self._store = store
        self._readiness = readiness
        self._clock = PlayoutClock()
        self._links: dict[str, list[Link]] = {
            role: [Link(name) for name in worker_names(settings, role)] for role in ROLES
        } | {name: [Link(name)] for name in ON_DEMAND}
        links = self._links
        for one in itertools.chain(*links.values()):
            one.on_wanted = partial(wake, one.name)
        self._stt: Pool[Clip, Transcript] = Pool("stt", Transcript, links["stt"])
        self._turn: Pool[TurnClip, TurnScore] = Pool("turn", TurnScore, links["turn"])
        self._tts: Pool[Utterance, Speech] = Pool("tts", Speech, links["tts"], replays=True)
        self._llm: Pool[Chat, ChatDelta] = Pool("llm", ChatDelta, links["llm"])
        self._needed = (self._stt, self._turn, self._tts, self._llm)
        self._whisper: Pool[Clip, Transcript] = Pool("whisper", Transcript, links["whisper"])
        self._scribe: Pool[Clip, Transcript] = Pool("scribe", Transcript, links["scribe"])
        self._kokoro: Pool[Utterance, Speech] = Pool(
            "kokoro", Speech, links["kokoro"], replays=True
        )
        self._espeak: Pool[Utterance, Speech] = Pool(
            "espeak", Speech, links["espeak"], replays=True
        )
        self._voices: Pool[Utterance, Speech] = Pool(
            "voices", Speech, links["voices"], replays=True
        )
        self.embed: Pool[TextToEmbed, Embedding] = Pool("embed", Embedding, links["embed"])
        spoken = (self._kokoro, self._espeak, self._voices)
        self._pools = (*self._needed, self._whisper, self._scribe, *spoken, self.embed)
        self._whisper_model = Path(settings.workers.whisper).name
        self._llm_model = (settings.llm.base_url and settings.llm.model) or MODELS["llm"]
        self._services: Services | None = None
        self._slots: VadSlots | None = None

    def services(self) -> Services | None:
        """What sessions share; None until every model is loaded."""
        return self._services

    @property
    def llm(self) -> tuple[Pool[Chat, ChatDelta], str]:
        """The language model and its name."""
        return self._llm, self._llm_model

    def tts(self, watch: Watch) -> RoutedTTS:
        """Whoever has the voice that is asked for."""
        kokoro = watch(self._kokoro, KOKORO_MODEL)
        espeak = watch(self._espeak, ESPEAK)
        fetched = watch(self._voices, PIPER_VOICES)
        spoken = {voice.id: espeak for voice in catalogue().of_engine("espeak")}
        spoken |= {voice.id: fetched for voice in catalogue().voices if fetchable(voice)}
        others = spoken | dict.fromkeys(KOKORO, kokoro)
        return RoutedTTS(watch(self._tts, MODELS["tts"]), others)

    def scribe(self, watch: Watch, by: Recogniser) -> Inference[Clip, Transcript]:
        """Who hears recordings. No caller waits behind one: but for the `fast` recogniser, whose
        pieces are brief, it is a worker of their own, and no other takes its place.
        """
        if by == "fast":
            return watch(self._stt, MODELS["stt"])
        return watch(self._scribe, self._whisper_model)

    def hearing(self, watch: Watch) -> Hearing | None:
        """What hears somebody live without a session; None until every model is loaded."""
        if self._services is None or self._slots is None:
            return None
        return Hearing(self._slots, self._live(watch))

    def workers(self) -> tuple[WorkerStatus, ...]:
        """How the workers are, as the supervisor last said."""
        return tuple(link.status for links in self._links.values() for link in links)

    def follow(self, statuses: Iterable[WorkerStatus]) -> None:
        """Hear from the supervisor how workers are."""
        links = {link.name: link for links in self._links.values() for link in links}
        for status in statuses:
            if status.name in links:
                links[status.name].follow(status)

    async def start(self) -> None:
        """Connect to the workers; sessions are served once all of them are there.

        The models' files must be here.
        """
        for pool in self._pools:
            await pool.start()
        silero = await asyncio.to_thread(Silero, Store(self._store).path(VAD_MODEL))
        slots = self._slots = VadSlots(silero)
        await asyncio.gather(*(pool.up() for pool in self._needed))
        self._services = Services(
            clock=self._clock,
            ear=partial(self._ear, slots),
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
        """Leave the workers."""
        self._services = None
        self._clock.close()
        await asyncio.gather(*(pool.close() for pool in self._pools))

    def _ear(
        self, slots: VadSlots, audio: CallerAudio, settings: SessionSettings, watch: Watch
    ) -> SessionEar:
        turn = watch(self._turn, MODELS["turn"])
        return SessionEar(slots, self._live(watch), turn, audio, settings)

    def _live(self, watch: Watch) -> RoutedSTT:
        return RoutedSTT(watch(self._stt, MODELS["stt"]), watch(self._whisper, self._whisper_model))

    def _voice(self, watch: Watch, mind: Mind, tongue: Tongue) -> Sequence[Actor]:
        return Think(watch(*mind(self.llm))), Speak(tongue(self.tts(watch)))
