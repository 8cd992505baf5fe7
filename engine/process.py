"""One worker process, from its start to its death, as its keeper sees it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import wire
from engine.child import child_environment, packed_plan
from engine.inference import InferenceError
from engine.load import Load

_PING_EVERY_S = 1.0
_SILENT_S = 10.0  # a loop that answers no ping for this long is stuck, even on a busy machine
_HUNG_MS = 60_000.0  # no model here takes a tenth of this for one batch
_STOP_S = 2.0  # it ends at once unless native code holds it
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class WorkerCommand(msgspec.Struct, frozen=True):
    """How to start a worker; `{socket}` in `argv` becomes the path that it must listen on.

    It reads `plan` from its standard input, which has it run `model`. `threads` limits what its
    libraries use, `load_s` is how long it may take to be ready; with more than `most_bytes` of
    memory it is started again.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    plan: bytes = b""
    model: str = ""
    threads: int = 1
    load_s: float = 120.0
    most_bytes: int | None = None


class WorkerProcess:
    """A worker that is ready, and its keeper's connection to it. Made by `start_worker`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        command: WorkerCommand,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hello: wire.Hello,
    ) -> None:
        self.pid = process.pid
        self.node = hello.node
        self.resident_bytes = resident_bytes(process.pid)
        self._process = process
        self._most_bytes = command.most_bytes
        self._reader = reader
        self._writer = writer
        self._answered_at = asyncio.get_running_loop().time()
        self._fault = ""

    async def watch(self, told: Callable[[Load], None]) -> str:
        """Ask it how it is until it is lost, and so dead; returns why. `told` takes what it says.

        One that hangs, or has grown beyond its limit, is killed.
        """
        pings = asyncio.create_task(self._ping())
        try:
            while (message := await wire.read_from_worker(self._reader)) is not None:
                if isinstance(message, wire.Pong):
                    self._pong(message)
                    told(message.load)
            reason = "it closed the connection"
        except wire.WireError as broken:
            reason = str(broken)
        finally:
            pings.cancel()
            await self.stop()
        return f"{self._fault or reason} (exit status {self._process.returncode})"

    async def stop(self) -> None:
        """End the process: gently for a moment, then for certain. Idempotent."""
        self._writer.close()
        await _end(self._process)

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - self._answered_at < _SILENT_S:
            if not self._writer.is_closing():
                self._writer.write(wire.encode(wire.Ping()))
            await asyncio.sleep(_PING_EVERY_S)
        self._kill(f"it answered nothing for {_SILENT_S:g} s")

    def _pong(self, pong: wire.Pong) -> None:
        self._answered_at = asyncio.get_running_loop().time()
        self.resident_bytes = pong.resident_bytes
        if pong.load.busy_ms > _HUNG_MS:
            self._kill(f"one batch ran for {pong.load.busy_ms / 1000:.0f} s")
        elif self._most_bytes is not None and self.resident_bytes > self._most_bytes:
            grown, limit = self.resident_bytes >> 20, self._most_bytes >> 20
            self._kill(f"it had grown to {grown} MB, over its limit of {limit} MB")

    def _kill(self, fault: str) -> None:
        self._fault = fault
        _signal(self._process, signal.SIGKILL)


async def start_worker(name: str, command: WorkerCommand, path: str) -> WorkerProcess:
    """Start the process, which listens on `path`, and connect once its model is ready.

    Raises `InferenceError` with the worker's own code (such as `model_missing`) when it cannot
    serve, `worker_slow` when it takes longer than `load_s`, `worker_died` when it just ends. Call
    it from a thread that lives on: Linux kills the worker when the thread that started it ends.
    """
    process = await _spawn(command, path)
    try:
        async with asyncio.timeout(command.load_s):
            await _handshake(name, process)
            reader, writer, hello = await connect(name, path)
    except TimeoutError:
        await _end(process)
        raise InferenceError(
            "worker_slow", f"the {name} worker was not ready within {command.load_s:g} s"
        ) from None
    except BaseException:
        await _end(process)
        raise
    return WorkerProcess(process, command, reader, writer, hello)


async def connect(
    name: str, path: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, wire.Hello]:
    """A connection to the worker that listens on `path`, and its greeting.

    Raises `OSError`, `InferenceError`.
    """
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        hello = await wire.read_from_worker(reader)
        if hello is None:
            raise InferenceError("worker_lost", f"the {name} worker ended")
        if not isinstance(hello, wire.Hello) or hello.protocol != wire.PROTOCOL:
            raise InferenceError(
                "worker_mismatch",
                f"the {name} worker does not speak protocol {wire.PROTOCOL}: "
                "restart with one release",
            )
    except BaseException:
        writer.close()
        raise
    return reader, writer, hello


async def _spawn(command: WorkerCommand, path: str) -> asyncio.subprocess.Process:
    argv = [path if word == "{socket}" else word for word in command.argv]
    environment = child_environment(command.threads) | command.env
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(packed_plan(command.plan))
    return process


async def _handshake(name: str, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    try:
        message = await wire.read_from_worker(process.stdout)
    except wire.WireError as broken:
        raise InferenceError("worker_died", f"the {name} worker's handshake: {broken}") from broken
    match message:
        case wire.Ready():
            return
        case wire.Broken(code, text):
            raise InferenceError(code, text)
        case _:
            status = await process.wait()
            raise InferenceError(
                "worker_died", f"the {name} worker ended with status {status} before it was ready"
            )


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()  # asks it to end
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        process.send_signal(number)


def resident_bytes(pid: int) -> int:
    """The memory that a process holds; 0 where that cannot be read."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def package_root() -> str:
    """The folder that our import packages lie in, for the PYTHONPATH of a worker."""
    return str(Path(__file__).resolve().parent.parent)
