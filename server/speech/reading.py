"""Reads a text out: piece by piece, the next one asked for while this one is heard."""

from collections import deque
from collections.abc import AsyncGenerator

from actors.cut import Cutter
from engine.capabilities import Speech, Utterance
from engine.inference import Inference, Priority, Request

AHEAD = 2
"""Pieces that are asked for at once: so many are held, however long the text is."""

DEADLINE_MS = 500
"""For the order among those that read out; live callers always come first."""


async def read_out(
    tts: Inference[Utterance, Speech], text: str, voice: str, speed: float, rate_hz: int
) -> AsyncGenerator[bytes, None]:
    """The speech, 16-bit mono. Closing the iterator stops the work. Raises `InferenceError`."""
    cutter = Cutter()
    pieces = deque([*cutter.feed(text), *cutter.flush()])
    asked: deque[Request[Speech]] = deque()
    try:
        while pieces or asked:
            while pieces and len(asked) < AHEAD:
                piece = Utterance(pieces.popleft(), voice, speed, rate_hz)
                asked.append(tts.request(piece, priority=Priority.BATCH, deadline_ms=DEADLINE_MS))
            async for speech in asked[0]:
                if speech.pcm:
                    yield speech.pcm
            asked.popleft()
    finally:
        for request in asked:
            request.cancel()
