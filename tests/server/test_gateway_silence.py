"""Gateways that say nothing: those that hang are killed, those that could not speak are not."""

import asyncio
import time
from pathlib import Path

import pytest

from server import gateways
from server.control import Vitals
from tests.server.test_gateway_keeper import keeping, living, until, within


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "EXIT_S", 0.2)


async def test_one_that_is_silent_is_killed_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "STARTING_S", 0.1)
    monkeypatch.setattr(gateways, "SILENT_S", 0.1)
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        await within(life.process.wait())
        assert life.process.returncode == -9
        life.end()  # the kernel closes what a killed process had open
        await living(keeper, 2)


async def test_one_that_says_how_it_is_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "STARTING_S", 1.5)
    monkeypatch.setattr(gateways, "SILENT_S", 1.5)
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        for _ in range(35):
            life.say(Vitals(0.0))
            await asyncio.sleep(0.1)
        assert life.process.returncode is None
        await within(life.process.wait())  # until it says nothing any more
        assert life.process.returncode == -9


async def test_one_that_said_nothing_while_the_machine_was_stopped_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "SILENT_S", 1.5)
    async with keeping(tmp_path) as keeper:
        keeper.start()
        life = await living(keeper)
        life.say(Vitals(0.0))
        await until(lambda: keeper.heard != [])
        await asyncio.sleep(1.2)  # it was heard in this look: what comes now is measured
        time.sleep(3)  # noqa: ASYNC251 - the supervisor is stopped, and the gateway with it
        await asyncio.sleep(0.1)
        life.say(Vitals(0.0))
        await asyncio.sleep(0.5)
        assert life.process.returncode is None
        assert len(keeper.lives) == 1
