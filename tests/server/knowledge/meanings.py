"""A model for tests: the words of a text are its meaning. The real one is too slow for most."""

import struct
import zlib
from collections.abc import AsyncIterator

from engine.capabilities import Embedding, TextToEmbed
from engine.inference import InferenceError, Priority
from storage.passages import DIMENSIONS


class Meanings:
    """Satisfies `engine.inference.Inference`. It is `away` when told so; `texts` were asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.away = False
        self.cancelled = 0

    def request(self, payload: TextToEmbed, *, priority: Priority, deadline_ms: int) -> "Answer":
        self.texts.append(payload.text)
        return Answer(self, payload.text)


class Answer:
    compute_ms = 0.0

    def __init__(self, meanings: Meanings, text: str) -> None:
        self._meanings = meanings
        self._text = text

    async def __aiter__(self) -> AsyncIterator[Embedding]:
        if self._meanings.away:
            raise InferenceError("worker_lost", "the embed worker was lost")
        yield Embedding(vector(self._text))

    def promote(self, priority: Priority, deadline_ms: int) -> None: ...

    def cancel(self) -> None:
        self._meanings.cancelled += 1


def vector(text: str) -> bytes:
    """Its words, each on an axis that its letters choose."""
    made = [1e-3] * DIMENSIONS
    for word in text.lower().replace(".", " ").replace("?", " ").split():
        made[zlib.crc32(word.encode()) % DIMENSIONS] += 1
    return struct.pack(f"<{DIMENSIONS}f", *made)
