"""When each character of a text is heard, as far as its words tell.

A voice tells the time of each word. Within a word its characters follow evenly; what stands between
two words, spaces and stops, shares the time between them.
"""

from collections.abc import Iterable, Iterator

import msgspec

from engine.capabilities import SpokenWord


class Alignment(msgspec.Struct, frozen=True):
    """Characters, and where in the speech each of them begins and ends, in seconds."""

    characters: list[str]
    character_start_times_seconds: list[float]
    character_end_times_seconds: list[float]


class ChunkAlignment(msgspec.Struct, frozen=True, rename="camel"):
    """The same in the chunk that they come with, in ms from its start.

    ElevenLabs' SDKs read the durations under one name, its documentation gives them another.
    """

    chars: list[str]
    char_start_times_ms: list[int]
    char_durations_ms: list[int]
    chars_durations_ms: list[int]


class Timed(msgspec.Struct, frozen=True, gc=False):
    """A character, in seconds."""

    char: str
    start: float
    end: float


class Aligner:
    """Follows one speech of `rate_hz`, heard behind a lead of so many samples. Each character is
    told once, in order.
    """

    def __init__(self, rate_hz: int, text: str = "", lead_samples: int = 0) -> None:
        self._rate_hz = rate_hz
        self._lead_samples = lead_samples
        self._text = text
        self._dropped = 0
        self._told = 0
        self._until = 0.0

    def add(self, text: str) -> None:
        """The text goes on."""
        self._text = self._text[self._told - self._dropped :] + text
        self._dropped = self._told

    def up_to(self, words: Iterable[SpokenWord]) -> list[Timed]:
        """The characters up to the end of these words; the spaces and stops behind the last one
        have their time when the next word is known.
        """
        return [timed for word in words for timed in self._word(word)]

    def rest(self, samples: int) -> list[Timed]:
        """All that is left, in a speech of so many samples."""
        left = self._dropped + len(self._text) - self._told
        return list(self._take(left, self._seconds(samples)))

    def _word(self, word: SpokenWord) -> Iterator[Timed]:
        start, end = self._sounding(word)
        yield from self._take(start - self._told, self._seconds(word.start_samples))
        yield from self._take(end - self._told, self._seconds(word.end_samples))

    def _seconds(self, samples: int) -> float:
        return (self._lead_samples + samples) / self._rate_hz

    def _sounding(self, word: SpokenWord) -> tuple[int, int]:
        """Where in the text it stands, without the stops around it."""
        at = max(word.start_char, self._told)
        source = self._text[at - self._dropped : max(0, word.end_char - self._dropped)]
        sounding = [place for place, char in enumerate(source) if char.isalnum()]
        if not sounding:
            return word.start_char, word.end_char
        return at + sounding[0], at + sounding[-1] + 1

    def _take(self, count: int, end: float) -> Iterator[Timed]:
        """The next characters, which last until then. Time never goes back: two words may be read
        out of the same characters.
        """
        start, end = self._until, max(self._until, end)
        if count > 0:
            at = self._told - self._dropped
            chars = self._text[at : at + count]
            self._told += len(chars)
            each = (end - start) / max(1, len(chars))
            for place, char in enumerate(chars):
                yield Timed(char, start + place * each, start + (place + 1) * each)
        self._until = end


def alignment(timed: list[Timed]) -> Alignment | None:
    """As the HTTP routes tell it, to the millisecond; None of no characters."""
    if not timed:
        return None
    return Alignment(
        [one.char for one in timed],
        [round(one.start, 3) for one in timed],
        [round(one.end, 3) for one in timed],
    )


def chunk_alignment(timed: list[Timed], began: float) -> ChunkAlignment | None:
    """As the WebSocket tells it, with a chunk that begins after so many seconds. What was heard
    before it, such as a stop that could only be timed now, takes none of its time.
    """
    if not timed:
        return None
    starts = [max(0, round((one.start - began) * 1000)) for one in timed]
    ends = [max(0, round((one.end - began) * 1000)) for one in timed]
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    return ChunkAlignment([one.char for one in timed], starts, lengths, lengths)
