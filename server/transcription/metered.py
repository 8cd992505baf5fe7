"""Recordings that are transcribed for a key: counted as its, and told no in words."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import BinaryIO

from msgspec.structs import replace

from actors.stt_router import Recogniser, Stt
from engine.inference import BAD_PAYLOAD, InferenceError
from engine.meter import Meter, Watch
from server.access.caller import Caller
from server.access.denied import Denied, retry
from server.door import Quota
from server.metering.collector import Collector
from server.transcription.decoding import Decoding, Undecodable
from server.transcription.transcribing import Heard, Wanted, transcribe
from transports.websocket import Refused

RETRY_MODEL_S = 5


class Transcriptions:
    """What is asked of `stt` is counted by the `collector`, and by the `quota` it is let in."""

    def __init__(
        self, stt: Callable[[Watch, Recogniser], Stt], quota: Quota, collector: Collector
    ) -> None:
        self._stt = stt
        self._quota = quota
        self._collector = collector

    async def admit(self, caller: Caller) -> None:
        """Raises `Denied` unless the caller may use more."""
        try:
            await self._quota.check(caller)
        except Refused as no:
            raise retry(no.status, no.code, str(no), no.retry_after_s) from no

    async def heard(
        self, recording: BinaryIO, wanted: Wanted, caller: Caller
    ) -> AsyncGenerator[Heard, None]:
        """What is said in a file, window by window. Raises `Denied`."""
        meter = Meter()
        self._collector.began(f"transcription_{secrets.token_urlsafe(12)}", meter, caller)
        try:
            decoding = Decoding(recording)
            samples = decoding.samples()
            windows = transcribe(self._stt(meter.watch, wanted.by), samples, wanted)
            async with aclosing(samples), aclosing(windows):
                async for heard in windows:
                    meter.hear(heard.end_ms - heard.start_ms)
                    yield replace(heard, of_ms=round(1000 * decoding.promised_s))
        except Undecodable as error:
            raise Denied(400, "invalid_file", f"file: {error}") from error
        except InferenceError as error:
            if error.code == BAD_PAYLOAD:
                raise Denied(400, "invalid_value", str(error)) from error
            raise retry(503, error.code, str(error), RETRY_MODEL_S) from error
        finally:
            self._collector.ended(meter)
