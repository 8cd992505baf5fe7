"""Many callers over real WebSockets, as cheap as they can be made.

`python -m bench.load ours|peer PORT SESSIONS SECONDS`. Each caller says a labelled question every
10 s and faint noise between, 20 ms a message at real pace; all messages are made beforehand. Prints
`connected` once all callers are, and one JSON line at the end.

How late: a server sends agent audio in frames of even length at an even pace, and a frame of an
answer is late by how much longer than that it comes after the one before. A caller whose question
is not answered within 3 s has lost its answer.
"""

import asyncio
import base64
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Literal, cast

import numpy as np
import uvloop

from bench.peerwire import AUDIO, audio_message
from bench.sound import QUIET_DBFS, load, load_turns, noise, to_pcm

FRAME_S = 0.02
SLOTS = 4
CYCLE_S = 10.0
CYCLE_FRAMES = int(CYCLE_S / FRAME_S)
CLIPS = 8
LONGEST_CLIP_MS = 3500  # leaves time for the answer of 3 s before the next question
ANSWER_S = 3.0
SETTLE_S = 5.0
CONNECT_S = 30.0
JOIN_EVERY_S = 0.1  # the peer blocks its loop for 66 ms as a call begins (measured.md)

TEXT, BINARY, PING, PONG = 0x1, 0x2, 0x9, 0xA
RATE_HZ = {"ours": 24_000, "peer": 16_000}
PATH = {"ours": "/v1/realtime?model=gpt-realtime", "peer": "/ws?instructions=Be+brief."}
PACE_S = 0.04  # both send frames of 40 ms in real time

OURS_AUDIO = b"response.output_audio.delta"
PEER_AUDIO = AUDIO << 3 | 2  # the first byte of a frame that holds audio

Kind = Literal["ours", "peer"]


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A WebSocket frame from a client (RFC 6455, 5.2); its mask of zeros costs nothing."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def encode(kind: Kind, pcm: bytes) -> bytes:
    """20 ms of the caller's audio as the server's protocol wants it, ready for the wire."""
    if kind == "peer":
        return client_frame(BINARY, audio_message(pcm, RATE_HZ[kind]))
    audio = base64.b64encode(pcm).decode()
    event = f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'
    return client_frame(TEXT, event.encode())


def cycles(kind: Kind) -> list[tuple[list[bytes], float]]:
    """What callers send in 10 s: the messages, and when in it the question's last sound ends."""
    rate = RATE_HZ[kind]
    rng = np.random.default_rng(0)
    turns = [
        turn
        for turn in load_turns()
        if turn.kind == "question" and turn.duration_ms < LONGEST_CLIP_MS
    ]
    made = []
    for turn in turns[:CLIPS]:
        sound = noise(int(rate * CYCLE_S), QUIET_DBFS, rng)
        clip = load(turn, rate)
        sound[: len(clip)] += clip
        pcm = to_pcm(sound)
        step = len(pcm) // CYCLE_FRAMES
        messages = [encode(kind, pcm[at : at + step]) for at in range(0, len(pcm), step)]
        made.append((messages, turn.last_voiced_ms / 1000))
    return made


class Counts:
    """What all callers saw while it counted."""

    def __init__(self) -> None:
        self.counting = False
        self.late_s: list[float] = []
        self.own_late_s: list[float] = []
        self.asked = 0
        self.answered = 0
        self.closed = 0


