"""G.711: speech in eight bits a sample at 8 kHz, mu-law and A-law (ITU-T G.711, 1988).

Both laws are tables here, built once: 256 entries to decode, 65,536 (one per 16-bit sample) to
encode, so that 20 ms of audio cost about a microsecond.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

RATE_HZ = 8_000

Bytes8 = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]

MU_BIAS = 33  # G.711 table 2: segment ends lie at 2**k - 33 in 14-bit samples


def _mu_decoder() -> Samples:
    """Table 2 of G.711: a sign bit, three of segment, four of step, all sent inverted."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    level = (((2 * step + MU_BIAS) << segment) - MU_BIAS) * 4
    return np.where(code & 0x80, -level, level).astype(np.int16)


def _a_decoder() -> Samples:
    """Table 1 of G.711: as above, with even bits inverted and the sign bit set for positive."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    level = np.where(
        segment == 0,
        2 * step + 1,
        (2 * step + MU_BIAS) << np.maximum(segment - 1, 0),
    )
    return np.where(code & 0x80, level * 8, -level * 8).astype(np.int16)


def _mu_encoder() -> Bytes8:
    sample = np.arange(-32_768, 32_768, dtype=np.int32)
    magnitude = np.minimum(_ones_complement(sample) >> 2, 8_158) + MU_BIAS
    segment = _highest_bit(magnitude) - 5
    step = (magnitude >> (segment + 1)) & 15
    code = np.where(sample < 0, 0x80, 0) | (segment << 4) | step
    return _by_unsigned_sample(~code.astype(np.uint8))


def _a_encoder() -> Bytes8:
    sample = np.arange(-32_768, 32_768, dtype=np.int32)
    magnitude = _ones_complement(sample) >> 4  # 11 bits and a sign
    segment = np.maximum(_highest_bit(np.maximum(magnitude, 1)) - 3, 0)
    step = np.where(segment == 0, magnitude, magnitude >> np.maximum(segment - 1, 0)) & 15
    code = np.where(sample < 0, 0, 0x80) | (segment << 4) | step
    return _by_unsigned_sample(code.astype(np.uint8) ^ 0x55)


def _ones_complement(sample: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The magnitude as the ITU's reference programs (G.191) take it: -1 and 0 are alike."""
    return np.where(sample < 0, ~sample, sample)


def _highest_bit(values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.log2(values).astype(np.int32)


def _by_unsigned_sample(codes: npt.NDArray[Any]) -> Bytes8:
    """Reorder from samples -32,768..32,767 to their bit patterns 0..65,535."""
    return np.roll(codes.astype(np.uint8), 32_768)


MU_DECODE, MU_ENCODE = _mu_decoder(), _mu_encoder()
A_DECODE, A_ENCODE = _a_decoder(), _a_encoder()


def mu_law_to_pcm(data: bytes) -> bytes:
    """Mono 16-bit PCM, two bytes for each one of `data`."""
    return MU_DECODE[np.frombuffer(data, np.uint8)].tobytes()


def a_law_to_pcm(data: bytes) -> bytes:
    """Mono 16-bit PCM, two bytes for each one of `data`."""
    return A_DECODE[np.frombuffer(data, np.uint8)].tobytes()


def pcm_to_mu_law(pcm: bytes) -> bytes:
    """One byte for each 16-bit sample of `pcm`, whose length must be even."""
    return MU_ENCODE[np.frombuffer(pcm, np.uint16)].tobytes()


def pcm_to_a_law(pcm: bytes) -> bytes:
    """One byte for each 16-bit sample of `pcm`, whose length must be even."""
    return A_ENCODE[np.frombuffer(pcm, np.uint16)].tobytes()
