"""Neighbours: conversations beside a test, which must not notice what it does."""

import asyncio
import base64
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.server.program import Server
from tests.server.wire import Wire, connected, open_sessions, until

HOLE_S = 0.5
"""For so long may a neighbour's agent fall silent. None does on a quiet machine; on one whose two
cores also run the tests' clients 0.3 s have been seen."""

LEAST_S = 1.0  # of speech that each neighbour hears at least

STORY = " ".join(
    f"In the lighthouse of chapter {chapter}, the keeper counted the ships that passed, and wrote "
    "their names into a long blue book before the lamp went out and the morning came."
    for chapter in range(1, 21)
)


@contextlib.asynccontextmanager
async def undisturbed(server: Server, *, listening: bool = True) -> AsyncIterator[None]:
    """Whatever happens inside, others go on, and no session is left over.

    One types and is answered; one listens to a long story, unless what the test does takes the
    voice itself away.
    """
    before = await open_sessions(server)
    calm = asyncio.Event()
    over = threading.Event()
    others = [asyncio.create_task(type_on(server, calm))]
    if listening:
        others.append(asyncio.create_task(asyncio.to_thread(listen, server, over)))
    try:
        yield
    finally:
        calm.set()
        over.set()
        for failed in await asyncio.gather(*others, return_exceptions=True):
            if failed is not None:
                raise failed

    async def as_before() -> bool:
        return await open_sessions(server) == before

    await until(as_before, 10)


async def type_on(server: Server, calm: asyncio.Event) -> None:
    """Ask and be answered, until all is calm again, and once after that."""
    async with connected(server, output_modalities=["text"], max_output_tokens=12) as healthy:
        while not calm.is_set():
            await answered(healthy)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(calm.wait(), 0.3)
        await answered(healthy)


async def answered(healthy: Wire) -> None:
    response = await healthy.ask("Say hello.")
    assert response["status"] in ("completed", "incomplete"), response
    assert response["output"]


def listen(server: Server, over: threading.Event) -> None:
    """Hear a story, and another one, until it is over; no hole may be in any of them.

    In a thread: what a test does in its event loop must not look as if the server were late.
    """
    while True:
        with connect(
            server.realtime_url, additional_headers=server.headers, max_size=None
        ) as socket:
            told = {"greeting": {"text": STORY}}
            session = {"type": "realtime", "voiceforge": told}
            socket.send(json.dumps({"type": "session.update", "session": session}))
            ear = Ear()
            while not (ear.heard_s > LEAST_S and over.is_set()):
                if (event := next_event(socket))["type"] == "response.output_audio.delta":
                    ear.hear(base64.b64decode(event["delta"]))
                if event["type"] == "response.done":
                    assert event["response"]["status"] == "completed", event
                    break
            assert ear.heard_s > LEAST_S
            assert ear.worst_s <= HOLE_S, f"the agent fell silent for {ear.worst_s:.2f} s"
        if over.is_set():
            return


def next_event(socket: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(socket.recv(timeout=20))
    assert event["type"] != "error", event
    return event


class Ear:
    """Plays audio as it comes, as a sound card does, and knows the longest hole in it."""

    def __init__(self) -> None:
        self.heard_s = 0.0
        self.worst_s = 0.0
        self._played_until: float | None = None

    def hear(self, pcm: bytes) -> None:
        """Play this behind what is still to be played."""
        now = time.monotonic()
        due = now if self._played_until is None else self._played_until
        self.worst_s = max(self.worst_s, now - due)
        length_s = len(pcm) / 2 / 24_000
        self._played_until = max(now, due) + length_s
        self.heard_s += length_s
