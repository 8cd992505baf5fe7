import asyncio
import signal
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest_asyncio

from engine import wire
from engine.child import child_environment, packed_plan
from engine.inference import Priority
from engine.process import package_root

_WORKER = Path(__file__).parent / "a_worker.py"


class Wire:
    """A gateway's connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *messages: wire.ToWorker) -> None:
        self.writer.write(b"".join(map(wire.encode, messages)))

    async def read(self) -> wire.FromWorker | None:
        async with asyncio.timeout(10):
            return await wire.read_from_worker(self.reader)

    async def result(self) -> object:
        message = await self.read()
        assert isinstance(message, wire.Result), message
        return msgspec.msgpack.decode(message.payload)


Connect = Callable[[], Awaitable[Wire]]


def _ask(
    ident: int, *steps: int | str, priority: Priority = Priority.FIRST, remaining_ms: float = 1000
) -> wire.Ask:
    return wire.Ask(ident, priority, remaining_ms, msgspec.msgpack.encode(steps))


@pytest_asyncio.fixture
async def process(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = child_environment() | {"PYTHONPATH": package_root()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_WORKER),
        str(tmp_path / "socket"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(packed_plan(b""))
    assert await wire.read_from_worker(process.stdout) == wire.Ready()
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()
    assert process.stdin is not None
    process.stdin.close()


@pytest_asyncio.fixture
async def connect(process: asyncio.subprocess.Process, tmp_path: Path) -> AsyncIterator[Connect]:
    writers = []

    async def connect() -> Wire:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        writers.append(writer)
        gateway = Wire(reader, writer)
        assert await gateway.read() == wire.Hello("test", process.pid)
        return gateway

    yield connect
    for writer in writers:
        writer.close()


async def test_two_gateways_may_use_the_same_request_ids(connect: Connect) -> None:
    first, second = await connect(), await connect()
    first.send(_ask(7, 1))
    second.send(_ask(7, 2))
    assert await first.result() == 1
    assert await second.result() == 2
    assert isinstance(await first.read(), wire.Done)


async def test_a_gateway_that_breaks_the_protocol_loses_its_connection_only(
    connect: Connect,
) -> None:
    good, bad = await connect(), await connect()
    bad.writer.write(struct.pack(">I", wire.MAX_MESSAGE_BYTES + 1))
    assert await bad.read() is None
    good.send(_ask(1, 5))
    assert await good.result() == 5


async def test_an_id_that_is_open_cannot_be_used_again(connect: Connect, tmp_path: Path) -> None:
    gateway = await connect()
    gateway.send(_ask(1, f"wait:{tmp_path}/go"), _ask(1, 2))
    assert await gateway.read() is None
    await asyncio.to_thread((tmp_path / "go").touch)


async def test_the_work_of_a_gateway_that_went_is_dropped(connect: Connect, tmp_path: Path) -> None:
    leaving, staying = await connect(), await connect()
    made = tmp_path / "made"
    leaving.send(_ask(1, 0, f"wait:{tmp_path}/go", 0, f"made:{made}"), _ask(2, f"made:{made}"))
    assert await leaving.result() == 0
    staying.send(_ask(1, 3, priority=Priority.BATCH))
    leaving.writer.close()
    staying.send(wire.Ping())
    queued = 2
    while queued > 1:  # until the worker has noticed
        pong = await staying.read()
        assert isinstance(pong, wire.Pong)
        queued = pong.load.queued
        staying.send(wire.Ping())
    await asyncio.to_thread((tmp_path / "go").touch)
    while not isinstance(message := await staying.read(), wire.Result):
        assert isinstance(message, wire.Pong)
    assert not await asyncio.to_thread(made.exists)


async def test_the_socket_answers_while_the_model_is_busy(connect: Connect, tmp_path: Path) -> None:
    gateway = await connect()
    gateway.send(_ask(1, 0, f"wait:{tmp_path}/go"), _ask(2, 0), _ask(3, 0))
    assert await gateway.result() == 0
    gateway.send(wire.Ping())
    pong = await gateway.read()
    assert isinstance(pong, wire.Pong)
    assert (pong.load.queued, pong.load.running) == (2, 1)
    assert pong.load.busy_ms > 0
    await asyncio.to_thread((tmp_path / "go").touch)


async def test_cancelling_answers_with_what_it_cost(connect: Connect, tmp_path: Path) -> None:
    gateway = await connect()
    gateway.send(_ask(1, 0, f"wait:{tmp_path}/go", 1), _ask(2, 0))
    assert await gateway.result() == 0
    gateway.send(wire.Cancel(2), wire.Cancel(1), wire.Cancel(99))
    assert await gateway.read() == wire.Done(2, 0.0)
    await asyncio.to_thread((tmp_path / "go").touch)
    done = await gateway.read()
    assert isinstance(done, wire.Done)
    assert done.id == 1
    assert done.compute_ms > 0


async def test_signals_of_the_group_are_left_to_the_parent_whose_word_ends_it_at_once(
    process: asyncio.subprocess.Process, connect: Connect, tmp_path: Path
) -> None:
    gateway = await connect()
    gateway.send(_ask(1, 0, f"wait:{tmp_path}/never"))
    assert await gateway.result() == 0
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    gateway.send(wire.Ping())
    assert isinstance(await gateway.read(), wire.Pong)
    assert process.stdin is not None
    process.stdin.close()  # in the middle of a batch
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_it_ends_with_the_pipe_to_its_parent(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_its_name_and_family_can_be_seen(process: asyncio.subprocess.Process) -> None:
    name = await asyncio.to_thread(Path(f"/proc/{process.pid}/comm").read_text)
    assert name == "voiceforge-test\n"
