"""One worker process, from its start to its death, as its gateway sees it."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import wire
from engine.child import child_environment
from engine.inference import InferenceError

_PING_EVERY_S = 2.0
_SILENT_S = 10.0  # a loop that answers no ping for this long is stuck, even on a busy machine
_HUNG_MS = 60_000.0  # no model here takes a tenth of this for one batch
_STOP_S = 2.0  # SIGTERM ends a worker at once unless native code holds it


class WorkerCommand(msgspec.Struct, frozen=True):
    """How to start a worker; `{socket}` in `argv` becomes the path that it must listen on.

    `threads` limits what its libraries use; `load_s` is how long it may take to be ready.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    threads: int = 1
    load_s: float = 120.0


class WorkerProcess:
    """A worker that is ready, and the connection to it. Made by `start_worker`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        ready: wire.Ready,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.pid = process.pid
        self.detail = ready.detail
        self.queued = 0
        self._process = process
        self._reader = reader
        self._writer = writer
        self._answered_at = asyncio.get_running_loop().time()

    def send(self, message: wire.ToWorker) -> None:
        """Send, or drop it if the worker is gone: `serve` ends then. `WireError` if too large."""
        if not self._writer.is_closing():
            self._writer.write(wire.encode(message))

    async def serve(self, receive: Callable[[wire.FromWorker], None]) -> str:
        """Hand its messages to `receive` until it is lost, and so dead; returns why."""
        pings = asyncio.create_task(self._ping())
        try:
            while (message := await wire.read_from_worker(self._reader)) is not None:
                if isinstance(message, wire.Pong):
                    self._pong(message)
                else:
                    receive(message)
            reason = "it closed the connection"
        except wire.WireError as broken:
            reason = str(broken)
        finally:
            pings.cancel()
            await self.stop()
        status = self._process.returncode
        return f"{reason} (exit status {status})"

    async def stop(self) -> None:
        """End the process: gently for a moment, then for certain. Idempotent."""
        self._writer.close()
        await _end(self._process)

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - self._answered_at < _SILENT_S:
            self.send(wire.Ping())
            await asyncio.sleep(_PING_EVERY_S)
        _signal(self._process, signal.SIGKILL)

    def _pong(self, pong: wire.Pong) -> None:
        self._answered_at = asyncio.get_running_loop().time()
        self.queued = pong.queued
        if pong.busy_ms > _HUNG_MS:
            _signal(self._process, signal.SIGKILL)


async def start_worker(name: str, command: WorkerCommand) -> WorkerProcess:
    """Start the process and connect once its model is ready.

    Raises `InferenceError` with the worker's own code (such as `model_missing`) when it cannot
    serve, `worker_slow` when it takes longer than `load_s`, `worker_died` when it just ends. Call
    it from a thread that lives on: Linux kills the worker when the thread that started it ends.
    """
    # No path outlives this call: the connection does without one.
    with tempfile.TemporaryDirectory(prefix="voiceforge-", ignore_cleanup_errors=True) as folder:
        path = f"{folder}/worker"
        process = await _spawn(command, path)
        try:
            async with asyncio.timeout(command.load_s):
                ready = await _handshake(name, process)
                reader, writer = await asyncio.open_unix_connection(path)
                try:
                    await _greeted(name, reader)
                except BaseException:
                    writer.close()
                    raise
        except TimeoutError:
            await _end(process)
            raise InferenceError(
                "worker_slow", f"the {name} worker was not ready within {command.load_s:g} s"
            ) from None
        except BaseException:
            await _end(process)
            raise
    return WorkerProcess(process, ready, reader, writer)


async def _spawn(command: WorkerCommand, path: str) -> asyncio.subprocess.Process:
    argv = [path if word == "{socket}" else word for word in command.argv]
    environment = os.environ | child_environment(command.threads) | command.env
    return await asyncio.create_subprocess_exec(
        *argv,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _handshake(name: str, process: asyncio.subprocess.Process) -> wire.Ready:
    assert process.stdout is not None
    try:
        message = await wire.read_from_worker(process.stdout)
    except wire.WireError as broken:
        raise InferenceError("worker_died", f"the {name} worker's handshake: {broken}") from broken
    match message:
        case wire.Ready():
            return message
        case wire.Broken(code, text):
            raise InferenceError(code, text)
        case _:
            status = await process.wait()
            raise InferenceError(
                "worker_died", f"the {name} worker ended with status {status} before it was ready"
            )


async def _greeted(name: str, reader: asyncio.StreamReader) -> None:
    hello = await wire.read_from_worker(reader)
    if not isinstance(hello, wire.Hello) or hello.protocol != wire.PROTOCOL:
        raise InferenceError(
            "worker_mismatch",
            f"the {name} worker does not speak protocol {wire.PROTOCOL}: restart with one release",
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        process.send_signal(number)


def package_root() -> str:
    """The folder that our import packages lie in, for the PYTHONPATH of a worker."""
    return str(Path(__file__).resolve().parent.parent)
