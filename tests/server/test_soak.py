"""Long lives: many short sessions, long conversations, a minute of nonsense. `make test-long`.

`SOAK_MINUTES` is how long the conversations of eight callers last: 5 by default, 60 for the hour.
"""

import asyncio
import base64
import json
import os
import random
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from actors.llama import PROMPT_CACHE_MIB
from bench.turns import turns
from tests.server.program import Server
from tests.server.sound import FRAME_BYTES, FRAME_S, append, at_24_khz
from tests.server.undisturbed import undisturbed
from tests.server.wire import Wire, connected, open_sessions, typed, until
from transports.realtime.client_events import NAMES

pytestmark = [pytest.mark.models, pytest.mark.long]

SHORT_SESSIONS = 1_000
AT_ONCE = 8
WARM_UP = 100  # sessions, after which the allocator has seen everything once
GROWTH_MB = 20.0
"""What a process may have more after a test: a leak of 20 KB a session would be found."""

WORKER_GROWTH_MB = 100.0
"""The same for a worker: each lane keeps the memory of the longest work that it has seen, 65 MB for
Piper's sentences."""

KEPT_CONNECTIONS = 8
"""To the LLM's endpoint and for /metrics: kept open for the next, and no more of them than that."""

TASKS = re.compile(r"^voiceforge_tasks\{.*\} (\S+)$", re.MULTILINE)

MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))
CALLERS = 8
NONSENSE_S = 60.0


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_LIMITS__RECONNECT_GRACE_S="0.5") as server:
        yield server.until_ready()


class Footprint:
    """What the server holds, of what nobody may leave behind."""

    def __init__(self, server: Server) -> None:
        gateway = server.gateway()
        self.mb = gateway.memory_full_info().uss / 1e6
        self.workers_mb = {
            process.name(): process.memory_full_info().uss / 1e6
            for process in server.family()
            if process.pid != gateway.pid
        }
        [tasks] = TASKS.findall(server.get("/metrics")[1])
        self.tasks = float(tasks)
        self.open_files = gateway.num_fds()
        self.threads = gateway.num_threads()
        self.processes = len(server.family())


async def quiet(server: Server) -> bool:
    """No session is open, and what served their connections has ended as well."""
    if await open_sessions(server):
        return False
    await asyncio.sleep(1)
    return True


async def same_as(server: Server, before: Footprint) -> None:
    """Wait until all sessions are gone, and see that they left nothing."""

    await until(lambda: quiet(server), 60)
    after = Footprint(server)
    assert after.mb < before.mb + GROWTH_MB
    for name, mb in after.workers_mb.items():
        kept = PROMPT_CACHE_MIB * 1.05 if name == "voiceforge-llm" else 0.0
        assert mb < before.workers_mb[name] + WORKER_GROWTH_MB + kept, name
    assert 0 < after.tasks <= before.tasks
    assert after.open_files <= before.open_files + KEPT_CONNECTIONS
    assert after.threads <= before.threads
    assert after.processes == before.processes
    assert [line for line in server.logged() if line["level"] == "error"] == []


async def test_a_thousand_short_sessions_leave_nothing(server: Server) -> None:
    spoken = at_24_khz(turns("question")[0])
    draw = random.Random(1)

    async def short() -> None:
        how = draw.choice(["says nothing", "speaks", "types", "vanishes"])
        async with connect(
            server.realtime_url, additional_headers=server.headers, max_queue=None
        ) as socket:
            wire = Wire(socket)
            await wire.until("session.created")
            if how in ("speaks", "vanishes"):
                await wire.send(append(spoken))
            if how == "types":
                await wire.configure(output_modalities=["text"], max_output_tokens=1)
                await wire.ask("Hello.")
            if how == "vanishes":
                wire.vanish()

    async def many(sessions: int) -> None:
        left = iter(range(sessions))

        async def one_after_the_other() -> None:
            for _ in left:
                await short()

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    await many(WARM_UP)
    await until(lambda: quiet(server), 60)
    before = Footprint(server)
    await many(SHORT_SESSIONS)
    await same_as(server, before)


async def test_eight_callers_stay_well_for_long_and_leave_nothing(server: Server) -> None:
    await asyncio.gather(*(converse(server, 1.0, seed) for seed in range(CALLERS)))
    await until(lambda: quiet(server), 60)
    before = Footprint(server)
    await asyncio.gather(*(converse(server, MINUTES, seed) for seed in range(CALLERS)))
    await same_as(server, before)


async def converse(server: Server, minutes: float, seed: int = 0) -> None:
    """Speak turn after turn at real pace; each must be answered, by sound."""
    spoken = turns("question", "hesitation")
    draw = random.Random(seed)
    over = time.monotonic() + minutes * 60
    async with connected(server, max_output_tokens=60) as wire:
        microphone = Microphone(wire)
        speaking = asyncio.create_task(microphone.run())
        try:
            while time.monotonic() < over:
                microphone.say(at_24_khz(draw.choice(spoken)))
                response = (await wire.until("response.done"))["response"]
                while response["status"] == "cancelled":  # it took a pause for the end
                    response = (await wire.until("response.done"))["response"]
                assert response["status"] in ("completed", "incomplete"), response
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


class Microphone:
    """Never stops; silence where nothing is said."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pcm = b""

    def say(self, pcm: bytes) -> None:
        """Say this next."""
        self._pcm += pcm

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            frame, self._pcm = self._pcm[:FRAME_BYTES], self._pcm[FRAME_BYTES:]
            await self._wire.send(append(frame.ljust(FRAME_BYTES, b"\0")))
            due += FRAME_S
            await asyncio.sleep(due - clock())


async def test_nonsense_without_end_harms_nobody(server: Server) -> None:
    async with undisturbed(server):
        await asyncio.sleep(1)
    await until(lambda: quiet(server), 60)
    before = Footprint(server)
    async with undisturbed(server):
        await asyncio.gather(*(nonsense(server, seed) for seed in range(4)))
    await same_as(server, before)


async def nonsense(server: Server, seed: int) -> None:
    """Events of every type with fields of any kind, as fast as they are answered."""
    draw = random.Random(seed)
    over = time.monotonic() + NONSENSE_S
    while time.monotonic() < over:
        async with connect(
            server.realtime_url, additional_headers=server.headers, max_queue=None
        ) as socket:
            reading = asyncio.create_task(discard(socket))
            for _ in range(draw.randrange(1, 400)):
                await socket.send(json.dumps(anything(draw)))
                await asyncio.sleep(0.001)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def discard(socket: Any) -> None:
    async for _ in socket:
        pass


def anything(draw: random.Random) -> dict[str, Any]:
    """An event that may be sent, with values that may not."""
    values: list[Any] = [
        *(None, 0, -1, 3.5, 1e300, "", "x", "\u202e🙂", [], {}, True, [[]], {"type": "message"}),
        typed("Hello.")["item"],
        base64.b64encode(bytes(draw.randrange(4_000))).decode(),
        {"type": "realtime", "output_modalities": ["text"], "max_output_tokens": 2},
        {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
    ]
    fields = ["session", "item", "item_id", "audio", "response", "audio_end_ms", "event_id"]
    event = {name: draw.choice(values) for name in draw.sample(fields, draw.randrange(5))}
    # Without responses: four clients that ask for all they may keep one small LLM busy for minutes.
    return {"type": draw.choice([name for name in NAMES if name != "response.create"]), **event}
