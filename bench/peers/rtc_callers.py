"""Callers over WebRTC, by aiortc: `python -m bench.peers.rtc_callers URL NUMBER PAUSE_S [KEY]`.

Each offers itself to URL, and says labelled turns one after the other, with a pause behind each,
as a browser would send them: Opus at 32 kbit/s, mono, with FEC, encoded beforehand. What comes is
decoded and thrown away. `connected` is printed once all are; when standard input ends, so do they,
and how many packets have come to each meanwhile, on average a second, is printed.
"""

import asyncio
import sys
import time
from fractions import Fraction

import aiohttp
import numpy as np
import uvloop
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from av import AudioFrame, CodecContext, Packet

from bench.sound import Sound, load, load_turns, to_pcm

RATE_HZ = 48_000
FRAME_S = 0.02
FRAME = round(RATE_HZ * FRAME_S)
TURNS = 12


class Speech(MediaStreamTrack):
    """Packets at their pace, again and again, from somewhere among them."""

    kind = "audio"

    def __init__(self, packets: list[bytes], begin: int) -> None:
        super().__init__()
        self.packets = packets
        self.begin = begin
        self.sent = 0
        self.started_at = time.monotonic()

    async def recv(self) -> Packet:
        due = self.started_at + self.sent * FRAME_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        packet = Packet(self.packets[(self.begin + self.sent) % len(self.packets)])
        packet.pts, packet.time_base = self.sent * FRAME, Fraction(1, RATE_HZ)
        self.sent += 1
        return packet


def spoken(pause_s: float) -> Sound:
    """The turns from their first to their last voiced sample, with the pauses."""
    pause = np.zeros(round(pause_s * RATE_HZ), np.float32)
    parts = []
    for turn in [turn for turn in load_turns() if turn.kind == "question"][:TURNS]:
        first, last = (
            round(ms * RATE_HZ / 1000) for ms in (turn.first_voiced_ms, turn.last_voiced_ms)
        )
        parts += [load(turn, RATE_HZ)[first:last], pause]
    return np.concatenate(parts)


def encoded(sound: Sound) -> list[bytes]:
    """As a browser encodes speech for us."""
    encoder = CodecContext.create("libopus", "w")
    encoder.bit_rate, encoder.sample_rate = 32_000, RATE_HZ
    encoder.format, encoder.layout = "s16", "mono"
    encoder.options = {"application": "voip", "fec": "1", "packet_loss": "5"}
    pcm = np.frombuffer(to_pcm(sound), np.int16)
    packets = []
    for at in range(0, len(pcm) - FRAME + 1, FRAME):
        frame = AudioFrame.from_ndarray(pcm[None, at : at + FRAME], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


async def joined(
    http: aiohttp.ClientSession, url: str, key: str, track: Speech
) -> RTCPeerConnection:
    """A caller that is connected."""
    connection = RTCPeerConnection()
    connection.addTrack(track)
    connection.createDataChannel("oai-events")
    ears = MediaBlackhole()
    connected = asyncio.Event()

    @connection.on("track")
    async def came(agent: MediaStreamTrack) -> None:
        ears.addTrack(agent)
        await ears.start()

    @connection.on("connectionstatechange")
    def changed() -> None:
        if connection.connectionState == "connected":
            connected.set()

    await connection.setLocalDescription(await connection.createOffer())
    headers = {"content-type": "application/sdp", "authorization": f"Bearer {key}"}
    offer = connection.localDescription.sdp
    async with http.post(url, data=offer, headers=headers) as answer:
        text = await answer.text()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{url} answered {answer.status}: {text}")
    await connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
    async with asyncio.timeout(15):
        await connected.wait()
    return connection


async def packets_come(connections: list[RTCPeerConnection]) -> int:
    """So many packets of speech have come to all of them."""
    came = 0
    for connection in connections:
        for stats in (await connection.getStats()).values():
            if stats.type == "inbound-rtp":
                came += stats.packetsReceived
    return came


async def main(url: str, number: int, pause_s: float, key: str) -> None:
    packets = encoded(spoken(pause_s))
    connections = []
    async with aiohttp.ClientSession() as http:
        for caller in range(number):
            track = Speech(packets, caller * len(packets) // number)
            connections.append(await joined(http, url, key, track))
    print("connected", flush=True)
    began, before = time.monotonic(), await packets_come(connections)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    came = await packets_come(connections) - before
    print(came / number / (time.monotonic() - began), flush=True)
    await asyncio.gather(*(connection.close() for connection in connections))


if __name__ == "__main__":
    url, number, pause_s, *key = sys.argv[1:]
    uvloop.run(main(url, int(number), float(pause_s), key[0] if key else ""))
