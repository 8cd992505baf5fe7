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
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from engine.child import become_child
from server import control
from server import log as logs
from server.app import build
from server.beside import beside
from server.compose import Platform
from server.door import SupervisedDoor
from server.fleet import ROLES
from server.forward import Forwarding
from server.handover import Taking
from server.lag import LoopLag
from server.lines import Lines
from server.metrics import Metrics
from server.readiness import Readiness
from server.serve import serving, web_server
from server.sessions import SessionRegistry
from server.settings import Secret
from server.system import System
from server.tracing import Tracing
from transports.websocket import RealtimeSocket

log = logging.getLogger(__name__)

GOODBYE_S = 2.0
"""How long clients may take to read the last events and the close."""

VITALS_EVERY_S = 1.0


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
        self._door = SupervisedDoor(self._send, self._metrics.count_refusal)
        endpoint = settings.tracing.endpoint
        self._traces = Tracing(endpoint, plan.index) if endpoint is not None else None
        self._sessions = SessionRegistry(
            self._platform.services,
            settings.limits,
            self._metrics,
            self._door,
            plan.index,
            self._traces,
        )
        self._system = System(
            plan.index, self._platform.workers, self._sessions, lambda look: self._send(look)
        )
        self._forwarding = Forwarding(
            RealtimeSocket(self._sessions), plan.index, self._system.path_of
        )
        self._lines = Lines(self._forwarding)
        self._starting: asyncio.Task[None] | None = None
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Serve until the supervisor says to end."""
        settings = self._plan.settings
        app = build(self._lines, self._readiness, self._metrics, self._system)
        server = web_server(app, settings, uds=self._plan.path)
        async with (
            contextlib.aclosing(self._platform),
            contextlib.aclosing(self._system),
            serving(server, None),
            beside(self._lag.watch()),
            beside(self._report()),
            contextlib.AsyncExitStack() as opened,
        ):
            if self._traces is not None:
                await opened.enter_async_context(beside(self._traces.run()))
            following = await opened.enter_async_context(beside(self._follow()))
            taking = Taking(socket.socket(fileno=self._plan.channel_fd), server)
            taking.start()
            self._send(control.Listening(self._plan.path))
            await first_of(following, self._draining.wait())
            await self._drain()
            taking.stop()
        if self._starting is not None:
            self._starting.cancel()

    async def _drain(self) -> None:
        """Let the sessions finish, those of other gateways that are carried through here too."""
        self._readiness.draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + self._plan.settings.limits.drain_s
        await self._sessions.drain(self._plan.settings.limits.drain_s)
        left_s = max(0.0, until - loop.time()) if self._forwarding.carries else 0.0
        await self._lines.closed(left_s + GOODBYE_S)

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
                case control.Fetched():
                    self._starting = asyncio.create_task(self._start())
                case control.Welcome() | control.Refusal():
                    self._door.answered(message)
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
