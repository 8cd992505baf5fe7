"""How a gateway learns of the others, and what that costs with many of them."""

import asyncio
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from server.asking import Asking
from server.control import (
    AdmissionStatus,
    Enter,
    Gateways,
    GatewayStatus,
    Leave,
    Listening,
    Look,
    Owner,
    Serving,
    ToGateway,
    Vitals,
)
from server.door import OpenDoor
from server.gateways import GatewayKeeper
from server.lag import LoopLag
from server.metrics import Metrics
from server.sessions import SessionRegistry
from server.settings import LimitSettings, Settings
from server.supervisor import Supervisor
from server.system import System
from storage.accounts import Limits
from tests.server.test_sessions import virtual


class Asked:
    """A supervisor that notes what it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        sessions = SessionRegistry(lambda: None, LimitSettings(), Metrics(LoopLag()), OpenDoor())
        self.line = Asking(lambda look: self.numbers.append(cast(Look, look).number))
        self.system = System(0, tuple, sessions, self.line)

    def told(self, picture: Gateways) -> None:
        """What the supervisor says, as a gateway takes it."""
        self.system.told(picture)
        self.line.answered(picture)


@virtual
async def test_the_picture_is_asked_for_and_waited_for() -> None:
    asked = Asked()
    asked.told(Gateways((GatewayStatus(0, sessions=1),)))
    whole = asyncio.create_task(asked.system.whole())
    await asyncio.sleep(1)
    assert asked.numbers == [0]
    asked.told(Gateways((GatewayStatus(0, sessions=1),)))  # news, and no answer
    await asyncio.sleep(1)
    assert not whole.done()
    asked.told(Gateways((GatewayStatus(0, sessions=2), GatewayStatus(1, sessions=3)), 0))
    assert (await whole).sessions == 5


@virtual
async def test_each_who_asks_at_the_same_time_gets_an_answer() -> None:
    asked = Asked()
    both = [asyncio.create_task(asked.system.whole()) for _ in range(2)]
    await asyncio.sleep(0)
    for number in reversed(asked.numbers):
        asked.told(Gateways((GatewayStatus(0, sessions=4),), number))
    assert [whole.sessions for whole in await asyncio.gather(*both)] == [4, 4]


@virtual
async def test_a_lost_answer_leaves_what_is_known() -> None:
    asked = Asked()
    asked.told(Gateways((GatewayStatus(0, sessions=1),)))
    began = asyncio.get_running_loop().time()
    assert (await asked.system.whole()).sessions == 1
    assert asyncio.get_running_loop().time() - began < 5
    asked.told(Gateways((GatewayStatus(0, sessions=9),), 0))  # late: nobody waits
    assert asked.system.gateways[0].sessions == 9


class Sent(list[tuple[int, ToGateway]]):
    """What a supervisor of `count` gateways sends them, none of which is started."""

    def __init__(self, count: int, folder: Path) -> None:
        super().__init__()
        settings = Settings(gateways=count, limits=LimitSettings(admission="off"))
        self.supervisor = Supervisor(settings, folder, lambda line: None)
        for keeper in self.supervisor._gateways:
            self._note(keeper)

    def _note(self, keeper: GatewayKeeper) -> None:
        index = keeper.status.index
        keeper.send = lambda message: self.append((index, message))  # type: ignore[method-assign]


async def test_what_changes_all_the_time_is_told_to_nobody_and_shown_to_who_asks(
    tmp_path: Path,
) -> None:
    sent = Sent(16, tmp_path)
    for index in range(16):
        sent.supervisor._receive(index, Vitals(3.0, (100.0,)))
        sent.supervisor._receive(index, Enter(1))
    answers = [message for _, message in sent if not isinstance(message, Gateways)]
    assert len(answers) == len(sent) == 16  # one `Welcome` each
    sent.clear()
    sent.supervisor._receive(5, Look(7))
    [(index, picture)] = sent
    assert index == 5
    assert isinstance(picture, Gateways)
    assert picture.number == 7
    assert [status.sessions for status in picture.statuses] == [1] * 16
    assert [status.lag_ms for status in picture.statuses] == [3.0] * 16


@pytest.mark.parametrize("gone", ["client", "gateway"])
async def test_who_goes_while_it_is_read_what_was_used_takes_no_place(
    tmp_path: Path, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent(1, tmp_path)
    supervisor, read = sent.supervisor, asyncio.Event()
    asked = Enter(1, (Owner("key_1", "acc_1", Limits(characters_per_month=9)),))

    async def learn(*_: object) -> None:
        await read.wait()

    monkeypatch.setattr(supervisor._months, "learn", learn)
    supervisor._receive(0, asked)
    await asyncio.sleep(0)
    if gone == "client":
        supervisor._receive(0, Leave(1))
    else:
        supervisor._gateways[0].lost(0)
    sent.clear()
    read.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (supervisor.sessions, sent) == (0, [])
    supervisor._receive(0, asked)  # one that stays gets its place
    for _ in range(5):
        await asyncio.sleep(0)
    assert (supervisor.sessions, supervisor._entering) == (1, {})


async def test_who_asks_is_told_of_the_machine_and_of_who_is_let_in(tmp_path: Path) -> None:
    sent = Sent(1, tmp_path)
    sent.supervisor._receive(0, Enter(1))
    sent.clear()
    sent.supervisor._receive(0, Look(7))
    [(_, picture)] = sent
    asked = Asked()
    asked.told(Gateways((GatewayStatus(0, sessions=1),)))
    whole = asyncio.create_task(asked.system.whole())
    await asyncio.sleep(0)
    asked.told(replace(cast(Gateways, picture), number=asked.numbers[0]))
    asked.told(Gateways((GatewayStatus(0, sessions=1),)))  # news, which tells no more than that
    shown = await whole
    assert shown.admission == AdmissionStatus(present=1)
    assert shown.machine is not None
    assert shown.machine.memory_bytes > 0
    assert shown.capacity is None


async def test_where_a_gateway_is_all_are_told_at_once(tmp_path: Path) -> None:
    sent = Sent(3, tmp_path)
    for message in (Listening("path"), Serving()):
        sent.supervisor._receive(1, message)
        assert [index for index, _ in sent] == [0, 1, 2]
        told = sent[-1][1]
        assert isinstance(told, Gateways)
        assert told.number is None
        assert told.statuses[1].path == "path"
        sent.clear()
