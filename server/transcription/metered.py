"""Recordings that are transcribed for a key: counted as its, and told no in words."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from msgspec.structs import replace

from actors.stt_router import Recogniser, Stt
from engine.inference import InferenceError
from engine.meter import Meter, Watch
from server.access.caller import Caller
from server.access.denied import Denied
from server.door import Quota, admit
from server.metering.collector import Collector
from server.model_errors import denied
from server.transcription.decoding import Undecodable
from server.transcription.sources import Source
from server.transcription.transcribing import Heard, Wanted, transcribe


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
        await admit(self._quota, caller)

    def began(self, caller: Caller) -> Meter:
        """From here on what is heard is the caller's; `ended` when nothing more is."""
        meter = Meter()
        self._collector.began(f"transcription_{secrets.token_urlsafe(12)}", meter, caller)
        return meter

    def ended(self, meter: Meter) -> None:
        self._collector.ended(meter)

    async def heard(
        self, recording: Source, wanted: Wanted, caller: Caller
    ) -> AsyncGenerator[Heard, None]:
        """What is said in a recording, window by window. Raises `Denied`."""
        meter = self.began(caller)
        try:
            samples = recording.samples()
            windows = transcribe(self._stt(meter.watch, wanted.by), samples, wanted)
            async with aclosing(samples), aclosing(windows):
                async for heard in windows:
                    meter.hear(heard.end_ms - heard.start_ms)
                    yield replace(heard, of_ms=round(1000 * recording.promised_s))
        except Undecodable as error:
            raise Denied(400, "invalid_file", f"file: {error}") from error
        except InferenceError as error:
            raise denied(error) from error
        finally:
            self.ended(meter)
