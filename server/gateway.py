"""A gateway: web server, sessions and transports, `python -m server.gateway` with a plan.

The supervisor starts it, hands it connections, tells it how the workers are and lets its sessions
in. Here is what carries audio: nothing that computes for long belongs in this process.
"""

import asyncio
import contextlib
import logging
import os
import resource
import socket
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from litestar.handlers import BaseRouteHandler

from engine.child import become_child
from server import (
    admin_routes,
    agent_routes,
    call_routes,
    chat_routes,
    client_secrets,
    control,
    eleven_dictionary_routes,
    eleven_routes,
    eleven_transcription_routes,
    eleven_user_routes,
    eleven_voice_routes,
    job_routes,
    knowledge_routes,
    model_routes,
    recording_routes,
    secret_routes,
    session_routes,
    speech_routes,
    transcription_routes,
    usage_routes,
    web_app_files,
    web_session_routes,
    webhook_routes,
    webhooks,
)
from server import log as logs
from server.access.crossing import Crossing
from server.access.entrance import Entrance
from server.access.guard import Guard, Trusted
from server.access.keyring import Keyring, looking_in
from server.access.leases import Leases
from server.access.upkeep import end_revoked, note_uses
from server.access.web_sessions import WebSessions
from server.aftermath import announce
from server.agents import afterwards
from server.agents.afterwards import Digests
from server.agents.answering import Agents
from server.agents.llms import Llms
from server.app import HANDLERS, build
from server.asking import Asking
from server.beside import beside
from server.compose import Platform
from server.deliveries import Deliveries
from server.door import SupervisedDoor
from server.eleven import errors
from server.eleven.first_message import KeyInFirstMessage
from server.eleven.scribe import Scribe
from server.eleven.stream_input import StreamInput
from server.fleet import ROLES
from server.forms import Forms
from server.forward import Forwarding
from server.handover import Taking
from server.ice_servers import reach_of
from server.jobs.runner import Runner
from server.knowledge.desk import Desk
from server.knowledge.library import Library
from server.lag import LoopLag
from server.learning import state_folder
from server.lines import Application, Lines
from server.metering.collector import Collector
from server.metrics import Metrics
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.outbound.networks import networks
from server.outbound.sealing import Sealing
from server.public import is_public
from server.readiness import Readiness
from server.realtime import Sockets
from server.recording.links import FILE as LINKS
from server.recording.links import Links
from server.recording.store import Recordings
from server.recording.tapes import Tapes
from server.records.journal import Journal
from server.records.recorders import Recorders
from server.routes import routes
from server.serve import configured, serving, web_server
from server.sessions import SessionRegistry
from server.settings import Secret
from server.speech.dictionaries import Dictionaries
from server.speech.fetching import Fetching
from server.speech.previews import FOLDER as PREVIEWS
from server.speech.previews import Previews
from server.speech.speakers import Speakers
from server.speech.speaking import Speaking
from server.store import voices_of
from server.system import System
from server.tracing import Tracing
from server.transcription.metered import Transcriptions
from server.vault import Vault
from server.web_app import WebApp
from storage.database import Database
from storage.usage import Amounts, Subject
from transports.webrtc.calls import Calls

log = logging.getLogger(__name__)

GOODBYE_S = 2.0
"""How long clients may take to read the last events and the close."""

JOBS_S = 5.0
"""How long jobs may take to end; what has not is begun again by another gateway, or the next."""

VITALS_EVERY_S = 1.0

JOURNALS = "journals"
"""In the state folder: what is to be recorded, while the database does not take it."""


def no_secret(kind: type, value: object) -> object:
    """Refuses what should not be in a plan."""
    raise ValueError(f"a gateway's plan holds no {kind.__name__}, and {Secret.__name__} least")


