"""Speech through Opus, and what is left of it when packets are lost."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.webrtc.speech import FRAMES, correlation, packets, speech
from transports.webrtc.opus import SILENT_BYTES, Decoder, Encoder, OpusError


def test_speech_is_what_it_was_at_a_speech_bit_rate() -> None:
    encoded = packets()
    decoder = Decoder(16_000)
    heard = b"".join(decoder.decode(packet) for packet in encoded)
    assert correlation(heard, speech(16_000)) > 0.85
    seconds = len(encoded) / 50
    assert 20_000 < sum(map(len, encoded)) * 8 / seconds < 36_000


def test_a_lost_packet_is_recovered_from_the_next_better_than_it_is_made_up() -> None:
    encoded, whole = packets(loss=10), Decoder(16_000)
    wanted = [whole.decode(packet) for packet in encoded]
    made_up, recovered = [], []
    for lost in range(20, len(encoded) - 1, 7):
        if np.abs(np.frombuffer(wanted[lost], np.int16)).max() < 1000:
            continue
        one, other = Decoder(16_000), Decoder(16_000)
        for packet in encoded[lost - 5 : lost]:
            one.decode(packet)
            other.decode(packet)
        made_up.append(difference(one.conceal(320), wanted[lost]))
        recovered.append(difference(other.recover(encoded[lost + 1], 320), wanted[lost]))
    assert len(recovered) > 5
    assert np.median(recovered) < 0.7 * np.median(made_up)


def difference(one: bytes, other: bytes) -> float:
    """Of their spectra, whose phases may differ."""
    pair = [np.abs(np.fft.rfft(np.frombuffer(pcm, np.int16).astype(float))) for pcm in (one, other)]
    return float(np.linalg.norm(pair[0] - pair[1]) / np.linalg.norm(pair[1]))


def test_silence_takes_next_to_nothing() -> None:
    encoder = Encoder(24_000)
    sent = [encoder.encode(bytes(2 * encoder.frame_samples)) for _ in range(100)]
    assert sum(len(packet) > SILENT_BYTES for packet in sent[20:]) < 10


def test_what_is_no_frame_or_no_rate_is_told() -> None:
    with pytest.raises(ValueError, match="3 bytes: it takes 960"):
        Encoder(24_000).encode(b"abc")
    with pytest.raises(ValueError, match="takes no 22050 Hz"):
        Encoder(22_050)
    with pytest.raises(ValueError, match="gives no 22050 Hz"):
        Decoder(22_050)


@given(st.binary(max_size=1500))
def test_whatever_comes_is_audio_or_an_error(data: bytes) -> None:
    decoder = Decoder(16_000)
    for decode in (decoder.decode, lambda packet: decoder.recover(packet, 320)):
        with contextlib.suppress(OpusError):
            assert len(decode(data)) % 2 == 0


def test_the_clip_is_long_enough_for_these() -> None:
    assert FRAMES > 100
