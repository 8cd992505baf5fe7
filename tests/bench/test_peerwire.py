"""pipecat's protobuf frames, by hand."""

import pytest

from bench.peerwire import AUDIO, INTERRUPTION, audio_message, fields, read, read_varint, varint


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 16_000, 2**32])
def test_varints_come_back(value: int) -> None:
    assert read_varint(varint(value), 0) == (value, len(varint(value)))


def test_audio_comes_back() -> None:
    assert read(audio_message(b"\x01\x02" * 320, 16_000)) == (AUDIO, b"\x01\x02" * 320)


def test_audio_is_what_pipecat_writes() -> None:
    # Serialised by pipecat-ai 1.14: id 7, name "n", 2 bytes of audio, 24 kHz, mono.
    written = bytes.fromhex("120f080712016e1a02010220c0bb012801")

    assert read(written) == (AUDIO, b"\x01\x02")


def test_an_interruption_is_told_apart() -> None:
    assert read(bytes.fromhex("2a020801")) == (INTERRUPTION, b"")


def test_a_frame_that_is_none_is_said_to_be_none() -> None:
    assert read(b"") == (0, b"")
    with pytest.raises(ValueError, match="wire type 5"):
        list(fields(b"\x0d\x00\x00\x00\x00"))