class Gateway:
    """One run of a gateway process."""

    def __init__(
        self, plan: control.GatewayPlan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._plan = plan
        self._reader = reader
        self._writer = writer
        settings = plan.settings
        self._lag = LoopLag()
        self._metrics = Metrics(self._lag, plan.index)
        self._readiness = Readiness(ROLES)
        self._platform = Platform(
            settings, Path(plan.store), self._readiness, lambda name: self._send(control.Wake(name))
        )
        self._asking = Asking(self._send)
        self._door = SupervisedDoor(self._asking, self._metrics.count_refusal)
        self._database = Database(plan.database.url, plan.database.connections)
        self._library = Library(self._database, self._platform.embed)
        self._desk = Desk(self._library)
        self._keyring = Keyring(looking_in(self._database))
        self._leases = Leases(self._asking)
        self._web_sessions = WebSessions(plan.database.secret_key)
        self._entrance = Entrance(
            self._keyring, self._web_sessions, self._leases, self._metrics.count_denial
        )
        self._sealing = Sealing(plan.database.secret_key)
        self._outbound = Outbound(Rules(networks(settings.outbound.allow)))
        self._vault = Vault(self._database, self._sealing)
        endpoint = settings.tracing.endpoint
        self._traces = Tracing(endpoint, plan.index) if endpoint is not None else None
        self._collector = Collector(self._tell_use)
        self._journal = Journal(state_folder(settings) / JOURNALS, announce)
        self._recordings = Recordings(state_folder(settings))
        self._tapes = Tapes(self._recordings)
        self._links = Links(state_folder(settings) / LINKS)
        self._recorders = Recorders(self._journal.writer)
        self._fetching = Fetching(voices_of(settings))
        local = settings.workers.placement == "local"  # a node of a cluster has its own store
        fetches = settings.speech.fetch_voices and local and not settings.offline
        speakers = Speakers(
            Path(plan.store),
            settings.speech.wrong_language,
            fetching=self._fetching if fetches else None,
        )
        dictionaries = Dictionaries(self._database)
        self._speaking = Speaking(
            self._platform.tts,
            self._door,
            self._collector,
            speakers,
            dictionaries,
        )
        self._previews = Previews(state_folder(settings) / PREVIEWS, self._speaking)
        self._sessions = SessionRegistry(
            self._platform.services,
            settings.limits,
            self._metrics,
            self._door,
            plan.index,
            self._traces,
            self._collector,
            self._recorders,
            self._tapes,
        )
        llms = Llms(self._outbound)
        llm = self._platform.llm
        digests = Digests(self._database, self._vault, llm, llms, self._collector)
        deliveries = Deliveries(self._database, self._outbound, self._sealing)
        kinds = {afterwards.KIND: digests.kind(), webhooks.KIND: deliveries.kind()}
        self._jobs = Runner(self._database, kinds)
        self._system = System(plan.index, self._platform.workers, self._sessions, self._asking)
        agents = Agents(
            self._database, self._outbound, self._library, self._vault, llms, dictionaries
        )
        self._calls = Calls(reach_of(settings.webrtc), settings.limits.max_event_bytes)
        self._sockets = Sockets(self._sessions, agents, self._calls)
        self._forwarding = Forwarding(self._sockets, plan.index, self._system.path_of)
        self._lines = Lines(self._forwarding)
        self._starting: asyncio.Task[None] | None = None
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Serve until the supervisor says to end."""
        settings = self._plan.settings
        files = await asyncio.to_thread(web_app_files.read)
        app = WebApp(build(self._lines, self._handlers(has_app=bool(files))), files)
        server = web_server(Trusted(app), settings, uds=self._plan.path)
        public = configured(self._guarded(app), settings)
        public.load()
        async with (
            self._database,
            self._outbound,
            beside(self._journal.keep(self._database, self._recorders.take)),
            beside(self._collector.run()),  # until the models have told what they cost
            contextlib.aclosing(self._platform),
            contextlib.aclosing(self._system),
            contextlib.aclosing(self._fetching),
            serving(server, None),
            beside(self._lag.watch()),
            beside(self._report()),
            beside(self._leases.give_back()),
            beside(end_revoked(self._database, self._keyring, self._sockets)),
            beside(note_uses(self._database, self._keyring)),
            beside(self._jobs.run()),
            beside(self._desk.run()),
            contextlib.AsyncExitStack() as opened,
        ):
            opened.enter_context(self._tapes.running())
            if self._traces is not None:
                await opened.enter_async_context(beside(self._traces.run()))
            following = await opened.enter_async_context(beside(self._follow()))
            taking = Taking(socket.socket(fileno=self._plan.channel_fd), server, public)
            taking.start()
            self._send(control.Listening(self._plan.path))
            await first_of(following, self._draining.wait())
            await self._drain()
            taking.stop()
        if self._starting is not None:
            self._starting.cancel()

    def _handlers(self, *, has_app: bool) -> list[BaseRouteHandler]:
        failing = errors.handlers(HANDLERS)
        transcriptions = Transcriptions(self._platform.scribe, self._door, self._collector)
        forms = Forms(self._plan.settings.limits.upload_mb << 20)
        scribe = Scribe(self._platform.hearing, self._door, transcriptions)
        return [
            *routes(self._readiness, self._metrics, self._system, has_app=has_app),
            *web_session_routes.routes(self._database, self._entrance, self._web_sessions),
            *client_secrets.routes(self._database),
            *call_routes.routes(
                self._sockets, self._system, self._plan.settings.webrtc, self._plan.turn_secret
            ),
            *admin_routes.routes(self._database, self._revoke, self._recordings),
            *usage_routes.routes(self._database),
            *webhook_routes.routes(self._database, self._sealing, self._outbound, self._jobs),
            *job_routes.routes(self._database),
            *secret_routes.routes(self._database, self._sealing),
            *agent_routes.routes(self._database, self._vault),
            *session_routes.routes(self._database, self._recordings),
            *recording_routes.routes(self._database, self._recordings, self._links),
            *knowledge_routes.routes(self._library, self._desk),
            *speech_routes.routes(self._speaking),
            *eleven_routes.routes(self._speaking, failing),
            eleven_routes.socket(self._sockets.held(StreamInput(self._speaking))),
            *eleven_voice_routes.routes(self._speaking.speakers, self._previews, failing),
            *eleven_dictionary_routes.routes(self._database, failing),
            *eleven_user_routes.routes(self._database, failing),
            *transcription_routes.routes(transcriptions, forms),
            *eleven_transcription_routes.routes(transcriptions, forms, failing),
            eleven_transcription_routes.socket(self._sockets.held(scribe)),
            *model_routes.routes(lambda: self._platform.llm),
            *chat_routes.routes(lambda: self._platform.llm, self._door, self._collector),
        ]

    def _guarded(self, app: Application) -> Application:
        return Crossing(KeyInFirstMessage(Guard(app, is_public, self._entrance)))

    def _tell_use(self, used: Mapping[Subject, Amounts]) -> None:
        self._send(control.Usage(tuple(used.items())))

    def _revoke(self, key_ids: Iterable[str]) -> None:
        """Keys are revoked, here: end their sessions in every gateway."""
        revoked = control.Revoked(tuple(key_ids))
        self._revoked(revoked)
        self._send(revoked)

    def _revoked(self, revoked: control.Revoked) -> None:
        self._keyring.forget(revoked.key_ids)
        self._sockets.revoke(revoked.key_ids)

    async def _drain(self) -> None:
        """Let the sessions finish, those of other gateways that are carried through here too."""
        self._readiness.draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + self._plan.settings.limits.drain_s
        await asyncio.gather(
            self._sessions.drain(self._plan.settings.limits.drain_s),
            self._jobs.drain(min(JOBS_S, self._plan.settings.limits.drain_s)),
        )
        left_s = max(0.0, until - loop.time()) if self._forwarding.carries else 0.0
        await asyncio.gather(
            self._lines.closed(left_s + GOODBYE_S), self._calls.closed(left_s + GOODBYE_S)
        )

    def _send(self, message: control.ToSupervisor) -> None:
        if not self._writer.is_closing():
            self._writer.write(control.encode(message))

    async def _follow(self) -> None:
        """Do what the supervisor says, until it is gone."""
        while (message := await control.read_to_gateway(self._reader)) is not None:
            match message:
                case control.Loading(model, what):
                    self._readiness.loading(model, what)
                case control.Workers(statuses):
                    self._platform.follow(statuses)
                case control.Gateways():
                    self._system.told(message)
                    self._asking.answered(message)
                case control.Fetched():
                    self._starting = asyncio.create_task(self._start())
                case control.Welcome() | control.Refusal() | control.Granted():
                    self._asking.answered(message)
                case control.Revoked():
                    self._revoked(message)
                case control.Spent(owner):
                    self._sessions.spend(owner)
                case control.Drain():
                    self._draining.set()

    async def _start(self) -> None:
        try:
            await self._platform.start()
        except Exception:  # what it was, the next gateway may not meet
            log.exception("the gateway cannot start")
            os._exit(1)
        self._send(control.Serving())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(VITALS_EVERY_S)
            self._send(control.Vitals(self._lag.worst_ms(), self._metrics.waits_ms()))


async def first_of(task: "asyncio.Task[None]", event: Coroutine[Any, Any, Any]) -> None:
    """Wait for the one or the other; the task goes on."""
    waiting = asyncio.ensure_future(event)
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def run(plan: control.GatewayPlan) -> None:
    """Be a gateway."""
    end = socket.socket(fileno=plan.control_fd)
    reader, writer = await asyncio.open_connection(sock=end)
    await Gateway(plan, reader, writer).run()
    writer.close()
    with contextlib.suppress(OSError):  # the supervisor may be gone
        await writer.wait_closed()


def main() -> None:
    """The gateway process."""
    given = become_child("voiceforge-gw", planned=True)
    plan = msgspec.msgpack.decode(given, type=control.GatewayPlan, dec_hook=no_secret)
    logs.configure(plan.settings.log)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection is a file
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(plan))


if __name__ == "__main__":
    main()
