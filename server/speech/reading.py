"""Reads a text out: piece by piece, the next one asked for while this one is heard."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from itertools import islice

import msgspec

from actors.cut import Cutter
from actors.voices.routing import Part
from engine.capabilities import Speech, SpokenWord, Utterance
from engine.inference import Inference, Priority, Request

FED_CHARS = 2000
"""Of a text at once: a long one would hold up the loop that carries audio."""

AHEAD = 2
"""Pieces that are asked for at once: so many are held, however long the text is."""

FIRST_MS, LATER_MS = 500, 5000
"""For the order among those that read out: who hears nothing yet comes before who hears already.
Live callers always come first.
"""


class Piece(msgspec.Struct, frozen=True):
    """A part of a text that has been asked for; it begins at `start_char`."""

    text: str
    start_char: int
    request: Request[Speech]


class Reader:
    """Has one text spoken, in pieces that follow on each other."""

    def __init__(self, tts: Inference[Utterance, Speech], speed: float, rate_hz: int) -> None:
        self._tts = tts
        self._speed = speed
        self._rate_hz = rate_hz
        self._asked_chars = 0
        self._said_samples = 0

    def ask(self, text: str, voice: str) -> Piece:
        """Ask a voice for the next piece."""
        utterance = Utterance(text, voice, self._speed, self._rate_hz)
        deadline_ms = LATER_MS if self._asked_chars else FIRST_MS
        request = self._tts.request(utterance, priority=Priority.BATCH, deadline_ms=deadline_ms)
        piece = Piece(text, self._asked_chars, request)
        self._asked_chars += len(text)
        return piece

    async def say(self, piece: Piece) -> AsyncIterator[Speech]:
        """A piece's speech, when that of those before it has been said. Its words are placed in the
        whole text, and in the whole speech. Raises `InferenceError`.
        """
        began = self._said_samples
        async for speech in piece.request:
            self._said_samples += len(speech.pcm) // 2
            words = tuple(placed(word, piece.start_char, began) for word in speech.words)
            yield Speech(speech.pcm, speech.rate_hz, words)


def placed(word: SpokenWord, chars: int, samples: int) -> SpokenWord:
    """The word in something longer, that much further on."""
    return SpokenWord(
        word.start_char + chars,
        word.end_char + chars,
        word.start_samples + samples,
        word.end_samples + samples,
    )


async def read_out(
    tts: Inference[Utterance, Speech], parts: Iterable[Part], speed: float, rate_hz: int
) -> AsyncGenerator[Speech, None]:
    """The speech, 16-bit mono. Closing the iterator stops the work. Raises `InferenceError`."""
    reader = Reader(tts, speed, rate_hz)
    pieces = ((text, part.chosen.voice.id) for part in parts for text in cut(part.text))
    asked: deque[Piece] = deque()
    try:
        while True:
            for text, voice in islice(pieces, AHEAD - len(asked)):
                asked.append(reader.ask(text, voice))
            if not asked:
                return
            async for speech in reader.say(asked[0]):
                if speech.pcm:
                    yield speech
            asked.popleft()
    finally:
        for piece in asked:
            piece.request.cancel()


def cut(text: str) -> Iterator[str]:
    """A text in pieces that are spoken one by one, cut as they are needed."""
    cutter = Cutter()
    for at in range(0, len(text), FED_CHARS):
        yield from cutter.feed(text[at : at + FED_CHARS])
    yield from cutter.flush()
