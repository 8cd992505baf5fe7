"""Opus for speech (RFC 6716), packet by packet, through libopus.

Mono at a speech bit rate, with in-band FEC (each packet carries a coarse copy of the one before it)
and DTX (in silence there is next to nothing to send). PyAV binds neither FEC nor concealment.
"""

import ctypes
import weakref
from ctypes import byref, c_char_p, c_int, c_int32, c_void_p
from functools import cache

from transports import libraries

VOIP = 2048
SET_BITRATE, SET_COMPLEXITY, SET_FEC, SET_LOSS, SET_DTX, SET_SIGNAL = (
    4002,
    4010,
    4012,
    4014,
    4016,
    4024,
)
SIGNAL_VOICE = 3001
"""Numbers of opus_defines.h."""

BIT_S = 32_000
"""At which 95 % of the audible frames of super-wideband speech carry the copy of the one before,
with 5 % of loss expected; at 24 and 28 kbit/s none does (`python -m bench.webrtc --only fec`)."""

COMPLEXITY = 5
"""Of 10, which takes a third more CPU (`python -m bench.webrtc --only cpu`)."""

FRAME_MS = 20
LARGEST_PACKET = 1275
"""Bytes of a frame (RFC 6716, 3.2.1)."""

SILENT_BYTES = 2
"""A packet of at most so many says that nothing is said (DTX): it need not be sent."""

LONGEST_MS = 120
"""A packet's audio (RFC 6716, 3.2.5)."""


class OpusError(ValueError):
    """Bytes that are no Opus packet."""


class Encoder:
    """Mono 16-bit PCM at `rate_hz` (8, 12, 16, 24 or 48 kHz), `FRAME_MS` at a time."""

    def __init__(self, rate_hz: int, bit_s: int = BIT_S) -> None:
        self._lib = library()
        wrong = c_int()
        self._state = c_void_p(self._lib.opus_encoder_create(rate_hz, 1, VOIP, byref(wrong)))
        if wrong.value:
            raise ValueError(f"libopus takes no {rate_hz} Hz: error {wrong.value}")
        weakref.finalize(self, self._lib.opus_encoder_destroy, self._state)
        self.frame_samples = rate_hz * FRAME_MS // 1000
        self._room = ctypes.create_string_buffer(LARGEST_PACKET)
        self._set(SET_BITRATE, bit_s)
        self._set(SET_COMPLEXITY, COMPLEXITY)
        self._set(SET_SIGNAL, SIGNAL_VOICE)
        self._set(SET_FEC, 1)
        self._set(SET_DTX, 1)

    def expect_loss(self, percent: int) -> None:
        """How many of the packets will be lost, 0-100: the more, the better are their copies."""
        self._set(SET_LOSS, percent)

    def encode(self, pcm: bytes) -> bytes:
        """The packet for one frame."""
        samples = self.frame_samples
        if len(pcm) != 2 * samples:
            raise ValueError(f"a frame has {len(pcm)} bytes: it takes {2 * samples}")
        size = self._lib.opus_encode(self._state, pcm, samples, self._room, LARGEST_PACKET)
        if size < 0:
            raise ValueError(f"libopus failed with {size}")
        return bytes(memoryview(self._room)[:size])

    def _set(self, what: int, value: int) -> None:
        self._lib.opus_encoder_ctl(self._state, what, c_int32(value))


class Decoder:
    """To mono 16-bit PCM at `rate_hz` (8, 12, 16, 24 or 48 kHz), whatever was encoded."""

    def __init__(self, rate_hz: int) -> None:
        self._lib = library()
        wrong = c_int()
        self._state = c_void_p(self._lib.opus_decoder_create(rate_hz, 1, byref(wrong)))
        if wrong.value:
            raise ValueError(f"libopus gives no {rate_hz} Hz: error {wrong.value}")
        weakref.finalize(self, self._lib.opus_decoder_destroy, self._state)
        self.rate_hz = rate_hz
        self._most = rate_hz * LONGEST_MS // 1000
        self._room = (ctypes.c_int16 * self._most)()
        self._view = memoryview(self._room).cast("B")

    def samples(self, packet: bytes) -> int:
        """How long its audio is. Raises `OpusError`."""
        count: int = self._lib.opus_packet_get_nb_samples(packet, len(packet), self.rate_hz)
        if not 0 < count <= self._most:
            raise OpusError(f"{len(packet)} bytes are no Opus packet")
        return count

    def decode(self, packet: bytes) -> bytes:
        """Its audio. Raises `OpusError`."""
        return self._decoded(packet, self._most, fec=False)

    def recover(self, following: bytes, samples: int) -> bytes:
        """So many of a packet that was lost, from the copy in the one after it; concealed if there
        is none in it. Raises `OpusError`.
        """
        return self._decoded(following, samples, fec=True)

    def conceal(self, samples: int) -> bytes:
        """So many instead of what was lost: the voice goes on, and fades."""
        return self._decoded(None, samples, fec=False)

    def _decoded(self, packet: bytes | None, samples: int, *, fec: bool) -> bytes:
        size = 0 if packet is None else len(packet)
        count = self._lib.opus_decode(self._state, packet, size, self._room, samples, int(fec))
        if count < 0:
            raise OpusError(f"{size} bytes are no Opus packet: error {count}")
        return bytes(self._view[: 2 * count])


@cache
def library() -> ctypes.CDLL:
    """libopus, with its types (opus.h). `opus_encoder_ctl` takes a pointer or a number more."""
    lib = libraries.opus()
    for made in (lib.opus_encoder_create, lib.opus_decoder_create):
        made.restype = c_void_p
    lib.opus_encoder_ctl.argtypes = (c_void_p, c_int)
    lib.opus_encode.argtypes = (c_void_p, c_char_p, c_int, c_void_p, c_int32)
    lib.opus_decode.argtypes = (c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int)
    lib.opus_packet_get_nb_samples.argtypes = (c_char_p, c_int32, c_int32)
    return lib
