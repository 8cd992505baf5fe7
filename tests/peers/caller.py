"""A person with a stock client: the `openai` SDK's connection, a microphone, and a memory."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from tests.peers.sound import REALTIME_HZ, room
from tests.server.program import Server

Encode = Callable[[bytes], bytes]

FRAME_MS = 20


class Caller:
    """What a connection was told, in order. `until` finds each event once."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Any] = []
        self._looked_at = 0
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def hang_up(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def until(self, kind: str, within_s: float = 60) -> Any:
        """The next event of this type, after the one that was found last."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for event in self.events[self._looked_at :]:
                        self._looked_at += 1
                        if event.type == kind:
                            return event
                    assert not self._listening.done(), f"closed while {kind} was waited for"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind} came, but {self.kinds()}") from None

    def all(self, kind: str) -> list[Any]:
        """Every event of this type so far."""
        return [event for event in self.events if event.type == kind]

    def kinds(self) -> list[str]:
        """The types of what came, each where it first came."""
        return list(dict.fromkeys(event.type for event in self.events))

    def heard(self, response_id: str) -> bytes:
        """The audio of a response, decoded from base64 and nothing else."""
        deltas = self.all("response.output_audio.delta")
        mine = (event for event in deltas if event.response_id == response_id)
        return b"".join(base64.b64decode(event.delta) for event in mine)

    async def type(self, text: str) -> None:
        """Add a typed message and ask for the answer."""
        await self.connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": text}],
            }
        )
        await self.connection.response.create()

    async def answer(self, text: str) -> str:
        """Type, and read the answer: its text, or its transcript when it was spoken."""
        await self.type(text)
        done = await self.until("response.done")
        assert done.response.status == "completed", done.response
        return said(done.response)

    async def _listen(self) -> None:
        try:
            async for event in self.connection:
                self.events.append(event)
                self._news.set()
        finally:
            self._news.set()


def said(response: Any) -> str:
    """What a finished response says."""
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    return " ".join(part.text or part.transcript or "" for part in parts)


@contextlib.asynccontextmanager
async def calling(
    server: Server, *, extra_query: Mapping[str, object] | None = None, **session: Any
) -> AsyncIterator[Caller]:
    """A connection to the server, its session updated by `session`."""
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key)
    connecting = client.realtime.connect(model="gpt-realtime", extra_query=dict(extra_query or {}))
    async with client, connecting as connection:
        caller = Caller(connection)
        try:
            await caller.until("session.created")
            if session:
                await connection.session.update(session={"type": "realtime", **session})  # type: ignore[arg-type]
                await caller.until("session.updated")
            yield caller
        finally:
            await caller.hang_up()


class Line:
    """A microphone that is always on: speech when there is some, else a quiet room, in real time.

    What is said is PCM at `rate_hz`; `encode` makes of it what the session's input format wants.
    """

    def __init__(self, connection: AsyncRealtimeConnection, rate_hz: int, encode: Encode) -> None:
        self._connection = connection
        self._encode = encode
        self._bytes = 2 * rate_hz * FRAME_MS // 1000
        self._room = room(10_000, rate_hz)
        self._said = b""
        self._silent = asyncio.Event()

    async def say(self, pcm: bytes) -> None:
        """Speak, and return when the last sample has been sent."""
        self._said += pcm
        self._silent.clear()
        await self._silent.wait()

    async def run(self) -> None:
        """Send a frame every 20 ms until cancelled."""
        clock = asyncio.get_running_loop().time
        began, frames = clock(), 0
        while True:
            frame, self._said = self._said[: self._bytes], self._said[self._bytes :]
            if not self._said:
                self._silent.set()
            at = frames * self._bytes % (len(self._room) - self._bytes)
            frame += self._room[at + len(frame) : at + self._bytes]
            audio = base64.b64encode(self._encode(frame)).decode()
            await self._connection.input_audio_buffer.append(audio=audio)
            frames += 1
            await asyncio.sleep(began + frames * FRAME_MS / 1000 - clock())


@contextlib.asynccontextmanager
async def speaking(
    caller: Caller, rate_hz: int = REALTIME_HZ, encode: Encode = bytes
) -> AsyncIterator[Line]:
    """Hold the caller's microphone open."""
    line = Line(caller.connection, rate_hz, encode)
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
