"""The messages of pipecat's protobuf serializer, as much of them as a caller needs.

Written from the descriptor in pipecat-ai 1.14 (`pipecat/frames/protobufs/frames_pb2.py`): a `Frame`
is one of text (1), audio (2), transcription (3), message (4), interruption (5); an `AudioRawFrame`
holds id (1), name (2), audio (3), sample_rate (4), num_channels (5), pts (6). By hand, so that the
callers of both sides run in one process that has no protobuf.
"""

from collections.abc import Iterator

AUDIO, INTERRUPTION = 2, 5
PCM, RATE, CHANNELS = 3, 4, 5


def varint(value: int) -> bytes:
    """A non-negative number, seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def audio_message(pcm: bytes, rate_hz: int) -> bytes:
    """A mono audio frame."""
    body = b"".join(
        (
            varint(PCM << 3 | 2),
            varint(len(pcm)),
            pcm,
            varint(RATE << 3),
            varint(rate_hz),
            varint(CHANNELS << 3),
            varint(1),
        )
    )
    return varint(AUDIO << 3 | 2) + varint(len(body)) + body


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The (number, value) pairs of a message of varints and length-delimited fields."""
    at = 0
    while at < len(message):
        key, at = read_varint(message, at)
        value, at = read_varint(message, at)
        if key & 7 == 0:
            yield key >> 3, value
        elif key & 7 == 2:
            yield key >> 3, message[at : at + value]
            at += value
        else:
            raise ValueError(f"protobuf wire type {key & 7} is in no frame of pipecat's")


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def read(message: bytes) -> tuple[int, bytes]:
    """A frame's kind and, if it is `AUDIO`, its PCM."""
    for kind, body in fields(message):
        if kind == AUDIO and isinstance(body, bytes):
            pcm = dict(fields(body)).get(PCM, b"")
            return kind, pcm if isinstance(pcm, bytes) else b""
        return kind, b""
    return 0, b""
