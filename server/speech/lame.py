"""MP3 by LAME, in frames of a constant bit rate, by which decoders know how long it is."""

import ctypes
import weakref
from ctypes import c_char_p, c_int, c_void_p
from functools import cache

from transports import libraries

QUALITY = 5
"""Of LAME's 0 (best) to 9: FFmpeg's choice. Its own is 3, which takes a fifth longer."""

MONO = 3

LARGEST_FLUSH = 7200
"""Bytes that may be left at the end (lame.h)."""


class Lame:
    """One file. May be called in any thread, one after the other."""

    def __init__(self, rate_hz: int, kbit_s: int) -> None:
        self._lib = library()
        self._flags = c_void_p(self._lib.lame_init())
        weakref.finalize(self, self._lib.lame_close, self._flags)
        for name, value in (
            ("lame_set_in_samplerate", rate_hz),
            ("lame_set_out_samplerate", rate_hz),
            ("lame_set_num_channels", 1),
            ("lame_set_mode", MONO),
            ("lame_set_brate", kbit_s),
            ("lame_set_quality", QUALITY),
            ("lame_set_bWriteVbrTag", 0),  # a frame that is filled in at the end, when it is sent
        ):
            getattr(self._lib, name)(self._flags, c_int(value))
        if self._lib.lame_init_params(self._flags) < 0:
            raise ValueError(f"LAME makes no {kbit_s} kbit/s at {rate_hz} Hz")

    def encode(self, pcm: bytes) -> bytes:
        """The frames that are whole now."""
        samples = len(pcm) // 2
        room = ctypes.create_string_buffer(samples * 5 // 4 + LARGEST_FLUSH)  # as lame.h asks
        made = self._lib.lame_encode_buffer(self._flags, pcm, None, samples, room, len(room))
        return taken(room, made)

    def end(self) -> bytes:
        """The rest."""
        room = ctypes.create_string_buffer(LARGEST_FLUSH)
        return taken(room, self._lib.lame_encode_flush(self._flags, room, len(room)))


def taken(room: "ctypes.Array[ctypes.c_char]", made: int) -> bytes:
    """What it has put there. Raises `ValueError`."""
    if made < 0:
        raise ValueError(f"LAME failed with {made}")
    return bytes(memoryview(room)[:made])


@cache
def library() -> ctypes.CDLL:
    """LAME, with its types (lame.h, 3.100)."""
    lib = libraries.lame()
    lib.lame_init.restype = c_void_p
    lib.lame_encode_buffer.argtypes = (c_void_p, c_char_p, c_void_p, c_int, c_void_p, c_int)
    lib.lame_encode_flush.argtypes = (c_void_p, c_void_p, c_int)
    return lib
