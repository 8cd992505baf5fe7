"""A conversation in virtual time: a caller who speaks on cue, and what it hears."""

import asyncio
from collections.abc import Callable

from actors.ear import SessionEar
from actors.speak import Speak
from actors.think import Think
from engine.caller_audio import CallerAudio
from engine.capabilities import Chat, ChatDelta, Clip, Speech, Transcript, Utterance
from engine.frames import Frame, ReplyAudio
from engine.inference import InferenceError
from engine.items import Message
from engine.meter import Watch
from engine.playout import PlayoutClock
from engine.recall import Knowledge
from engine.services import Mind, Services, Tongue
from engine.session import NO_TOOLS, EndReason, Session
from engine.settings import SessionSettings
from engine.tools import Toolbox
from tests import scripted

FRAME_MS = 20


class Client:
    """A transport that remembers what it was sent and plays audio as it comes."""

    lead_ms = 80
    delay_ms = 0
    frame_ms = 40
    rate_hz = 24_000

    def __init__(self) -> None:
        self.frames: list[tuple[float, Frame]] = []
        self.pcm = b""
        self.gaps_ms: list[float] = []
        self.ends_at = 0.0
        self.speaking: list[tuple[float, float]] = []

    def send(self, frame: Frame) -> None:
        now = asyncio.get_running_loop().time()
        self.frames.append((now, frame))
        if isinstance(frame, ReplyAudio):
            begins = max(now, self.ends_at)
            if self.pcm and begins > self.ends_at:
                self.gaps_ms.append((begins - self.ends_at) * 1000)
            self.pcm += frame.pcm
            self.ends_at = begins + len(frame.pcm) / 2 / frame.rate_hz
            self.speaking.append((begins, self.ends_at))

    def of(self, kind: type[Frame]) -> list[Frame]:
        return [frame for _, frame in self.frames if isinstance(frame, kind)]

    def at(self, kind: type[Frame]) -> list[float]:
        return [at for at, frame in self.frames if isinstance(frame, kind)]


class Conversation:
    """`async with Conversation(...) as talk:`, then cues: `await talk.caller_says("hello")`."""

    def __init__(
        self,
        reply: Callable[[Chat], str | InferenceError | list[ChatDelta]] = lambda chat: "Certainly.",
        settings: SessionSettings | None = None,
        *,
        stt: scripted.Scripted[Clip, Transcript] | None = None,
        tts: scripted.Scripted[Utterance, Speech] | None = None,
        score: float = 0.9,
        toolbox: Toolbox = NO_TOOLS,
        knowledge: Knowledge | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._toolbox = toolbox
        self.client = Client()
        self.stt = stt or scripted.stt()
        self.turn = scripted.turn(score)
        self.llm = scripted.llm(reply)
        self.tts = tts or scripted.tts()
        self.ended: list[EndReason] = []
        self._settings = settings or SessionSettings()
        self._met: dict[type[Frame], int] = {}
        self._to_say = b""
        self._said_out = asyncio.Event()

    async def __aenter__(self) -> "Conversation":
        self.services = Services(
            clock=PlayoutClock(),
            ear=self._ear,
            voice=self._voice,
        )
        self.session = Session(
            self._settings,
            self.services,
            self.client,
            lambda session, why: self.ended.append(why),
            toolbox=self._toolbox,
            knowledge=self._knowledge,
        )
        self.session.start()
        self._microphone = asyncio.create_task(self._stream())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._microphone.cancel()
        self.session.stop(EndReason.STOPPED)
        self.services.clock.close()
        await asyncio.sleep(0)

    def _voice(self, watch: Watch, _: Mind, tongue: Tongue) -> tuple[Think, Speak]:
        return Think(watch(self.llm, "llm")), Speak(tongue(watch(self.tts, "tts")))

    def _ear(self, audio: CallerAudio, settings: SessionSettings, watch: Watch) -> SessionEar:
        hearing = watch(self.stt, "stt"), watch(self.turn, "turn")
        self.ear = scripted.ScriptedEar(None, *hearing, audio, settings)  # type: ignore[arg-type]
        self.ear.actors = (scripted.LoudnessVad(), *self.ear.actors[1:])
        return self.ear

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def caller_says(self, text: str) -> float:
        """Say it; returns when its last word has ended."""
        return await self._play(scripted.spoken(text)[: -scripted.GAP_MS * 32])

    async def caller_makes_noise(self, ms: int) -> float:
        return await self._play(scripted.noise(ms))

    async def silence(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, kind: type[Frame], within: float = 20) -> Frame:
        """The next frame of a kind that was not waited for yet."""
        have = self._met.get(kind, 0)
        give_up = self.now + within
        while len(self.client.of(kind)) == have:
            assert self.now < give_up, f"no {kind.__name__} within {within} s"
            await asyncio.sleep(0.01)
        self._met[kind] = have + 1
        return self.client.of(kind)[have]

    def heard(self) -> str:
        """The words in the audio that the client was sent."""
        return scripted.decoded(self.client.pcm, self.client.rate_hz)

    def history(self) -> list[str]:
        """What each side said, in order: 'user: …', 'assistant: …'."""
        return [
            f"{item.role}: {''.join(part.text or '' for part in item.parts)}"
            for item in self.session.history
            if isinstance(item, Message)
        ]

    async def _play(self, pcm: bytes) -> float:
        self._to_say += pcm
        self._said_out.clear()
        await self._said_out.wait()
        return self.now

    async def _stream(self) -> None:
        size = FRAME_MS * 32
        due = self.now
        while True:
            pcm, self._to_say = self._to_say[:size], self._to_say[size:]
            self.session.hear(pcm + bytes(size - len(pcm)))
            if not self._to_say:
                self._said_out.set()
            due += FRAME_MS / 1000
            await asyncio.sleep(due - self.now)