class Caller(asyncio.Protocol):
    """One WebSocket, spoken without a library."""

    def __init__(self, kind: Kind, messages: Sequence[bytes], ends_s: float, counts: Counts):
        self.kind = kind
        self.messages = messages
        self.ends_s = ends_s
        self.counts = counts
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.asked_at: float | None = None
        self.expects = True  # is the next frame of the agent's audio the first of an answer?
        self.open = False
        self._buffer = b""
        self._last_audio = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {PATH[self.kind]} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self.counts.closed += self.counts.counting
        if not self.joined.done():
            self.joined.set_exception(ConnectionError(f"connection refused: {exc}"))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        buffer = self._buffer + data if self._buffer else data
        if not self.open:
            buffer = self._upgraded(buffer)
        at = 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            if len(buffer) - at < head + size:
                break
            self._message(buffer[at] & 0x0F, buffer, at + head, size, now)
            at += head + size
        self._buffer = buffer[at:]

    def speak(self, frame: int) -> None:
        """Send one message; `frame` counts within the cycle."""
        if self.open and self.transport is not None:
            self.transport.write(self.messages[frame])

    def _upgraded(self, buffer: bytes) -> bytes:
        head, end, rest = buffer.partition(b"\r\n\r\n")
        if not end:
            return buffer
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.joined.set_exception(ConnectionError(head.split(b"\r\n", 1)[0].decode()))
            return b""
        self.open = True
        if self.kind == "ours" and self.transport is not None:
            turns = {"input": {"turn_detection": {"type": "semantic_vad"}}}
            session = {"type": "realtime", "instructions": "Be brief.", "audio": turns}
            event = json.dumps({"type": "session.update", "session": session})
            self.transport.write(client_frame(TEXT, event.encode()))
        self.joined.set_result(None)
        return rest

    def _message(self, opcode: int, buffer: bytes, at: int, size: int, now: float) -> None:
        if opcode == PING and self.transport is not None:
            self.transport.write(client_frame(PONG, buffer[at : at + size]))
        elif opcode == TEXT:
            if buffer.find(OURS_AUDIO, at, at + 128) > 0:
                self._audio(now)
        elif opcode == BINARY and buffer[at] == PEER_AUDIO:
            self._audio(now)

    def _audio(self, now: float) -> None:
        since, self._last_audio = now - self._last_audio, now
        counts = self.counts
        if not self.expects:
            if counts.counting:
                counts.late_s.append(max(0.0, since - PACE_S))
            return
        self.expects = False
        if self.asked_at is not None:
            counts.answered += now - self.asked_at < ANSWER_S
            self.asked_at = None


async def join(kind: Kind, port: int, sessions: int, counts: Counts) -> list[Caller]:
    """Connect all callers, a few at a time."""
    loop = asyncio.get_running_loop()
    made = cycles(kind)
    callers = []
    for number in range(sessions):
        messages, ends_s = made[number % len(made)]
        caller = Caller(kind, messages, ends_s, counts)
        await loop.create_connection(partial(_same, caller), "127.0.0.1", port)
        await asyncio.wait_for(caller.joined, CONNECT_S)
        callers.append(caller)
        await asyncio.sleep(JOIN_EVERY_S)
    return callers


def _same(caller: Caller) -> Caller:
    return caller


async def talk(callers: Sequence[Caller], counts: Counts, seconds: float) -> None:
    """Speak for so long after the settling time; each caller's cycle begins at its own moment."""
    draw = random.Random(0)
    offsets = [draw.randrange(CYCLE_FRAMES) for _ in callers]
    start = time.monotonic() + 0.1
    for tick in range(int((SETTLE_S + seconds) * SLOTS / FRAME_S)):
        due = start + tick * FRAME_S / SLOTS
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        counts.counting = due - start > SETTLE_S
        if counts.counting:
            counts.own_late_s.append(time.monotonic() - due)
        step, slot = divmod(tick, SLOTS)
        for number in range(slot, len(callers), SLOTS):
            caller = callers[number]
            frame = (step + offsets[number]) % CYCLE_FRAMES
            caller.speak(frame)
            if frame == int(caller.ends_s / FRAME_S):
                # Not counted near the end: the answer could not come in time.
                sure = counts.counting and due - start < SETTLE_S + seconds - ANSWER_S
                caller.asked_at = due if sure and step > frame else None
                caller.expects = True
                counts.asked += caller.asked_at is not None


async def run(kind: Kind, port: int, sessions: int, seconds: float) -> None:
    counts = Counts()
    callers = await join(kind, port, sessions, counts)
    print("connected", flush=True)
    await talk(callers, counts, seconds)
    told = {
        "sessions": sessions,
        "late_p99_ms": percentile_ms(counts.late_s),
        "frames": len(counts.late_s),
        "asked": counts.asked,
        "lost": counts.asked - counts.answered,
        "closed": counts.closed,
        "own_late_p99_ms": percentile_ms(counts.own_late_s),
    }
    print(json.dumps(told), flush=True)
    for caller in callers:
        if caller.transport is not None:
            caller.transport.write(client_frame(0x8, (1000).to_bytes(2, "big")))


def percentile_ms(seconds: Sequence[float]) -> float | None:
    """The 99th percentile in ms; None of nothing."""
    return float(np.percentile(seconds, 99)) * 1000 if seconds else None


if __name__ == "__main__":
    side, port, sessions, seconds = sys.argv[1:]
    if side not in ("ours", "peer"):
        sys.exit(f"{side!r} is neither ours nor peer")
    uvloop.run(run("ours" if side == "ours" else "peer", int(port), int(sessions), float(seconds)))
