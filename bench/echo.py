"""Our WebRTC transport without an engine: each caller hears itself.

`python -m bench.echo PORT [--parts]`. Speech takes the way that it takes in a gateway: it is
decrypted, put in order, decoded to the 16 kHz that a session hears, and what the "agent" then says
at 24 kHz is encoded and encrypted. `POST /offer` takes SDP; `GET /parts` says how many CPU seconds
each part has taken since the last time, which `--parts` has it count: counting costs some itself.
"""

import argparse
import asyncio
import contextlib
import time

import numpy as np
import pylibsrtp
import soxr
import uvloop
from aiohttp import web

from bench.parts import Parts
from engine.frames import CALLER_HZ
from transports.webrtc import sdp, stack
from transports.webrtc.agent_track import RATE_HZ, AgentTrack
from transports.webrtc.caller_track import CallerTrack
from transports.webrtc.dtls import Dtls
from transports.webrtc.ice import Connection, Datagrams, Reach
from transports.webrtc.opus import Decoder, Encoder
from transports.webrtc.peer import Peer
from transports.webrtc.reports import Reports


class Echo:
    """A caller, and the session's stand-in."""

    def __init__(self, offer: sdp.Offer, certificate: "stack.rtcdtlstransport.RTCCertificate"):
        self.peer = Peer(offer, Reach(), certificate, self.hear)
        self.resampler = soxr.ResampleStream(CALLER_HZ, RATE_HZ, 1, dtype="int16", quality="LQ")

    def hear(self, pcm: bytes) -> None:
        """Say it again, at the rate at which agents speak."""
        self.peer.say(self.louder(pcm))

    def louder(self, pcm: bytes) -> bytes:
        return bytes(self.resampler.resample_chunk(np.frombuffer(pcm, np.int16)))

    async def run(self) -> None:
        """Until the caller leaves."""
        try:
            await self.peer.connect()
            while (await self.peer.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            await self.peer.close()


def counted(parts: Parts) -> None:
    """Have the parts of the transport counted."""
    parts.time("sockets, ICE", Datagrams, "datagram_received")
    parts.time("sockets, ICE", Connection, "send_now")
    parts.time("SRTP", pylibsrtp.Session, "protect", "unprotect", "protect_rtcp", "unprotect_rtcp")
    parts.time("RTP", Dtls, "take", "send_packet", "send_report")
    parts.time("jitter buffer", CallerTrack, "receive", "_give_up", "_watch")
    parts.time("agent's track", AgentTrack, "say", "_fall_silent")
    parts.time("Opus decoder", Decoder, "_decoded")
    parts.time("Opus encoder", Encoder, "encode")
    parts.time("reports", Reports, "note", "receive", "_tell")
    parts.time("stand-in's resampler", Echo, "louder")


def application(parts: Parts) -> web.Application:
    certificate = stack.rtcdtlstransport.RTCCertificate.generateCertificate()
    running: set[asyncio.Task[None]] = set()

    async def offered(request: web.Request) -> web.Response:
        echo = Echo(sdp.read(await request.text()), certificate)
        answer = await echo.peer.answer()
        task = asyncio.create_task(echo.run())
        running.add(task)
        task.add_done_callback(running.discard)
        return web.Response(text=answer, content_type="application/sdp")

    async def spent(_request: web.Request) -> web.Response:
        told = {"all": time.process_time(), **parts.spent_s}
        return web.json_response(told)

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ready")

    async def ended(_app: web.Application) -> None:
        for task in list(running):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    app = web.Application()
    app.router.add_post("/offer", offered)
    app.router.add_get("/parts", spent)
    app.router.add_get("/healthz", healthy)
    app.on_shutdown.append(ended)
    return app


async def serve(port: int, parts: Parts) -> None:
    runner = web.AppRunner(application(parts))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--parts", action="store_true", help="count what each costs")
    args = parser.parse_args()
    parts = Parts()
    if args.parts:
        counted(parts)
    uvloop.run(serve(args.port, parts))


if __name__ == "__main__":
    main()
