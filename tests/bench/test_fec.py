"""Copies of the frame before, in packets."""

import numpy as np

from bench.fec import FRAME_BYTES, copies, encoded
from bench.sound import load, load_turns, to_pcm
from transports.webrtc.agent_track import RATE_HZ
from transports.webrtc.opus import Decoder, Encoder


def frames() -> list[bytes]:
    pcm = to_pcm(load(load_turns()[0], RATE_HZ))
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def test_a_packet_that_says_so_holds_the_frame_before() -> None:
    said = frames()
    encoder = Encoder(RATE_HZ)
    encoder.expect_loss(10)
    packets = [encoder.encode(frame) for frame in said]
    at = next(n for n in range(40, len(packets)) if copies(packets[n]))
    samples = len(said[0]) // 2

    def decoded(*, recovered: bool) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        decoder = Decoder(RATE_HZ)
        for packet in packets[: at - 1]:
            decoder.decode(packet)
        lost = decoder.recover(packets[at], samples) if recovered else decoder.conceal(samples)
        return np.frombuffer(lost, np.int16).astype(np.float64)

    whole = Decoder(RATE_HZ)
    true = [np.frombuffer(whole.decode(p), np.int16).astype(np.float64) for p in packets[:at]][-1]
    assert np.corrcoef(decoded(recovered=True), true)[0, 1] > 0.9
    assert (
        np.abs(decoded(recovered=True) - true).sum() < np.abs(decoded(recovered=False) - true).sum()
    )


def test_silence_and_celt_hold_none() -> None:
    assert not copies(b"\x48")
    assert not copies(bytes([31 << 3, 0xFF, 0xFF, 0xFF]))


def test_where_there_are_too_few_bits_there_are_no_copies() -> None:
    assert encoded(frames(), 16_000).copied == 0
    assert encoded(frames(), 32_000).copied > 0.9
