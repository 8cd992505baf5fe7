"""What callers say, as events."""

import asyncio
import base64
from typing import Any

import numpy as np

from bench.turns import Turn, turns
from tests.server.wire import Wire

FRAME_BYTES = 1920  # 40 ms of 24 kHz PCM
FRAME_S = 0.04


def append(pcm: bytes) -> dict[str, Any]:
    """The event that carries audio."""
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


def clip(text: str) -> Turn:
    """The labelled clip that says this."""
    return next(turn for turn in turns() if turn.text == text)


def at_24_khz(turn: Turn, gain: float = 1.0) -> bytes:
    """A clip as clients send it, `gain` times as loud, cut off where 16 bits end."""
    pcm = turn.pcm().astype(np.float64)
    at = np.arange(0, len(pcm), 16 / 24)
    louder = np.interp(at, np.arange(len(pcm)), pcm) * gain
    return bytes(np.clip(louder, -32768, 32767).astype("<i2").tobytes())


async def stream(wire: Wire, pcm: bytes) -> None:
    """Send audio as fast as it would be spoken."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for at in range(0, len(pcm), FRAME_BYTES):
        await wire.send(append(pcm[at : at + FRAME_BYTES]))
        await asyncio.sleep(began + at / FRAME_BYTES * FRAME_S - clock())
