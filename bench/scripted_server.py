"""Our server with scripted models: `python -m bench.scripted_server PORT`.

Everything else is what a gateway of `voiceforge serve` runs: web application, realtime protocol,
sessions, Silero, turn machine, ledger, playout, metrics. Only the workers' answers come from a
script, and nobody needs a key.

`python -m bench.scripted_server --kept JSON PORT` also keeps records of every session, and its
recording where it asks for one (a `Kept`).

`python -m bench.scripted_server PORT FOLDER COUNT` is several gateways, to which connections are
handed as to those of `voiceforge serve`. Each puts a file into FOLDER once it answers.
"""

import asyncio
import contextlib
import itertools
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import uvloop

from actors.ear import SessionEar
from actors.handlers import Share
from actors.silero import Silero
from actors.speak import Speak
from actors.store import Store
from actors.think import Think
from actors.vad import VadSlots
from actors.workers import model_command
from bench import script
from bench.local import local
from engine.caller_audio import CallerAudio
from engine.capabilities import (
    Chat,
    ChatDelta,
    Clip,
    Embedding,
    Speech,
    SpokenWord,
    TextToEmbed,
    Transcript,
    TurnClip,
    TurnScore,
    Utterance,
)
from engine.frames import Passage
from engine.inference import Priority
from engine.meter import Watch
from engine.playout import PlayoutClock
from engine.services import Mind, Services
from engine.settings import SessionSettings
from server.access.caller import AS, Caller
from server.access.guard import Trusted
from server.agents.answering import Agents, Answering
from server.agents.config import AgentConfig
from server.agents.incoming import Arrival
from server.app import build
from server.beside import beside
from server.commands import MINILM
from server.door import OpenDoor
from server.fleet import VAD_MODEL
from server.handover import Acceptor, Taking, hand
from server.knowledge.library import Library
from server.knowledge.lookup import Lookup
from server.lag import LoopLag
from server.lines import Application, Lines
from server.listening import StopSignals, listen
from server.metering.collector import Collector
from server.metrics import Metrics
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.readiness import Readiness
from server.realtime import Sockets
from server.recording.store import Recordings
from server.recording.tapes import Tapes
from server.records.journal import Journal
from server.records.recorders import Recorders
from server.routes import routes
from server.serve import serving, web_server
from server.sessions import SessionRegistry
from server.settings import Settings
from server.system import System
from storage.agents import Agent
from storage.database import Database
from transports.outbox import Message, Send
from transports.reading import Receive
from transports.realtime.wire import JsonObject

P = TypeVar("P")
R = TypeVar("R")

Answer = Callable[[P], AsyncIterator[R]]


class ScriptedRequest(Generic[R]):
    """One request, answered by an iterator; satisfies `engine.inference.Request`."""

    compute_ms = 0.0
    settled = True

    def __init__(self, results: AsyncIterator[R]) -> None:
        self._results = results
        self._cancelled = False

    async def __aiter__(self) -> AsyncIterator[R]:
        async for result in self._results:
            if self._cancelled:
                return
            yield result

    async def stopped(self) -> None:
        """There is no worker that could still work."""

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


async def run(
    bound: socket.socket | None = None,
    taking: "Place | None" = None,
    kept: "Kept | None" = None,
    known: "Known | None" = None,
) -> None:
    """Serve until SIGTERM on `bound`, or as one of several gateways what is handed over."""
    signals = StopSignals()
    settings = Settings()
    clock = PlayoutClock()
    slots = VadSlots(Silero(Store().path(VAD_MODEL)))
    services = Services(
        clock=clock,
        ear=partial(ear, slots, Scripted(transcribe), Scripted(judge)),
        voice=partial(voice, Scripted(think), Scripted(speaker())),
    )
    index = taking.index if taking is not None else 0
    lag = LoopLag()
    metrics, readiness = Metrics(lag, index), Readiness(())
    collector = Collector(lambda used: None)
    keeping = Keeping(kept) if kept is not None else None
    sessions = SessionRegistry(
        lambda: services,
        settings.limits,
        metrics,
        OpenDoor(),
        index,
        collector=collector,
        recorders=keeping.recorders if keeping is not None else None,
        tapes=keeping.tapes if keeping is not None else None,
    )
    handlers = routes(readiness, metrics, System(index, tuple, sessions), has_app=False)
    knowing = Knowing(known) if known is not None else None
    built = build(Lines(Sockets(sessions, knowing)), handlers)
    app: Application = Trusted(built)
    if kept is not None:
        app = owned(built, kept.account_id)
    if known is not None:
        app = owned(built, known.account_id, {"voiceforge": {"agent": "agent_bench"}})
    server = web_server(app, settings, uds=taking.path if taking is not None else None)
    async with (
        contextlib.nullcontext() if keeping is None else keeping.running(),
        contextlib.nullcontext() if knowing is None else knowing.running(),
        serving(server, bound),
        beside(lag.watch()),
        beside(collector.run()),
    ):
        if taking is not None:
            Taking(socket.socket(fileno=taking.descriptor), server).start()
            await asyncio.to_thread(Path(taking.ready).touch)
        await signals.asked.wait()
    clock.close()


