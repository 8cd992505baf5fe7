"""pipecat's WebSocket transport, Silero and turn aggregator with scripted models.

`python -m bench.peers.scripted PORT`. As `bench.peers.agent`, but STT, LLM and TTS answer by
`bench.script`, and so does the smart-turn model, which in our server runs in another process: with
the real one in this process the peer would hold fewer sessions.
"""

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from numpy.typing import NDArray
from pipecat.audio.turn.smart_turn.base_smart_turn import BaseSmartTurn
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transcriptions.language import Language
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601

from bench import script
from bench.peers.agent import by_websocket, converse


class ScriptedSTT(SegmentedSTTService):
    def __init__(self) -> None:
        settings = STTSettings(model="script", language=Language.EN)
        super().__init__(sample_rate=16_000, settings=settings)

    @property
    def wants_wav_segments(self) -> bool:
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        await asyncio.sleep(script.STT_S)
        yield TranscriptionFrame(script.HEARD, self._user_id, time_now_iso8601(), Language.EN)


class ScriptedTurn(BaseSmartTurn):
    """The turn is always complete; the model's time is spent asleep in its thread."""

    def _predict_endpoint(self, audio_array: NDArray[np.float32]) -> dict[str, float]:
        time.sleep(script.TURN_S)
        return {"prediction": 1, "probability": 0.99}


class ScriptedLLM(LLMService):
    def __init__(self) -> None:
        nothing = dict.fromkeys(field.name for field in dataclasses.fields(LLMSettings))
        nothing.pop("extra")
        super().__init__(settings=LLMSettings(**{**nothing, "model": "script"}))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(script.FIRST_TOKEN_S)
        for token in script.tokens():
            await self.push_frame(LLMTextFrame(token))
            await asyncio.sleep(script.TOKEN_S)
        await self.push_frame(LLMFullResponseEndFrame())


class ScriptedTTS(TTSService):
    def __init__(self, pcm: bytes) -> None:
        settings = TTSSettings(model="script", voice="script", language=Language.EN)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=settings)
        self.pcm = pcm

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        async def spoken() -> AsyncIterator[bytes]:
            await asyncio.sleep(script.TTS_S)
            share = min(1.0, len(text) / len(script.REPLY))
            yield self.pcm[: 2 * int(share * len(self.pcm) / 2)]

        async for frame in self._stream_audio_frames_from_iterator(
            spoken(), in_sample_rate=script.REPLY_HZ, context_id=context_id
        ):
            yield frame


def build() -> FastAPI:
    app = FastAPI()
    pcm = script.reply_pcm()

    @app.get("/healthz")
    async def healthy() -> dict[str, bool]:
        return {"ready": True}

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=ScriptedTurn())
        strategies = UserTurnStrategies(stop=[stop])
        stt, llm, tts = ScriptedSTT(), ScriptedLLM(), ScriptedTTS(pcm)
        await converse(by_websocket(websocket), stt, llm, tts, strategies)

    return app


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    uvicorn.run(build(), port=int(sys.argv[1]), log_level="warning")
