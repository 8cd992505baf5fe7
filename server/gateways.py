"""The gateway processes, as the supervisor keeps them."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from engine.child import child_environment, packed_plan
from engine.framing import WireError
from engine.keeper import Backoff
from engine.process import package_root
from server import control
from server.beside import beside
from server.control import GatewayPlan, GatewayStatus, Reached
from server.handover import hand
from server.settings import Settings

log = logging.getLogger(__name__)

STARTING_S = 60.0
SILENT_S = 15.0
"""A gateway from which nothing came for so long hangs, even on a busy machine."""

LOOK_EVERY_S = 1.0

EXIT_S = 10.0  # after it has closed its line

Receive = Callable[[int, control.ToSupervisor], None]


class GatewayKeeper:
    """One gateway's place, and the processes that fill it, one after the other.

    `receive` gets what it says, `changed` is called with no arguments when the others must know
    that it is somewhere else, `lost` when a process has ended, with its sessions.
    """

    def __init__(
        self,
        index: int,
        settings: Settings,
        store: Path,
        folder: Path,
        database: Reached,
        turn_secret: str | None = None,
    ) -> None:
        self.receive: Receive = lambda index, message: None
        self.changed: Callable[[], None] = lambda: None
        self.lost: Callable[[int], None] = lambda index: None
        self.greet: Callable[[GatewayKeeper], None] = lambda keeper: None
        self.status = GatewayStatus(index)
        self.serving = asyncio.Event()
        self.handed = 0
        self._settings = settings
        self._store = store
        self._folder = folder
        self._database = database
        self._turn_secret = turn_secret
        self._channel: socket.socket | None = None
        self._heard = False
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    def start(self) -> None:
        """Begin to keep a gateway alive."""
        self._task = asyncio.create_task(self._keep(), name=f"gateway {self.status.index}")

    def send(self, message: control.ToGateway) -> None:
        """Tell the gateway, if there is one."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(control.encode(message))

    def hand(self, connection: socket.socket) -> bool:
        """Have it serve a connection; False if it takes none now."""
        taken = self._channel is not None and hand(self._channel, connection)
        self.handed += taken
        return taken

    async def drain(self, within_s: float) -> None:
        """Let it end by itself, and end it then."""
        self._ending = True
        self.send(control.Drain())
        process = self._process
        if process is not None and process.returncode is None:
            try:
                async with asyncio.timeout(within_s):
                    await process.wait()
            except TimeoutError:
                log.warning("a gateway did not end", extra={"gateway": self.status.index})
        await self.close()

    async def close(self) -> None:
        """Kill it and keep it down. Idempotent."""
        self._ending = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep(self) -> None:
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._live()
            except Exception:  # whatever it was, the next gateway may do better
                log.exception("a gateway could not be kept")
            if self._ending:
                return
            await asyncio.sleep(backoff.after(loop.time() - began))
            self.told(restarts=self.status.restarts + 1)

    async def _live(self) -> None:
        """One process' life."""
        index = self.status.index
        path = self._folder / f"gateway-{index}-{self.status.restarts}"
        ours, theirs = socket.socketpair()
        channel, far_end = socket.socketpair()
        with contextlib.closing(channel), contextlib.closing(theirs), contextlib.closing(far_end):
            reader, writer = await asyncio.open_connection(sock=ours)
            with contextlib.closing(writer):
                try:
                    self._process = process = await self._spawn(theirs, far_end, path)
                except OSError as error:
                    log.error("a gateway cannot be started", extra={"error": error.strerror})
                    return
                theirs.close()
                far_end.close()
                channel.setblocking(False)
                self._writer, self._channel = writer, channel
                self.told(pid=process.pid)
                try:
                    async with beside(self._kill_if_silent(process)):
                        await self._converse(reader)
                finally:
                    self._writer = self._channel = None
                    writer.close()
                    await self._end(process)
        if not self._ending:
            extra = {"gateway": index, "status": process.returncode}
            log.error("a gateway was lost, and its sessions with it", extra=extra)

    async def _converse(self, reader: asyncio.StreamReader) -> None:
        self.greet(self)
        try:
            while (message := await control.read_to_supervisor(reader)) is not None:
                self._heard = True
                self.receive(self.status.index, message)
        except (WireError, msgspec.MsgspecError) as broken:
            log.error("a gateway broke the protocol", extra={"error": type(broken).__name__})

    async def _kill_if_silent(self, process: asyncio.subprocess.Process) -> None:
        """A gateway tells how it is every second. One whose loop hangs serves nobody any more.

        Counted are the looks in which nothing had come: a machine that was suspended stops the
        clock of both, and what the gateway said before then is read only afterwards.
        """
        silent_s, patience_s = 0.0, STARTING_S
        while silent_s < patience_s:
            self._heard = False
            await asyncio.sleep(LOOK_EVERY_S)
            silent_s += LOOK_EVERY_S
            if self._heard:
                silent_s, patience_s = 0.0, SILENT_S
        log.error("a gateway hangs", extra={"gateway": self.status.index})
        process.kill()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Its line is closed: it has ended, or is ended now."""
        if process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXIT_S):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        assert process.stdin is not None
        process.stdin.close()
        self.serving.clear()
        self.lost(self.status.index)
        self.told(pid=0, path="", serving=False, sessions=0, lag_ms=0.0, resident_bytes=0)

    async def _spawn(
        self, line: socket.socket, channel: socket.socket, path: Path
    ) -> asyncio.subprocess.Process:
        plan = GatewayPlan(
            self.status.index,
            self._settings,
            str(self._store),
            self._database,
            str(path),
            line.fileno(),
            channel.fileno(),
            self._turn_secret,
        )
        roots = filter(None, (package_root(), os.environ.get("PYTHONPATH")))
        environment = child_environment() | {"PYTHONPATH": os.pathsep.join(roots)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.gateway",
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(line.fileno(), channel.fileno()),
        )
        assert process.stdin is not None
        process.stdin.write(packed_plan(msgspec.msgpack.encode(plan)))
        return process

    def told(self, **news: object) -> None:
        """There is news of it."""
        before, self.status = self.status, replace(self.status, **news)
        if _where(before) != _where(self.status):
            self.changed()


def _where(status: GatewayStatus) -> tuple[object, ...]:
    """What seldom changes. The rest does all the time: who wants it asks."""
    return status.pid, status.path, status.restarts, status.serving
