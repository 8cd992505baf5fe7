"""What a voice said, for the tests of voices: samples, words, and how well they were understood."""

import numpy as np
from numpy.typing import NDArray

from engine.capabilities import Speech, SpokenWord


def pcm(chunks: list[Speech]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def sound(chunks: list[Speech]) -> NDArray[np.float32]:
    return np.frombuffer(pcm(chunks), "<i2").astype(np.float32) / np.float32(32768)


def words(chunks: list[Speech]) -> list[SpokenWord]:
    return [word for chunk in chunks for word in chunk.words]


def plain(text: str) -> list[str]:
    kept = "".join(char if char.isalnum() or char == "'" else " " for char in text.lower())
    return kept.split()


def word_errors(got: list[str], expected: list[str]) -> int:
    """Insertions, deletions and substitutions (Levenshtein)."""
    row = list(range(len(expected) + 1))
    for at, word in enumerate(got, 1):
        above, row = row, [at]
        for to, wanted in enumerate(expected, 1):
            row.append(min(above[to] + 1, row[-1] + 1, above[to - 1] + (word != wanted)))
    return row[-1]


LONG = (
    "The library opens at nine tomorrow, but on Saturdays it stays closed until noon, and if you "
    "would like to borrow more than three books you should bring your card with you."
)

TRANSCRIBED = {
    "The library opens at nine tomorrow.": "the library opens at nine tomorrow",
    "Please bring your passport and two photographs.": "please bring your passport and two "
    "photographs",
    "**Great!** 🎉 Your table is booked for Saturday evening.": "great your table is booked for "
    "saturday evening",
    "Dr. Smith will see you on the 3rd floor.": "doctor smith will see you on the third floor",
    "The museum is closed on Mondays, but the park is always open.": "the museum is closed on "
    "mondays but the park is always open",
    LONG: " ".join(plain(LONG)),
}
"""What a listener should write down for each text."""

AS_DIGITS = {"dr": "doctor", "9": "nine", "3rd": "third", "2": "two", "monday's": "mondays"}
"""What Moonshine writes for some of it."""
