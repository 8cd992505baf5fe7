"""The heard ledger: which words of a reply have reached the caller's ear.

Two countings meet here. *Source* samples count the speech as it was synthesised. *Stream* samples
count what was sent, which repeats some of the source when playout goes back to the start of a word
after a pause. Both at the rate of the stream.
"""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from engine.capabilities import SpokenWord


class _Word(msgspec.Struct, frozen=True, gc=False):
    end_char: int
    start_samples: int
    end_samples: int


class Ledger:
    """What was synthesised and sent of one reply."""

    def __init__(self) -> None:
        self.text = ""
        """What has been synthesised, as the LLM wrote it."""
        self.source_samples = 0
        self.sent_samples = 0
        self._words: list[_Word] = []
        self._jumps: list[tuple[int, int]] = [(0, 0)]  # stream position -> source position
        self._piece_char = 0
        self._piece_samples = 0

    def add(self, text: str, samples: int, words: Iterable[SpokenWord]) -> None:
        """Take a chunk of speech in: `text` is that of a new piece, or empty for more of the last.

        The positions of `words` count from the piece's first character and sample.
        """
        if text:
            self._piece_char = len(self.text)
            self._piece_samples = self.source_samples
            self.text += text
        for word in words:
            self._words.append(
                _Word(
                    self._piece_char + word.end_char,
                    self._piece_samples + word.start_samples,
                    self._piece_samples + word.end_samples,
                )
            )
        self.source_samples += samples

    def sent(self, samples: int) -> None:
        """Note that so many more samples went out."""
        self.sent_samples += samples

    def at_source(self, stream_samples: int) -> int:
        """The source position that was sent at a stream position."""
        index = bisect_right(self._jumps, (stream_samples, self.source_samples + 1)) - 1
        stream, source = self._jumps[index]
        return source + stream_samples - stream

    def word_start(self, position: int) -> int:
        """Where the word begins that sounds at this source position; between words, the same."""
        index = bisect_right(self._words, position, key=lambda word: word.start_samples) - 1
        if index >= 0 and self._words[index].end_samples > position:
            return self._words[index].start_samples
        return position

    def back_to_word(self) -> int:
        """Go on from the start of the word that is cut where sending stopped.

        Returns the source position to send from. Between words that is where sending stopped.
        """
        stopped = self.at_source(self.sent_samples)
        start = self.word_start(stopped)
        if start != stopped:
            self._jumps.append((self.sent_samples, start))
        return start

    def heard(self, stream_samples: int) -> str:
        """The text heard when so much of the stream has been played.

        A word counts once half of its sound is out. What follows the last word of all (a stop, a
        closing quote) is heard with it.
        """
        reached = self.at_source(min(stream_samples, self.sent_samples))
        if reached >= self.source_samples:
            return self.text
        heard = 0
        for word in self._words:
            if (word.start_samples + word.end_samples) / 2 > reached:
                break
            heard = word.end_char
        return self.text[:heard]
