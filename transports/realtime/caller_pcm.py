"""A client's audio, as one event brings it, for the session."""

from collections.abc import Iterator

from engine.errors import RequestError
from transports.audio import AudioError, CallerAudio
from transports.realtime.wire import LARGEST_AUDIO

STEP_BYTES = 19_200
"""Of audio converted at a time, 0.4 s at 24 kHz: others must not wait for a long recording."""


def pcm_of(audio: bytes, stream: CallerAudio, param: str) -> Iterator[bytes]:
    """`audio` as the next of `stream`, in pieces. Raises `RequestError` before the first."""
    if len(audio) > LARGEST_AUDIO:
        raise RequestError(
            "audio_too_large",
            f"'{param}' has {len(audio)} bytes of audio: at most {LARGEST_AUDIO} are accepted "
            "in one event; send it in pieces",
            param,
        )
    try:
        stream.check(audio)
    except AudioError as error:
        raise RequestError("invalid_value", str(error), param) from error
    for start in range(0, len(audio), STEP_BYTES):
        yield stream.feed(audio[start : start + STEP_BYTES])
