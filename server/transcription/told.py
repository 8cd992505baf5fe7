"""A transcript as it grows."""

from collections.abc import AsyncIterator, Iterable

from actors.languages import UNSPACED, primary
from actors.stt_router import KNOWN
from engine.capabilities import TimedWord
from server.transcription.segments import USUAL, Cut, Segment, segments
from server.transcription.transcribing import Heard


class Told:
    """Its words and sentences have times, if they were asked for. The language is that of the first
    window which is sure of it, `confidence` how sure that was of its words.
    """

    def __init__(self) -> None:
        self.text = ""
        self.language = ""
        self.confidence = 0.0
        self.duration_ms = 0
        self._windows: list[tuple[tuple[TimedWord, ...], bool]] = []
        self._sure = False

    def take(self, heard: Heard) -> str:
        """Add a window; what is to be written behind what stands there."""
        if heard.text and not self._sure:
            self.language, self.confidence = heard.language, heard.confidence
            self._sure = heard.confidence >= KNOWN
        spaced = primary(heard.language or self.language) not in UNSPACED
        more = (" " if self.text and heard.text and spaced else "") + heard.text
        self.text += more
        self.duration_ms = heard.end_ms
        self._windows.append((heard.words, spaced))
        return more

    @property
    def words(self) -> Iterable[TimedWord]:
        """All of them."""
        return (word for words, _ in self._windows for word in words)

    def segments(self, cut: Cut = USUAL) -> Iterable[Segment]:
        """The words in sentences. None goes on in another window."""
        for words, spaced in self._windows:
            yield from segments(words, spaced=spaced, cut=cut)


async def gathered(heard: AsyncIterator[Heard]) -> Told:
    """All of it."""
    told = Told()
    async for one in heard:
        told.take(one)
    return told
