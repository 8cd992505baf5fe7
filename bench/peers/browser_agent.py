"""The voice agent of `bench.peers.agent`, for browsers: pipecat's SmallWebRTC transport.

As its examples have it: the request handler's route, default parameters, and a task of the web
server's for each conversation. `python -m bench.peers.browser_agent --port 8200 --llm URL --key
KEY` (in .venv-peers); offers go to `/api/offer?instructions=...&tokens=...`.
"""

import argparse
import sys

import uvicorn
from fastapi import BackgroundTasks, FastAPI, Request
from loguru import logger
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.request_handler import (
    SmallWebRTCRequest,
    SmallWebRTCRequestHandler,
)
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from bench.peers.agent import converse, language_model, loaded
from bench.peers.services import MoonshineSTT, PiperTTS


def build(llm_url: str, llm_key: str) -> FastAPI:
    app = FastAPI()
    stt, tts = loaded()
    handler = SmallWebRTCRequestHandler()

    @app.get("/healthz")
    async def healthy() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/api/offer")
    async def offer(
        wanted: SmallWebRTCRequest, request: Request, tasks: BackgroundTasks
    ) -> dict[str, str] | None:
        llm = language_model(llm_url, llm_key, request.query_params)

        async def connected(connection: SmallWebRTCConnection) -> None:
            params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
            transport = SmallWebRTCTransport(connection, params)
            tasks.add_task(converse, transport, MoonshineSTT(stt), llm, PiperTTS(tts))

        return await handler.handle_web_request(wanted, connected)

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--llm", required=True, help="base URL of an OpenAI-compatible endpoint")
    parser.add_argument("--key", required=True, help="what that endpoint asks for")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="DEBUG" if args.verbose else "WARNING")
    uvicorn.run(build(args.llm, args.key), port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
