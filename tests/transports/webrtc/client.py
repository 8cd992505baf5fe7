"""A client on aiortc, whole and unmodified: another stack than a browser's, and than our media."""

import asyncio
import fractions
import json
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

RATE_HZ, FRAME = 48_000, 960
PATIENCE_S = 20


class Microphone(MediaStreamTrack):
    """Plays mono 16-bit PCM at 48 kHz in real time, and then nothing."""

    kind = "audio"

    def __init__(self, pcm: bytes) -> None:
        super().__init__()
        self._pcm = pcm
        self._at = 0
        self._began = 0.0

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(self._began + self._at / RATE_HZ - loop.time())
        piece = self._pcm[2 * self._at : 2 * (self._at + FRAME)].ljust(2 * FRAME, b"\0")
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(piece)
        frame.pts, frame.sample_rate = self._at, RATE_HZ
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._at += FRAME
        return frame


class Client:
    """Makes an offer, and keeps what it hears and is told."""

    def __init__(self, pcm: bytes = b"", events: bool = True) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.events: list[dict[str, Any]] = []
        self.heard = bytearray()
        self.ended = asyncio.Event()
        self._news = asyncio.Event()
        self.channel = self.connection.createDataChannel("oai-events") if events else None
        if self.channel is not None:
            self.channel.on("message", self._told)
            self.channel.on("close", self.ended.set)
        self.connection.addTrack(Microphone(pcm))
        self.connection.on("track", self._tracked)
        self._listening: asyncio.Task[None] | None = None

    async def offer(self) -> str:
        """As SDP, with all candidates."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def take(self, answer: str) -> None:
        """The server's answer; it connects then."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def ask(self, **event: Any) -> None:
        assert self.channel is not None
        self.channel.send(json.dumps(event))

    async def told(self, kind: str) -> dict[str, Any]:
        """The first event of this type, once it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := [event for event in self.events if event["type"] == kind]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    def loudness(self) -> float:
        """The peak of what was heard."""
        return float(np.abs(np.frombuffer(bytes(self.heard), np.int16).astype(int)).max(initial=0))

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        await self.connection.close()

    async def vanish(self) -> None:
        """Be gone without a word, as when a machine is switched off."""
        if self._listening is not None:
            self._listening.cancel()
        assert self.connection.sctp is not None
        ice = self.connection.sctp.transport.transport
        for protocol in ice._connection._protocols:
            protocol.transport.abort()

    def _told(self, message: str) -> None:
        self.events.append(json.loads(message))
        self._news.set()

    def _tracked(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            stereo = frame.to_ndarray().reshape(-1, 2)
            self.heard += stereo[:, 0].astype(np.int16).tobytes()
