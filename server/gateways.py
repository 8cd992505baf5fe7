"""The gateway processes, as the supervisor keeps them."""

import asyncio
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
from server.control import GatewayStatus
from server.gateway import GatewayPlan
from server.settings import Settings

log = logging.getLogger(__name__)

Receive = Callable[[int, control.ToSupervisor], None]


class GatewayKeeper:
    """One gateway's place, and the processes that fill it, one after the other.

    `receive` gets what it says, `changed` is called with no arguments when `status` is another,
    `lost` when a process has ended, with its sessions.
    """

    def __init__(
        self, index: int, settings: Settings, store: Path, folder: Path, public: socket.socket
    ) -> None:
        self.receive: Receive = lambda index, message: None
        self.changed: Callable[[], None] = lambda: None
        self.lost: Callable[[int], None] = lambda index: None
        self.greet: Callable[[GatewayKeeper], None] = lambda keeper: None
        self.status = GatewayStatus(index)
        self.serving = asyncio.Event()
        self._settings = settings
        self._store = store
        self._folder = folder
        self._public = public
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
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep(self) -> None:
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._live()
            if self._ending:
                return
            await asyncio.sleep(backoff.after(loop.time() - began))
            self.told(restarts=self.status.restarts + 1)

    async def _live(self) -> None:
        """One process' life."""
        ours, theirs = socket.socketpair()
        index = self.status.index
        path = self._folder / f"gateway-{index}-{self.status.restarts}"
        try:
            self._process = process = await self._spawn(theirs, path)
        except OSError as error:
            ours.close()
            log.error("a gateway cannot be started", extra={"error": error.strerror})
            return
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self.told(pid=process.pid)
        try:
            self.greet(self)
            while (message := await control.read_to_supervisor(reader)) is not None:
                self.receive(index, message)
            await process.wait()
        except (WireError, msgspec.MsgspecError) as broken:
            log.error("a gateway broke the protocol", extra={"error": type(broken).__name__})
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            assert process.stdin is not None
            process.stdin.close()
            self._writer.close()
            self._writer = None
            self.serving.clear()
            self.lost(index)
            self.told(pid=0, path="", sessions=0, lag_ms=0.0)
        if not self._ending:
            extra = {"gateway": index, "status": process.returncode}
            log.error("a gateway was lost, and its sessions with it", extra=extra)

    async def _spawn(self, theirs: socket.socket, path: Path) -> asyncio.subprocess.Process:
        plan = GatewayPlan(
            self.status.index,
            self._settings,
            str(self._store),
            str(path),
            theirs.fileno(),
            self._public.fileno(),
            again=self.status.restarts > 0,
        )
        roots = filter(None, (package_root(), os.environ.get("PYTHONPATH")))
        environment = {"PYTHONPATH": os.pathsep.join(roots), **child_environment()}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.gateway",
            env=os.environ | environment,
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(theirs.fileno(), self._public.fileno()),
        )
        assert process.stdin is not None
        process.stdin.write(packed_plan(msgspec.msgpack.encode(plan)))
        return process

    def told(self, **news: object) -> None:
        """There is news of it."""
        self.status = replace(self.status, **news)
        self.changed()
