"""A clip of speech, at a rate and as Opus."""

from functools import cache

import numpy as np

from tests.peers.sound import clip
from transports.webrtc.opus import FRAME_MS, Encoder

TEXT = "What is the largest ocean on earth?"


@cache
def speech(rate_hz: int) -> bytes:
    """In whole frames."""
    pcm = clip(TEXT, rate_hz)
    frame_bytes = 2 * rate_hz * FRAME_MS // 1000
    return pcm[: len(pcm) // frame_bytes * frame_bytes]


FRAMES = len(speech(24_000)) // 960


def packets(loss: int = 0) -> list[bytes]:
    """As Opus; the encoder expects so many percent of it to be lost."""
    encoder = Encoder(24_000)
    encoder.expect_loss(loss)
    pcm, size = speech(24_000), 2 * encoder.frame_samples
    return [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm), size)]


def correlation(heard: bytes, said: bytes) -> float:
    """How alike two sounds are at the best of their offsets, 0 to 1."""
    one, other = (np.frombuffer(pcm, np.int16).astype(np.float64) for pcm in (heard, said))
    size = 1 << (len(one) + len(other)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    return float(cross.max() / (np.linalg.norm(one) * np.linalg.norm(other) or 1))
