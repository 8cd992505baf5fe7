"""How a caller is joined to ours or to the peer: each link speaks that server's own protocol."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench import peerwire
from bench.playout import Playout
from bench.servers import Server

AGENT_HZ = 24_000
ANSWER_WAIT_S = 10.0


class Link(Protocol):
    """A joined server. `playout` is filled as audio arrives."""

    rate_hz: int
    """The rate at which the caller's audio is sent."""

    playout: Playout
    dropped_at: list[float]
    """When an answer was broken off, or the client told to stop playback, in the loop's time."""

    errors: list[str]
    """What went wrong, as the server or the socket said it."""

    async def send(self, pcm: bytes) -> None:
        """Send 20 ms of the caller's audio: 16-bit PCM at `rate_hz`."""
        ...

    def answering(self) -> bool:
        """Whether more of the current answer is known to come."""
        ...

    async def close(self) -> None: ...


class Reply(msgspec.Struct):
    """An assistant item as the client got it: when its audio sounds, and what text came with it."""

    item_id: str
    pieces: list[tuple[float, float]] = []
    transcript: str = ""
    status: str = "in_progress"
    dropped: bool = False

    def heard_ms(self, until: float) -> float:
        """How much of it has sounded by `until`."""
        return 1000 * sum(min(end, until) - start for start, end in self.pieces if start < until)


class OursLink:
    """The OpenAI Realtime protocol over a WebSocket, as a stock client speaks it.

    On `speech_started` playback stops and what was not heard is truncated, as the npm agents client
    does.
    """

    rate_hz = 24_000

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.loop = asyncio.get_running_loop()
        self.playout = Playout(AGENT_HZ, self.loop.time())
        self.dropped_at: list[float] = []
        self.replies: dict[str, Reply] = {}
        self.events: list[tuple[float, str]] = []
        self.errors: list[str] = []
        self.active: set[str] = set()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "response.created": self._created,
            "response.done": self._done,
            "response.output_audio.delta": self._audio,
            "response.output_audio_transcript.delta": self._transcript,
            "input_audio_buffer.speech_started": self._interrupted,
            "output_audio_buffer.cleared": self._cleared,
            "error": self._failed,
        }
        self._sending: set[asyncio.Task[None]] = set()
        self._reader = self.loop.create_task(self._read())

    @classmethod
    async def open(
        cls, server: Server, instructions: str, most_tokens: int | None = None
    ) -> "OursLink":
        """Join the server with these instructions, and a limit for each answer.

        Turns end by meaning, as the peer's do by default.
        """
        url = f"{server.url}/v1/realtime?model=gpt-realtime"
        socket = await connect(url, additional_headers=server.headers, max_size=None)
        link = cls(socket)
        updated = link._expect("session.updated")
        turns = {"input": {"turn_detection": {"type": "semantic_vad"}}}
        session: dict[str, Any] = {
            "type": "realtime",
            "instructions": instructions,
            "audio": turns,
            "max_output_tokens": most_tokens or "inf",
        }
        await link.tell({"type": "session.update", "session": session})
        await asyncio.wait_for(updated, ANSWER_WAIT_S)
        return link

    async def tell(self, event: dict[str, Any]) -> None:
        await self.socket.send(msgspec.json.encode(event).decode())

    async def send(self, pcm: bytes) -> None:
        audio = base64.b64encode(pcm).decode()
        await self.socket.send(f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}')

    def answering(self) -> bool:
        return bool(self.active)

    async def item(self, item_id: str) -> dict[str, Any]:
        """The item as the server's history has it."""
        retrieved = self._expect("conversation.item.retrieved")
        await self.tell({"type": "conversation.item.retrieve", "item_id": item_id})
        item: dict[str, Any] = (await asyncio.wait_for(retrieved, ANSWER_WAIT_S))["item"]
        return item

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    def _expect(self, kind: str) -> "asyncio.Future[dict[str, Any]]":
        self._waiting[kind] = self.loop.create_future()
        return self._waiting[kind]

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                event = msgspec.json.decode(message)
                kind = event["type"]
                if kind in self._handlers:
                    self._handlers[kind](event)
                if not kind.endswith(".delta"):
                    self.events.append((self.loop.time(), kind))
                waiting = self._waiting.pop(kind, None)
                if waiting and not waiting.done():
                    waiting.set_result(event)
        except ConnectionClosed as closed:
            self.errors.append(f"closed: {closed}")

    def _reply(self, event: dict[str, Any]) -> Reply:
        item_id = event["item_id"]
        return self.replies.setdefault(item_id, Reply(item_id))

    def _created(self, event: dict[str, Any]) -> None:
        self.active.add(event["response"]["id"])

    def _done(self, event: dict[str, Any]) -> None:
        response = event["response"]
        self.active.discard(response["id"])
        if response["status"] != "completed":
            self.dropped_at.append(self.loop.time())
        for item in response["output"]:
            if item["id"] in self.replies:
                self.replies[item["id"]].status = response["status"]

    def _audio(self, event: dict[str, Any]) -> None:
        now = self.loop.time()
        start = max(now, self.playout.ends_at)
        self.playout.play(base64.b64decode(event["delta"]), now)
        self._reply(event).pieces.append((start, self.playout.ends_at))

    def _transcript(self, event: dict[str, Any]) -> None:
        self._reply(event).transcript += event["delta"]

    def _interrupted(self, event: dict[str, Any]) -> None:
        now = self.loop.time()
        playing = [r for r in self.replies.values() if r.pieces and r.pieces[-1][1] > now]
        if not playing:
            return
        self._drop(now)
        truncate = {
            "type": "conversation.item.truncate",
            "item_id": playing[-1].item_id,
            "content_index": 0,
            "audio_end_ms": int(playing[-1].heard_ms(now)),
        }
        task = self.loop.create_task(self.tell(truncate))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _cleared(self, event: dict[str, Any]) -> None:
        self._drop(self.loop.time())

    def _drop(self, now: float) -> None:
        self.playout.drop(now)
        self.dropped_at.append(now)
        for reply in self.replies.values():
            reply.dropped |= bool(reply.pieces) and reply.pieces[-1][1] > now
            reply.pieces = [(a, min(b, now)) for a, b in reply.pieces if a < now]

    def _failed(self, event: dict[str, Any]) -> None:
        error = event["error"]
        self.errors.append(f"{error.get('code')}: {error.get('message')}")


