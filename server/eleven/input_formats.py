"""The formats in which ElevenLabs' clients send what they hear, on its way to 16 kHz."""

from typing import Literal

import numpy as np
import soxr

from engine.frames import CALLER_HZ
from transports.audio import AudioError
from transports.g711 import mu_law_to_pcm

Name = Literal[
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_44100",
    "pcm_48000",
    "ulaw_8000",
]

USUAL: Name = "pcm_16000"


def rate_of(name: Name) -> int:
    """Samples a second."""
    return int(name.split("_")[1])


class Incoming:
    """A stream of it, as mono 16-bit PCM at `CALLER_HZ`."""

    def __init__(self, name: Name) -> None:
        self.rate_hz = rate_of(name)
        self._is_law = name.startswith("ulaw")
        self._resampler = self._made()

    def check(self, data: bytes) -> None:
        """Raises `AudioError` if `data` ends within a sample."""
        if not self._is_law and len(data) % 2:
            text = f"audio has {len(data)} bytes: 16-bit samples need an even number of them"
            raise AudioError(text)

    def feed(self, data: bytes) -> bytes:
        """What can be heard of whole samples now; the resampler holds some ms back."""
        return self._resampled(mu_law_to_pcm(data) if self._is_law else data, last=False)

    def rest(self) -> bytes:
        """What was held back. Another stream begins."""
        rest = self._resampled(b"", last=True)
        self._resampler = self._made()
        return rest

    def _made(self) -> soxr.ResampleStream | None:
        if self.rate_hz == CALLER_HZ:
            return None
        return soxr.ResampleStream(self.rate_hz, CALLER_HZ, 1, dtype="int16")

    def _resampled(self, pcm: bytes, *, last: bool) -> bytes:
        if self._resampler is None:
            return pcm
        samples = self._resampler.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
        return bytes(samples.tobytes())