class Kept(msgspec.Struct, frozen=True):
    """Records are kept in the database at `url`, files in the folder `state`, of one account."""

    url: str
    state: str
    account_id: str


class Keeping:
    """What keeps records, as in a gateway."""

    def __init__(self, kept: Kept) -> None:
        self._database = Database(kept.url)
        self._journal = Journal(Path(kept.state) / "journals")
        self.recorders = Recorders(self._journal.writer)
        self.tapes = Tapes(Recordings(Path(kept.state)))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write, as long as the block lasts."""
        journal, take = self._journal, self.recorders.take
        async with self._database, beside(journal.keep(self._database, take)):
            with self.tapes.running():
                yield


class Known(msgspec.Struct, frozen=True):
    """The agent knows this collection of an account, in the database at `url`."""

    url: str
    account_id: str
    collection: str


class Anew(Lookup):
    """Looks everything up again: here all callers ask the same."""

    async def passages(self, question: str) -> tuple[Passage, ...]:
        self.close()
        return await super().passages(question)


class Knows(Answering, frozen=True):
    """An agent with knowledge and nothing else."""

    def knowledge(self) -> Lookup:
        return Anew(self.library, self.agent.account_id, self.config.knowledge)


class Knowing(Agents):
    """Has one agent for everybody, and what looks things up for it, as in a gateway."""

    def __init__(self, known: Known) -> None:
        self._collection = known

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look up, as long as the block lasts."""
        known, now = self._collection, datetime.now(UTC)
        command = model_command("embed", MINILM, Store().root, Share(lanes=2))
        async with (
            Database(known.url) as database,
            local("embed", command, TextToEmbed, Embedding) as model,
        ):
            agent = Agent("agent_bench", known.account_id, "Bench", 1, {}, now, now)
            config = AgentConfig(knowledge=(known.collection,))
            library = Library(database, model.pool)
            self._knows = Knows(agent, config, {}, {}, Outbound(Rules()), library)
            yield

    async def arriving(self, caller: Caller, arrival: Arrival) -> Answering:
        return self._knows


def owned(
    application: Application, account_id: str, session: JsonObject | None = None
) -> Application:
    """As `Trusted`, but everybody comes with a key of this account, perhaps for one `session`."""
    caller = Caller(account_id, "key_bench", ("realtime",), session=session)

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        scope[AS] = caller
        await application(scope, receive, send)

    return serve


class Place(msgspec.Struct, frozen=True):
    """One of several gateways: connections come over the inherited `descriptor`.

    It makes the file `ready` once it answers; `path` is for a socket of its own.
    """

    index: int
    descriptor: int
    ready: str
    path: str


def ear(
    slots: VadSlots,
    stt: Scripted[Clip, Transcript],
    turn: Scripted[TurnClip, TurnScore],
    audio: CallerAudio,
    settings: SessionSettings,
    watch: Watch,
) -> SessionEar:
    """What hears in one session."""
    return SessionEar(slots, watch(stt, "stt"), watch(turn, "turn"), audio, settings)


def voice(
    llm: Scripted[Chat, ChatDelta], tts: Scripted[Utterance, Speech], watch: Watch, _: Mind
) -> tuple[Think, Speak]:
    """What answers in it."""
    return Think(watch(llm, "llm")), Speak(watch(tts, "tts"))


async def several(bound: socket.socket, folder: Path, count: int) -> None:
    """So many gateways, each with every `count`-th connection, until SIGTERM."""
    signals = StopSignals()
    channels: list[socket.socket] = []
    gateways: list[asyncio.subprocess.Process] = []
    with tempfile.TemporaryDirectory() as sockets:
        for index in range(count):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            channels.append(ours)
            place = Place(index, theirs.fileno(), f"{folder}/ready-{index}", f"{sockets}/{index}")
            told = msgspec.json.encode(place).decode()
            words = ("-m", "bench.scripted_server", "--take", told)
            gateway = await asyncio.create_subprocess_exec(
                sys.executable, *words, pass_fds=[theirs.fileno()]
            )
            theirs.close()
            gateways.append(gateway)
        turns = itertools.cycle(channels)
        acceptor = Acceptor(bound, lambda connection: hand(next(turns), connection))
        async with beside(acceptor.run()):
            await signals.asked.wait()
        for gateway in gateways:
            gateway.terminate()
        for gateway in gateways:
            await gateway.wait()


def main(words: list[str]) -> None:
    """The command line."""
    if words[0] == "--take":
        uvloop.run(run(taking=msgspec.json.decode(words[1], type=Place)))
        return
    kept, known = None, None
    if words[0] == "--kept":
        kept, words = msgspec.json.decode(words[1], type=Kept), words[2:]
    elif words[0] == "--known":
        known, words = msgspec.json.decode(words[1], type=Known), words[2:]
    bound = listen(Settings().host, int(words[0]))
    if len(words) == 1:
        uvloop.run(run(bound, kept=kept, known=known))
    else:
        uvloop.run(several(bound, Path(words[1]), int(words[2])))


if __name__ == "__main__":
    main(sys.argv[1:])
