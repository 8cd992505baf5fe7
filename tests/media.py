"""Recordings in the formats that people send, made by FFmpeg's libraries."""

import io
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "wav": ("wav", "pcm_s16le", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "ogg": ("ogg", "libopus", {}),
    "flac": ("flac", "flac", {}),
    "m4a": ("ipod", "aac", {}),
    "mp4": ("mp4", "aac", {}),
    "webm": ("webm", "libopus", {}),
    "amr": ("amr", "libopencore_amrnb", {}),
    "aiff": ("aiff", "pcm_s16be", {}),
    "au": ("au", "pcm_mulaw", {}),
}
"""File endings, with what is in such a file."""

RATES_HZ = {"ogg": 48_000, "webm": 48_000, "amr": 8_000}


def recording(kind: str, samples: NDArray[np.int16], rate_hz: int = 16_000) -> bytes:
    """Mono speech as a file of this kind."""
    container, codec, options = KINDS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        to_hz = RATES_HZ.get(kind, rate_hz)
        stream: Any = output.add_stream(codec, rate=to_hz, options=options)
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", to_hz, stream.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate = rate_hz
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()
