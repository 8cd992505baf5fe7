"""Opus in Ogg (RFC 7845), sent as it is made: each piece of speech has pages of its own."""

import ctypes
import struct
import weakref
from ctypes import byref, c_int, c_int32, c_void_p

from server.speech.ogg import BEGINS, ENDS, Pages
from transports.webrtc.opus import FRAME_MS, LARGEST_PACKET, library

AUDIO = 2049
SET_BITRATE, GET_LOOKAHEAD = 4002, 4027
"""Numbers of opus_defines.h."""

MOST_PACKETS = 40
"""Of a page: each has six segments at most."""

CLOCK_HZ = 48_000
"""By which positions are counted, whatever the samples' own rate."""

MAKER = b"VoiceForge"


class Opus:
    """One file. May be called in any thread, one after the other."""

    def __init__(self, rate_hz: int, kbit_s: int) -> None:
        self._lib = library()
        wrong = c_int()
        self._encoder = c_void_p(self._lib.opus_encoder_create(rate_hz, 1, AUDIO, byref(wrong)))
        if wrong.value:
            raise ValueError(f"libopus takes no {rate_hz} Hz: error {wrong.value}")
        weakref.finalize(self, self._lib.opus_encoder_destroy, self._encoder)
        self._lib.opus_encoder_ctl(self._encoder, SET_BITRATE, c_int32(1000 * kbit_s))
        ahead = c_int32()
        self._lib.opus_encoder_ctl(self._encoder, GET_LOOKAHEAD, byref(ahead))
        self._ahead = ahead.value
        self._frame = rate_hz * FRAME_MS // 1000
        self._ticks = CLOCK_HZ // rate_hz
        self._room = ctypes.create_string_buffer(LARGEST_PACKET)
        self._pages = Pages()
        self._waiting = b""
        self._fed = 0
        self._encoded = 0
        skipped = self._ahead * self._ticks
        self._unsent = self._pages.page([head(rate_hz, skipped)], 0, BEGINS)
        self._unsent += self._pages.page([tags()], 0)

    def encode(self, pcm: bytes) -> bytes:
        """Pages with the frames that are whole now."""
        self._fed += len(pcm) // 2
        return self._paged(self._packets(pcm), ends=False)

    def end(self) -> bytes:
        """The rest; the last position says where the speech ends."""
        left = self._fed + self._ahead - self._encoded - len(self._waiting) // 2
        return self._paged(self._packets(bytes(2 * (left + self._frame - 1))), ends=True)

    def _packets(self, pcm: bytes) -> list[bytes]:
        pcm = self._waiting + pcm
        size = 2 * self._frame
        whole = len(pcm) // size * size
        self._waiting = pcm[whole:]
        return [self._packet(pcm[at : at + size]) for at in range(0, whole, size)]

    def _packet(self, frame: bytes) -> bytes:
        size = self._lib.opus_encode(self._encoder, frame, self._frame, self._room, LARGEST_PACKET)
        if size < 0:
            raise ValueError(f"libopus failed with {size}")
        return bytes(memoryview(self._room)[:size])

    def _paged(self, packets: list[bytes], *, ends: bool) -> bytes:
        made, self._unsent = self._unsent, b""
        for at in range(0, len(packets), MOST_PACKETS):
            some = packets[at : at + MOST_PACKETS]
            self._encoded += len(some) * self._frame
            last = ends and at + MOST_PACKETS >= len(packets)
            position = self._fed + self._ahead if last else self._encoded
            made += self._pages.page(some, position * self._ticks, ENDS * last)
        return made


def head(rate_hz: int, skipped: int) -> bytes:
    """Of a mono file, with so many ticks that are not heard before it."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, skipped, rate_hz, 0, 0)


def tags() -> bytes:
    """Who made it, and nothing else."""
    return b"OpusTags" + struct.pack(f"<I{len(MAKER)}sI", len(MAKER), MAKER, 0)
