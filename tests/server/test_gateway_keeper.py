"""The supervisor's keeper of one gateway, alone: the gateway is a process that does nothing, and
the test speaks for it."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from server import control, gateways
from server.control import Drain, Listening, ToSupervisor
from server.gateways import GatewayKeeper
from server.settings import Settings

SLEEPS = ("sleep", "1000")


class Life:
    """One process of the keeper's, and the ends of its lines, which it has left to the test."""

    def __init__(
        self, process: asyncio.subprocess.Process, line: socket.socket, channel: socket.socket
    ) -> None:
        self.process = process
        self.channel = channel
        self.began = asyncio.get_running_loop().time()
        self._line = line

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(sock=self._line)

    def say(self, message: ToSupervisor) -> None:
        self.writer.write(control.encode(message))

    def end(self) -> None:
        """Close the line, as a process does that ends."""
        self.writer.close()
        self.channel.close()


class Keeping(GatewayKeeper):
    """A keeper that starts `command` instead of a gateway."""

    def __init__(self, folder: Path, *command: str) -> None:
        super().__init__(3, Settings(), folder, folder, control.Reached("postgresql://", 1, b""))
        self.command = command
        self.unstartable = 0
        self.lives: list[Life] = []
        self.heard: list[ToSupervisor] = []
        self.losses: list[int] = []
        self.moves = 0
        self.receive = lambda index, message: self.heard.append(message)
        self.lost = self.losses.append
        self.changed = self._moved

    def _moved(self) -> None:
        self.moves += 1

    async def _spawn(
        self, line: socket.socket, channel: socket.socket, path: Path
    ) -> asyncio.subprocess.Process:
        if self.unstartable:
            self.unstartable -= 1
            raise OSError(11, "no more processes")
        process = await asyncio.create_subprocess_exec(*self.command, stdin=asyncio.subprocess.PIPE)
        life = Life(process, line.dup(), channel.dup())
        await life.open()
        self.lives.append(life)
        return process


@contextlib.asynccontextmanager
async def keeping(folder: Path, *command: str) -> AsyncIterator[Keeping]:
    keeper = Keeping(folder, *(command or SLEEPS))
    try:
        yield keeper
    finally:
        for life in keeper.lives:
            life.end()
        closing = asyncio.create_task(keeper.close())
        for life in keeper.lives:
            with contextlib.suppress(ProcessLookupError):
                life.process.kill()
        await closing
        for life in keeper.lives:
            with contextlib.suppress(OSError):
                await life.writer.wait_closed()
        await asyncio.sleep(0.01)  # the keeper's own end closes in the next turn of the loop


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "EXIT_S", 0.2)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a process is waited for
            await asyncio.sleep(0.01)


async def living(keeper: Keeping, number: int = 1) -> Life:
    """The `number`th process, once it is kept."""
    await until(lambda: len(keeper.lives) >= number and keeper.status.pid != 0)
    return keeper.lives[number - 1]


async def within(work: Awaitable[object], s: float = 20) -> None:
    async with asyncio.timeout(s):
        await work


async def test_what_a_gateway_says_is_heard_and_it_is_greeted_first(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.greet = lambda greeted: greeted.send(control.Fetched())
        keeper.start()
        life = await living(keeper)
        assert await control.read_to_gateway(life.reader) == control.Fetched()
        life.say(Listening("path"))
        await until(lambda: keeper.heard == [Listening("path")])
        assert keeper.status.pid == life.process.pid


async def test_only_where_it_is_is_news_for_the_others(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.told(sessions=3, lag_ms=2.0, resident_bytes=10**9)
        assert keeper.status.sessions == 3
        assert keeper.moves == 0
        keeper.told(path="there")
        keeper.told(serving=True)
        assert keeper.moves == 2


async def test_one_that_ends_is_replaced_and_its_sessions_are_forgotten(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        keeper.serving.set()
        keeper.told(path="there", serving=True, sessions=7)
        life.process.kill()
        life.end()
        second = await living(keeper, 2)
        assert keeper.losses == [3]
        assert second.process.pid == keeper.status.pid != life.process.pid
        status = keeper.status
        assert (status.restarts, status.path, status.serving, status.sessions) == (1, "", False, 0)
        assert not keeper.serving.is_set()


async def test_one_that_ends_at_once_is_started_less_and_less_often(tmp_path: Path) -> None:
    async with keeping(tmp_path, "false") as keeper:
        keeper.start()
        for number in range(1, 6):
            await until(lambda number=number: len(keeper.lives) == number)  # type: ignore[misc]
            keeper.lives[-1].end()
        began = [life.began for life in keeper.lives]
        pauses = [later - sooner for sooner, later in pairwise(began)]
        assert all(
            pause >= least - 0.01 for pause, least in zip(pauses, [0.1, 0.2, 0.4, 0.8], strict=True)
        ), pauses


async def test_one_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.unstartable = 2
        keeper.start()
        await living(keeper)
        assert keeper.status.restarts == 2


@pytest.mark.parametrize(
    "torn", [b"\x00\x00\x00\x02\xff\xff", b"\x00\x00", b"\xff\xff\xff\xff"], ids=repr
)
async def test_one_that_breaks_the_protocol_is_killed_and_replaced(
    tmp_path: Path, torn: bytes
) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        life.writer.write(torn)
        await life.writer.drain()
        if len(torn) < 4:
            life.writer.write_eof()
        await within(life.process.wait())
        assert life.process.returncode == -9
        await living(keeper, 2)
        assert keeper.losses == [3]


async def test_one_that_hangs_up_and_lives_on_is_killed_and_replaced(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        life.writer.write_eof()
        await within(life.process.wait())
        assert life.process.returncode == -9
        await living(keeper, 2)


async def test_connections_are_handed_while_it_lives_and_never_wait_for_it(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert not keeper.hand(theirs)
            keeper.start()
            life = await living(keeper)
            assert keeper.hand(theirs)
            _, descriptors, _, _ = socket.recv_fds(life.channel, 16, 16)
            with socket.socket(fileno=descriptors[0]) as taken:
                ours.send(b"hello")
                assert taken.recv(16) == b"hello"
            while keeper.hand(theirs):  # until its channel is full, which must not block
                assert keeper.handed < 100_000
            assert keeper.handed > 1
            life.process.kill()
            life.end()
            await until(lambda: keeper.status.pid == 0)
            assert not keeper.hand(theirs)


async def test_a_drained_one_ends_by_itself_and_is_not_replaced(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        draining = asyncio.create_task(keeper.drain(within_s=20))
        assert await control.read_to_gateway(life.reader) == Drain()
        assert not draining.done()
        life.process.terminate()
        life.end()
        await within(draining)
        assert life.process.returncode == -15
        assert len(keeper.lives) == 1


async def test_a_drained_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        await within(keeper.drain(within_s=0.1))
        assert life.process.returncode == -9
        assert len(keeper.lives) == 1


async def test_closed_while_it_starts_it_leaves_nothing(tmp_path: Path) -> None:
    async with keeping(tmp_path) as keeper:
        keeper.start()
        await until(lambda: len(keeper.lives) == 1)
        await within(keeper.close())
        assert keeper.lives[0].process.returncode == -9
        assert keeper.status.pid == 0


async def test_closed_twice_it_is_killed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "EXIT_S", 1000.0)
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        await within(keeper.close())
        await within(keeper.close())
        with pytest.raises(ProcessLookupError):
            os.kill(life.process.pid, 0)
        keeper.send(Drain())  # to nobody
        assert keeper.status.pid == 0
