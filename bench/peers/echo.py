"""A bare aiortc, in which each caller hears itself: `python -m bench.peers.echo PORT`.

What its documentation shows: the track that comes is added to what goes. On uvloop, as ours.
"""

import asyncio
import sys

import uvloop
from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription


def application() -> web.Application:
    connections: set[RTCPeerConnection] = set()

    async def offered(request: web.Request) -> web.Response:
        connection = RTCPeerConnection()
        connections.add(connection)

        @connection.on("connectionstatechange")
        async def changed() -> None:
            if connection.connectionState in ("failed", "closed"):
                await connection.close()
                connections.discard(connection)

        @connection.on("track")
        def came(track: MediaStreamTrack) -> None:
            connection.addTrack(track)

        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        return web.Response(text=answer, content_type="application/sdp")

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ready")

    async def ended(_app: web.Application) -> None:
        await asyncio.gather(*(connection.close() for connection in list(connections)))

    app = web.Application()
    app.router.add_post("/offer", offered)
    app.router.add_get("/healthz", healthy)
    app.on_shutdown.append(ended)
    return app


async def serve(port: int) -> None:
    runner = web.AppRunner(application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
