"""A voice agent on pipecat as its documentation advises, with this project's models.

FastAPI WebSocket transport with the protobuf serializer, Silero VAD in the user aggregator, default
user turn strategies (which bring smart-turn v3), default task settings.
`python -m bench.peers.agent --port 8200 --llm URL --key KEY` (in .venv-peers); a client connects to
`/ws?instructions=...&tokens=...`, the most tokens of an answer.

pipecat's services own their models: its Moonshine, Whisper and Piper services load theirs as they
are made, which its examples do for each connection, and Silero and smart-turn likewise. With
`--models-each` it is so here; without it STT and TTS are loaded once, in the peer's favour. A
session is let in once its STT and TTS are loaded and have run: no turn has to wait for that.
"""

import argparse
import sys
from collections.abc import Mapping

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_transport import BaseTransport
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from bench.peers.services import MoonshineSTT, PiperTTS
from bench.peers.weights import Moonshine, Piper


def by_websocket(websocket: WebSocket) -> BaseTransport:
    """The transport of `bench.peerwire`."""
    params = FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, serializer=ProtobufFrameSerializer()
    )
    return FastAPIWebsocketTransport(websocket, params)


async def converse(
    transport: BaseTransport,
    stt: STTService,
    llm: LLMService,
    tts: TTSService,
    strategies: UserTurnStrategies | None = None,
) -> None:
    """One conversation, until the client leaves; `strategies` replaces the default ones."""
    params = LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=strategies
    )
    user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=params)
    worker = PipelineWorker(
        Pipeline(
            [
                transport.input(),
                stt,
                user,
                llm,
                tts,
                transport.output(),
                assistant,
            ]
        )
    )

    @transport.event_handler("on_client_disconnected")
    async def left(_transport: object, _client: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def loaded() -> tuple[Moonshine, Piper]:
    """The models, after a first run, which allocates: no caller should pay for it."""
    stt, tts = Moonshine(), Piper()
    stt.transcribe(bytes(32_000))
    tts.synthesize("Ready when you are.")
    return stt, tts


def language_model(url: str, key: str, query: Mapping[str, str]) -> OpenAILLMService:
    """The endpoint, asked as the client's `instructions` and `tokens` say."""
    settings = OpenAILLMService.Settings(
        model="qwen2.5-0.5b", system_instruction=query.get("instructions")
    )
    if most_tokens := int(query.get("tokens", "0")):
        settings.max_tokens = most_tokens
    return OpenAILLMService(api_key=key, base_url=url, settings=settings)


def build(llm_url: str, llm_key: str, *, models_each: bool = False) -> FastAPI:
    app = FastAPI()
    shared = None if models_each else loaded()

    @app.get("/healthz")
    async def healthy() -> dict[str, bool]:
        return {"ready": True}

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        stt, tts = shared or loaded()
        await websocket.accept()
        llm = language_model(llm_url, llm_key, websocket.query_params)
        await converse(by_websocket(websocket), MoonshineSTT(stt), llm, PiperTTS(tts))

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--llm", required=True, help="base URL of an OpenAI-compatible endpoint")
    parser.add_argument("--key", required=True, help="what that endpoint asks for")
    parser.add_argument("--models-each", action="store_true", help="each session loads its own")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="DEBUG" if args.verbose else "WARNING")
    app = build(args.llm, args.key, models_each=args.models_each)
    uvicorn.run(app, port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
