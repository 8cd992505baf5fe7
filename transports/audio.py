"""The audio formats that clients speak, and the way from and to the session's 16-bit PCM."""

import enum
from collections.abc import Callable

import numpy as np
import soxr

from engine.frames import CALLER_HZ
from transports import g711
from transports.resample import Resampler


class Format(enum.Enum):
    """A client's audio format, by its MIME type in the realtime protocol."""

    PCM = "audio/pcm"
    MU_LAW = "audio/pcmu"
    A_LAW = "audio/pcma"

    @property
    def rate_hz(self) -> int:
        return 24_000 if self is Format.PCM else g711.RATE_HZ


class AudioError(ValueError):
    """Bytes that are no audio of the format that they were sent as."""


_DECODE: dict[Format, Callable[[bytes], bytes]] = {
    Format.MU_LAW: g711.mu_law_to_pcm,
    Format.A_LAW: g711.a_law_to_pcm,
}
_ENCODE: dict[Format, Callable[[bytes], bytes]] = {
    Format.MU_LAW: g711.pcm_to_mu_law,
    Format.A_LAW: g711.pcm_to_a_law,
}


class CallerAudio:
    """A client's audio stream as the session hears it: mono 16-bit PCM at `CALLER_HZ`."""

    def __init__(self, form: Format) -> None:
        self.format = form
        self._decode = _DECODE.get(form)
        self._resampler = Resampler(down=2 * form.rate_hz // CALLER_HZ)

    def check(self, data: bytes) -> None:
        """Raises `AudioError` if `data` ends within a sample."""
        if self._decode is None and len(data) % 2:
            raise AudioError(
                f"audio has {len(data)} bytes: 16-bit samples need an even number of them"
            )

    def feed(self, data: bytes) -> bytes:
        """PCM for `data`, which passed `check`."""
        return self._resampler.feed(data if self._decode is None else self._decode(data))


class Converted:
    """Speech that was made at another rate than its format's, as the client's bytes.

    The resampler holds some of it back, a few ms and more: `rest` gives what is left at the end.
    """

    def __init__(self, rate_hz: int, form: Format) -> None:
        self._form = form
        self._resampler = soxr.ResampleStream(rate_hz, form.rate_hz, 1, dtype="int16")

    def feed(self, pcm: bytes) -> bytes:
        """What can be given for mono 16-bit PCM; it may be nothing yet."""
        return self._resampled(pcm, last=False)

    def rest(self) -> bytes:
        """What is left. Nothing may be fed any more."""
        return self._resampled(b"", last=True)

    def _resampled(self, pcm: bytes, *, last: bool) -> bytes:
        samples = self._resampler.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
        return encode(samples.tobytes(), self._form)


def encode(pcm: bytes, form: Format) -> bytes:
    """Mono 16-bit PCM at the format's rate as the client's bytes."""
    law = _ENCODE.get(form)
    return pcm if law is None else law(pcm)
