"""Reads a script out: piece by piece, the next one asked for while this one is heard."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from actors.cut import Cutter
from actors.rendition import SPEEDS
from actors.respelling import Respelt, Said
from engine.capabilities import Speech, SpokenWord, Utterance
from engine.inference import Inference, Priority, Request
from server.speech.script import Line

FED_CHARS = 2000
"""Of a text at once: a long one would hold up the loop that carries audio."""

AHEAD = 2
"""Pieces that are asked for at once: so many are held, however long the text is."""

FIRST_MS, LATER_MS = 500, 5000
"""For the order among those that read out: who hears nothing yet comes before who hears already.
Live callers always come first.
"""

SILENCE_MS = 1000
"""Of a pause at once."""

SAMPLE_BYTES = 2


class Piece(msgspec.Struct, frozen=True):
    """A part of a text that has been asked for, as the voice was given it; it begins at
    `start_char`.
    """

    text: str
    start_char: int
    respelt: Respelt
    request: Request[Speech]


class Reader:
    """Has one text spoken, in pieces that follow on each other."""

    def __init__(self, tts: Inference[Utterance, Speech], speed: float, rate_hz: int) -> None:
        self._tts = tts
        self._speed = speed
        self._rate_hz = rate_hz
        self._asked_chars = 0
        self._said_samples = 0

    def ask(self, text: str, voice: str, said: Sequence[Said] = (), rate: float = 1.0) -> Piece:
        """Ask a voice for the next piece, `rate` times as fast as the rest. What is `said`
        otherwise is placed in the piece.
        """
        respelt = Respelt(text, said)
        slowest, fastest = SPEEDS
        speed = min(max(self._speed * rate, slowest), fastest)
        utterance = Utterance(respelt.text, voice, speed, self._rate_hz, respelt.pronounced)
        deadline_ms = LATER_MS if self._asked_chars else FIRST_MS
        request = self._tts.request(utterance, priority=Priority.BATCH, deadline_ms=deadline_ms)
        piece = Piece(text, self._asked_chars, respelt, request)
        self._asked_chars += len(text)
        return piece

    async def say(self, piece: Piece) -> AsyncIterator[Speech]:
        """A piece's speech, when that of those before it has been said. Its words are placed in the
        whole text, and in the whole speech. Raises `InferenceError`.
        """
        began = self._said_samples
        async for speech in piece.request:
            self._said_samples += len(speech.pcm) // SAMPLE_BYTES
            words = tuple(
                placed(piece.respelt.source(word), piece.start_char, began) for word in speech.words
            )
            yield Speech(speech.pcm, speech.rate_hz, words)

    def pause(self, pause_ms: int) -> Speech:
        """So much silence."""
        samples = pause_ms * self._rate_hz // 1000
        self._said_samples += samples
        return Speech(bytes(SAMPLE_BYTES * samples), self._rate_hz, ())


def placed(word: SpokenWord, chars: int, samples: int) -> SpokenWord:
    """The word in something longer, that much further on."""
    return SpokenWord(
        word.start_char + chars,
        word.end_char + chars,
        word.start_samples + samples,
        word.end_samples + samples,
    )


async def read_out(
    tts: Inference[Utterance, Speech], lines: Iterable[Line], speed: float, rate_hz: int
) -> AsyncGenerator[Speech, None]:
    """The speech, 16-bit mono. Closing the iterator stops the work. Raises `InferenceError`."""
    reader = Reader(tts, speed, rate_hz)
    steps = (step for place, line in enumerate(lines) for step in steps_of(line, early=place == 0))
    asked: deque[Piece | int] = deque()
    try:
        while True:
            for step in islice(steps, AHEAD - len(asked)):
                asked.append(step if isinstance(step, int) else reader.ask(*step))
            if not asked:
                return
            if isinstance(first := asked[0], int):
                for at in range(0, first, SILENCE_MS):
                    yield reader.pause(min(first - at, SILENCE_MS))
            else:
                async for speech in reader.say(first):
                    if speech.pcm:
                        yield speech
            asked.popleft()
    finally:
        for one in asked:
            if isinstance(one, Piece):
                one.request.cancel()


def steps_of(
    line: Line, *, early: bool = True
) -> Iterator[tuple[str, str, tuple[Said, ...], float] | int]:
    """What a `Reader` is asked for: a line's pieces, and the ms of the pause behind it. `early`: it
    is the first one.
    """
    at = 0
    left = deque(said_in(line))
    whole = [(one.start_char, one.end_char) for one in left]
    for text in cut(line.part.text, whole, early=early):
        said: list[Said] = []
        while left and left[0].end_char <= at + len(text):
            said.append(moved(left.popleft(), at))
        yield text, line.part.chosen.voice.id, tuple(said), line.rate
        at += len(text)
    if line.pause_ms:
        yield line.pause_ms


def said_in(line: Line) -> tuple[Said, ...]:
    """What is said otherwise, placed in the line itself."""
    return tuple(moved(one, line.part.start_char) for one in line.said)


def moved(said: Said, start_char: int) -> Said:
    """The same, placed in what begins there."""
    return replace(
        said, start_char=said.start_char - start_char, end_char=said.end_char - start_char
    )


def cut(text: str, whole: Iterable[tuple[int, int]] = (), *, early: bool = True) -> Iterator[str]:
    """A text in pieces that are spoken one by one, cut as they are needed. What is `whole`, by its
    characters, stays in one. `early`: speech begins with it, so that the first piece is short.
    """
    kept = deque(whole)
    held, at = "", 0
    for piece in _cut(text, early=early):
        held += piece
        at += len(piece)
        while kept and kept[0][1] <= at:
            kept.popleft()
        if not (kept and kept[0][0] < at):
            yield held
            held = ""
    if held:
        yield held


def _cut(text: str, *, early: bool) -> Iterator[str]:
    cutter = Cutter(early=early)
    for at in range(0, len(text), FED_CHARS):
        yield from cutter.feed(text[at : at + FED_CHARS])
    yield from cutter.flush()
