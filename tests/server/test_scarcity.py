"""A server that runs out of files, and one on a full disk."""

import asyncio
import contextlib
import json
import time

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from server.handover import NO_FILES_S
from tests.server.program import Server
from tests.server.wire import connected, until

pytestmark = pytest.mark.models

BRIEF = {"output_modalities": ["text"], "max_output_tokens": 8}


async def test_out_of_files_those_inside_go_on_and_others_come_in_when_there_are_some() -> None:
    with Server() as server:
        await asyncio.to_thread(server.until_ready)
        gateway = server.gateway()
        async with connected(server, **BRIEF) as inside:
            _, most = gateway.rlimit(psutil.RLIMIT_NOFILE)
            gateway.rlimit(psutil.RLIMIT_NOFILE, (gateway.num_fds() + 3, most))
            async with contextlib.AsyncExitStack() as stack:
                turned_away = 0
                for _ in range(12):
                    try:
                        line = connect(
                            server.realtime_url, additional_headers=server.headers, open_timeout=2
                        )
                        await stack.enter_async_context(line)
                    except (OSError, TimeoutError, WebSocketException):
                        turned_away += 1
                assert 9 <= turned_away <= 12
                assert (await inside.ask("Say hello."))["output"]
            gateway.rlimit(psutil.RLIMIT_NOFILE, (most, most))

            async def comes_in() -> bool:
                with contextlib.suppress(OSError, TimeoutError, WebSocketException):
                    async with connected(server, **BRIEF) as late:
                        return bool((await late.ask("Say hello."))["output"])
                return False

            await until(comes_in, 30)
            assert (await inside.ask("Say hello."))["output"]


async def test_a_supervisor_out_of_files_takes_nobody_until_there_are_some() -> None:
    with Server() as server:
        await asyncio.to_thread(server.until_ready)
        supervisor = psutil.Process(server.pid)
        async with connected(server, **BRIEF) as inside:
            _, most = supervisor.rlimit(psutil.RLIMIT_NOFILE)
            supervisor.rlimit(psutil.RLIMIT_NOFILE, (3, most))  # it holds more: none is left
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                await connect(
                    server.realtime_url, additional_headers=server.headers, open_timeout=2
                )
            assert (await inside.ask("Say hello."))["output"]
            supervisor.rlimit(psutil.RLIMIT_NOFILE, (most, most))
            attempts = (time.monotonic() - began) / NO_FILES_S
            async with connected(server, **BRIEF) as late:
                assert (await late.ask("Say hello."))["output"]
        told = [line for line in server.logged() if line["event"] == "no connection can be taken"]
        assert 1 <= len(told) <= attempts + 2  # it waits between them


async def test_on_a_full_disk_it_serves_and_says_what_it_cannot_keep() -> None:
    with Server(VOICEFORGE_LIMITS__ADMISSION="auto") as server:
        await asyncio.to_thread(server.until_ready)
        psutil.Process(server.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))

        async def said() -> bool:
            return any("cannot be kept" in line["event"] for line in server.logged())

        await until(said, 30)
        async with connected(server, **BRIEF) as wire:
            assert (await wire.ask("Say hello."))["output"]
        assert not (server.state / "capacity.json").exists()
    assert json.dumps([line for line in server.logged() if line["level"] == "error"]) == "[]"
