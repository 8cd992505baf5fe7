"""How many words of a text an audio holds, and how far a history is from that.

The audio that a client played is transcribed, and the transcription is laid along the text: the
prefix of whole words with the smallest edit distance to it, letter by letter, is what was heard.
The transcriber errs within words far more often than about how many there are; what this method
itself gets wrong is measured on answers heard to their end, whose word count is known.
"""

import re

import numpy as np


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return re.findall(r"[\w']+", text.lower())


def distances(said: str, text: str) -> list[int]:
    """The edit distance (Levenshtein 1966) of `said` to each prefix of `text`, from the empty."""
    row = np.arange(len(text) + 1)
    steps = np.arange(len(text) + 1)
    letters = np.array([ord(letter) for letter in text], np.int64)
    for letter in said:
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(best - steps) + steps  # insertions along the row
    return [int(distance) for distance in row]


def words_heard(transcription: str, text: str) -> int:
    """How many words of `text`, from its start, the transcribed audio most likely holds."""
    wanted = words(text)
    prefixes = [" ".join(wanted[:count]) for count in range(len(wanted) + 1)]
    along = distances(" ".join(words(transcription)), prefixes[-1])
    return min(range(len(prefixes)), key=lambda count: along[len(prefixes[count])])


def word_error(history: str, transcription: str, text: str) -> int:
    """By how many words the history of an answer differs from what was heard of its `text`."""
    kept = words(history)
    if kept != words(text)[: len(kept)]:
        return len(kept)  # no prefix of what was said: nothing in it can be trusted
    return abs(len(kept) - words_heard(transcription, text))
