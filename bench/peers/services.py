"""This project's default weights as pipecat services, shaped like pipecat's own local ones."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from pipecat.frames.frames import Frame, TranscriptionFrame
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601

from bench.peers.weights import STT_HZ, Moonshine, Piper


class MoonshineSTT(SegmentedSTTService):
    """Transcribes each segment that the VAD cuts, in a thread (as pipecat's Moonshine service)."""

    def __init__(self, model: Moonshine) -> None:
        settings = STTSettings(model="moonshine-tiny-en", language=Language.EN)
        super().__init__(sample_rate=STT_HZ, settings=settings)
        self.model = model

    @property
    def wants_wav_segments(self) -> bool:
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        text = await asyncio.to_thread(self.model.transcribe, audio)
        if text:
            yield TranscriptionFrame(text, self._user_id, time_now_iso8601(), Language.EN)


class PiperTTS(TTSService):
    """Speaks each aggregated sentence, in a thread (as pipecat's Piper service)."""

    def __init__(self, model: Piper) -> None:
        settings = TTSSettings(model="piper", voice="en_US-joe-medium", language=Language.EN)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=settings)
        self.model = model

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        async def spoken() -> AsyncIterator[bytes]:
            yield await asyncio.to_thread(self.model.synthesize, text)

        async for frame in self._stream_audio_frames_from_iterator(
            spoken(), in_sample_rate=self.model.rate_hz, context_id=context_id
        ):
            yield frame
