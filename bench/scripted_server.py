"""Our server with scripted models: `python -m bench.scripted_server PORT`.

Everything else is what `voiceforge serve` runs: web application, realtime protocol, sessions,
Silero, turn machine, ledger, playout, metrics. Only the workers' answers come from a script.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Generic, TypeVar

import uvloop

from actors.ear import SessionEar
from actors.silero import Silero
from actors.speak import Speak
from actors.store import Store
from actors.think import Think
from actors.vad import VadSlots
from bench import script
from engine.capabilities import (
    Chat,
    ChatDelta,
    Clip,
    Speech,
    SpokenWord,
    Transcript,
    TurnClip,
    TurnScore,
    Utterance,
)
from engine.inference import Priority
from engine.playout import PlayoutClock
from engine.services import Services
from server.app import build
from server.compose import VAD_MODEL
from server.lines import Lines
from server.metrics import Metrics
from server.process import beside
from server.readiness import Readiness
from server.serve import StopSignals, listen, serving, web_server
from server.sessions import SessionRegistry
from server.settings import Settings
from transports.websocket import RealtimeSocket

P = TypeVar("P")
R = TypeVar("R")

Answer = Callable[[P], AsyncIterator[R]]


class ScriptedRequest(Generic[R]):
    """One request, answered by an iterator; satisfies `engine.inference.Request`."""

    compute_ms = 0.0

    def __init__(self, results: AsyncIterator[R]) -> None:
        self._results = results
        self._cancelled = False

    async def __aiter__(self) -> AsyncIterator[R]:
        async for result in self._results:
            if self._cancelled:
                return
            yield result

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        """Nothing is queued here."""

    def cancel(self) -> None:
        self._cancelled = True


class Scripted(Generic[P, R]):
    """A shared model that answers by a script; satisfies `engine.inference.Inference`."""

    def __init__(self, answer: Answer[P, R]) -> None:
        self._answer = answer

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> ScriptedRequest[R]:
        return ScriptedRequest(self._answer(payload))


async def transcribe(clip: Clip) -> AsyncIterator[Transcript]:
    await asyncio.sleep(script.STT_S)
    yield Transcript(script.HEARD)


async def judge(clip: TurnClip) -> AsyncIterator[TurnScore]:
    await asyncio.sleep(script.TURN_S)
    yield TurnScore(0.99)


async def think(chat: Chat) -> AsyncIterator[ChatDelta]:
    await asyncio.sleep(script.FIRST_TOKEN_S)
    for token in script.tokens():
        yield ChatDelta(text=token)
        await asyncio.sleep(script.TOKEN_S)
    yield ChatDelta(finish="stop")


def speaker() -> Answer[Utterance, Speech]:
    """Speaks each text as its share of the reply's sound, with words of even length."""
    pcm = script.reply_pcm()

    async def speak(utterance: Utterance) -> AsyncIterator[Speech]:
        await asyncio.sleep(script.TTS_S)
        share = min(1.0, len(utterance.text) / len(script.REPLY))
        samples = int(share * len(pcm) / 2)
        words = list(re.finditer(r"\S+", utterance.text))
        length = samples // max(1, len(words))
        spoken = tuple(
            SpokenWord(word.start(), word.end(), at * length, (at + 1) * length)
            for at, word in enumerate(words)
        )
        yield Speech(pcm[: 2 * samples], script.REPLY_HZ, spoken)

    return speak


async def run(port: int) -> None:
    """Serve until SIGTERM."""
    signals = StopSignals()
    settings = Settings(port=port)
    bound = listen(settings.host, port)
    clock = PlayoutClock()
    slots = VadSlots(Silero(Store().path(VAD_MODEL)))
    services = Services(
        clock=clock,
        ear=partial(SessionEar, slots, Scripted(transcribe), Scripted(judge)),
        voice=partial(voice, Scripted(think), Scripted(speaker())),
    )
    metrics, readiness = Metrics(), Readiness(())
    sessions = SessionRegistry(lambda: services, settings.limits, metrics)
    app = build(Lines(RealtimeSocket(sessions)), readiness, metrics)
    async with serving(web_server(app, settings), bound), beside(metrics.watch_loop()):
        await signals.asked.wait()
    clock.close()


def voice(llm: Scripted[Chat, ChatDelta], tts: Scripted[Utterance, Speech]) -> tuple[Think, Speak]:
    """The answering actors of one session."""
    return Think(llm), Speak(tts)


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
