"""Callers that cost little, for when there are many of them.

As `bench.caller`, but what they say is ready for the wire before it is said, one clock speaks for
all of them, and what they hear is looked at where it matters, once. Times are of `time.monotonic`
(uvloop's own clock counts whole milliseconds).
"""

import asyncio
import base64
import itertools
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import numpy as np

from bench import peerwire
from bench.line import RATE_HZ, Kind, Line, connected, encode
from bench.links import AGENT_HZ, Reply
from bench.playout import Playout
from bench.servers import Server
from bench.sound import QUIET_DBFS, Turn, load, loud, noise, to_pcm

FRAME_S = 0.02
SLOTS = 4  # callers are spread over the 20 ms
ROOM_S = 4.0  # the room's sound repeats after so long
QUIET_AFTER_S = 2.0  # the pause after which an answer is over, as far as can be heard
LOOK_EVERY_S = 0.05
READY_S = 20.0


class Voices:
    """What callers of one side say, as messages of 20 ms for the wire."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._rng = np.random.default_rng(0)
        self._clips: dict[str, list[bytes]] = {}
        self.room = self._messages(np.zeros(int(RATE_HZ[kind] * ROOM_S), np.float32))

    def clip(self, turn: Turn) -> list[bytes]:
        """A turn as it is said in a quiet room. Load it before anybody speaks."""
        if turn.file not in self._clips:
            sound = load(turn, RATE_HZ[self.kind], self._folder)
            self._clips[turn.file] = self._messages(sound)
        return self._clips[turn.file]

    def _messages(self, sound: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> list[bytes]:
        step = int(RATE_HZ[self.kind] * FRAME_S)
        whole = noise(-(-len(sound) // step) * step, QUIET_DBFS, self._rng)
        whole[: len(sound)] += sound
        pcm = to_pcm(whole)
        return [encode(self.kind, pcm[at : at + 2 * step]) for at in range(0, len(pcm), 2 * step)]


class Guest(Line):
    """One caller: a microphone that `speak` drives, a loudspeaker, ears."""

    def __init__(self, path: str, voices: Voices) -> None:
        super().__init__(path)
        self.voices = voices
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        now = time.monotonic()
        self.playout = Playout(AGENT_HZ, now)
        self.dropped_at: list[float] = []
        """When an answer was broken off, or the client told to stop playback."""

        self.items: list[float] = []
        """When the first sound of each answer was due, where the protocol tells them apart."""

        self.errors: list[str] = []
        self.gone = False
        self._due = now
        self._room = itertools.cycle(voices.room)
        self._words: deque[bytes] = deque()

    def lost(self) -> None:
        self.gone = True
        self.errors.append("the connection was lost")

    def answering(self) -> bool:
        """Whether more of the current answer is known to come."""
        return False

    def speak(self, due: float) -> None:
        """Send the 20 ms whose last sample was recorded at `due`."""
        self._due = due
        self.write(self._words.popleft() if self._words else next(self._room))

    def say(self, turn: Turn) -> float:
        """Begin to say a turn with the next frame; returns when that begins."""
        begins = self._due + FRAME_S * len(self._words)
        self._words.extend(self.voices.clip(turn))
        return begins

    async def until(self, at: float) -> None:
        """Wait for this moment. Raises `ConnectionError` once the line is lost."""
        while (left := at - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.5))
            if self.gone:
                raise ConnectionError("the connection was lost")

    def audible(self, start: float, end: float) -> bool:
        """Whether the agent is heard between two moments."""
        return start < min(end, self.playout.ends_at) and self._onset(start, end) is not None

    async def sounds(self, after: float, before: float) -> float | None:
        """When the agent is first audible between two moments, or None if it never is."""
        seen = after
        while True:
            now = min(time.monotonic(), before)
            if self.playout.ends_at > seen and now > seen:
                onset = self._onset(seen, now)
                if onset is not None:
                    return onset
                seen = now
            if now >= before:
                return None
            await self.until(min(before, now + LOOK_EVERY_S))

    async def silence(self, give_up: float) -> bool:
        """Wait until the agent has finished; False if it still speaks at `give_up`."""
        while (now := time.monotonic()) < give_up:
            if not self.answering() and now - self.playout.ends_at > QUIET_AFTER_S:
                return True
            await self.until(now + 2 * LOOK_EVERY_S)
        return False

    def _onset(self, start: float, end: float) -> float | None:
        heard = loud(self.playout.heard(start, end))
        return start + float(heard[0]) / AGENT_HZ if len(heard) else None


class _Response(msgspec.Struct):
    id: str
    status: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Event(msgspec.Struct):
    """As much of a server event as a caller needs."""

    type: str
    delta: str = ""
    item_id: str = ""
    response: _Response | None = None
    error: _Error | None = None


_decoder = msgspec.json.Decoder(_Event)


class OursGuest(Guest):
    """The OpenAI Realtime protocol as a stock client speaks it (`bench.links.OursLink`)."""

    def __init__(self, voices: Voices, instructions: str, most_tokens: int) -> None:
        super().__init__("/v1/realtime?model=gpt-realtime", voices)
        self._session = {
            "type": "realtime",
            "instructions": instructions,
            "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}},
            "max_output_tokens": most_tokens,
        }
        self._active: set[str] = set()
        self._reply = Reply("")

    def answering(self) -> bool:
        return bool(self._active)

    def opened(self) -> None:
        self.tell({"type": "session.update", "session": self._session})

    def message(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        event = _decoder.decode(memoryview(buffer)[at : at + size])
        now = time.monotonic()
        match event:
            case _Event(type="response.output_audio.delta"):
                self._play(event, now)
            case _Event(type="response.created", response=_Response(ident)):
                self._active.add(ident)
            case _Event(type="response.done", response=_Response(ident, status)):
                self._active.discard(ident)
                if status != "completed":
                    self.dropped_at.append(now)
            case _Event(type="input_audio_buffer.speech_started"):
                self._stop(now)
            case _Event(type="output_audio_buffer.cleared"):
                self._drop(now)
            case _Event(type="session.updated"):
                if not self.ready.done():
                    self.ready.set_result(None)
            case _Event(type="error", error=_Error(code, text)):
                self.errors.append(f"{code}: {text}")

    def _play(self, event: _Event, now: float) -> None:
        start = max(now, self.playout.ends_at)
        self.playout.play(base64.b64decode(event.delta), now)
        if event.item_id != self._reply.item_id:
            self._reply = Reply(event.item_id)
            self.items.append(start)
        self._reply.pieces.append((start, self.playout.ends_at))

    def _stop(self, now: float) -> None:
        """Stop playback and truncate what was not heard, as the npm agents client does."""
        if self.playout.ends_at <= now or not self._reply.pieces:
            return
        self._drop(now)
        truncate = {
            "type": "conversation.item.truncate",
            "item_id": self._reply.item_id,
            "content_index": 0,
            "audio_end_ms": int(self._reply.heard_ms(now)),
        }
        self.tell(truncate)

    def _drop(self, now: float) -> None:
        self.playout.drop(now)
        self.dropped_at.append(now)
        self._reply.pieces = [(a, min(b, now)) for a, b in self._reply.pieces if a < now]


class PeerGuest(Guest):
    """pipecat's WebSocket transport with its protobuf serializer, as its own clients speak it."""

    def __init__(self, voices: Voices, instructions: str, most_tokens: int) -> None:
        super().__init__(f"/ws?instructions={quote(instructions)}&tokens={most_tokens}", voices)

    def opened(self) -> None:
        self.ready.set_result(None)

    def message(self, opcode: int, buffer: bytes, at: int, size: int) -> None:
        kind, pcm = peerwire.read(buffer[at : at + size])
        now = time.monotonic()
        if kind == peerwire.AUDIO:
            self.playout.play(pcm, now)
        elif kind == peerwire.INTERRUPTION:
            self.playout.drop(now)
            self.dropped_at.append(now)


GUESTS: dict[Kind, type[OursGuest] | type[PeerGuest]] = {"ours": OursGuest, "peer": PeerGuest}


async def enter(server: Server, voices: Voices, instructions: str, most_tokens: int) -> Guest:
    """A caller who has been let in. Raises `Refusal`, `OSError` or `TimeoutError`."""
    guest = GUESTS[voices.kind](voices, instructions, most_tokens)
    await connected(guest, server.port, server.key)
    await asyncio.wait_for(guest.ready, READY_S)
    return guest


class Microphones:
    """The clock of all callers of a room; whoever is put into `guests` speaks from then on."""

    def __init__(self) -> None:
        self.guests: list[Guest] = []
        self.late_s: list[float] = []

    async def run(self) -> None:
        """Until cancelled: 20 ms of each caller at a time, at real pace."""
        start = time.monotonic()
        for tick in itertools.count():
            due = start + tick * FRAME_S / SLOTS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late_s.append(time.monotonic() - due)
            for guest in self.guests[tick % SLOTS :: SLOTS]:
                guest.speak(due)


def prepare(voices: Voices, turns: Sequence[Turn]) -> None:
    """Have all of these ready for the wire."""
    for turn in turns:
        voices.clip(turn)
