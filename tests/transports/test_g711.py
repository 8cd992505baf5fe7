from collections.abc import Callable

import numpy as np
import pytest

from transports import g711

Law = Callable[[bytes], bytes]

# G.711 (1988), tables 1a/1b and 2a/2b: decision values, here as 16-bit samples, and character
# signals with the inversions that go on the wire.
MU_LAW = [
    (0, 0xFF, 0),
    (8, 0xFE, 8),
    (-8, 0x7E, -8),
    (1_000, 0xCE, 988),
    (-1_000, 0x4E, -988),
    (32_124, 0x80, 32_124),
    (-32_124, 0x00, -32_124),
    (32_767, 0x80, 32_124),
    (-32_768, 0x00, -32_124),
]
A_LAW = [
    (0, 0xD5, 8),
    (-1, 0x55, -8),
    (16, 0xD4, 24),
    (1_000, 0xFA, 1_008),
    (-1_000, 0x7A, -1_008),
    (32_767, 0xAA, 32_256),
    (-32_768, 0x2A, -32_256),
]


@pytest.mark.parametrize(("sample", "code", "back"), MU_LAW)
def test_mu_law_has_the_codes_of_the_standard(sample: int, code: int, back: int) -> None:
    assert g711.pcm_to_mu_law(np.int16(sample).tobytes()) == bytes([code])
    assert g711.mu_law_to_pcm(bytes([code])) == np.int16(back).tobytes()


@pytest.mark.parametrize(("sample", "code", "back"), A_LAW)
def test_a_law_has_the_codes_of_the_standard(sample: int, code: int, back: int) -> None:
    assert g711.pcm_to_a_law(np.int16(sample).tobytes()) == bytes([code])
    assert g711.a_law_to_pcm(bytes([code])) == np.int16(back).tobytes()


def test_every_code_survives_a_round_trip() -> None:
    codes = bytes(range(256))
    assert g711.pcm_to_a_law(g711.a_law_to_pcm(codes)) == codes
    again = g711.pcm_to_mu_law(g711.mu_law_to_pcm(codes))
    assert again == codes.replace(b"\x7f", b"\xff")  # mu-law has two zeros; the positive is sent


@pytest.mark.parametrize(
    ("encode", "decode"),
    [(g711.pcm_to_mu_law, g711.mu_law_to_pcm), (g711.pcm_to_a_law, g711.a_law_to_pcm)],
)
def test_the_error_stays_within_half_a_step(encode: Law, decode: Law) -> None:
    samples = np.arange(-32_000, 32_000, dtype=np.int16)
    back = np.frombuffer(decode(encode(samples.tobytes())), np.int16).astype(int)
    error = np.abs(back - samples.astype(int))
    assert np.all(error <= np.maximum(16, np.abs(samples.astype(int)) / 16))