class PeerLink:
    """pipecat's WebSocket transport with its protobuf serializer, as its own clients speak it.

    They drop what they have buffered when an interruption frame arrives, and so does this one.
    """

    rate_hz = 16_000

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.loop = asyncio.get_running_loop()
        self.playout = Playout(AGENT_HZ, self.loop.time())
        self.dropped_at: list[float] = []
        self.errors: list[str] = []
        self._reader = self.loop.create_task(self._read())

    @classmethod
    async def open(
        cls, server: Server, instructions: str, most_tokens: int | None = None
    ) -> "PeerLink":
        """As `OursLink.open`; for the rest the peer has its defaults."""
        address = f"{server.url}/ws?instructions={quote(instructions)}&tokens={most_tokens or 0}"
        return cls(await connect(address, max_size=None, compression=None))

    async def send(self, pcm: bytes) -> None:
        await self.socket.send(peerwire.audio_message(pcm, self.rate_hz))

    def answering(self) -> bool:
        return False  # its protocol does not say: silence tells

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                if not isinstance(message, bytes):
                    continue
                kind, pcm = peerwire.read(message)
                now = self.loop.time()
                if kind == peerwire.AUDIO:
                    self.playout.play(pcm, now)
                elif kind == peerwire.INTERRUPTION:
                    self.playout.drop(now)
                    self.dropped_at.append(now)
        except ConnectionClosed as closed:
            self.errors.append(f"closed: {closed}")
