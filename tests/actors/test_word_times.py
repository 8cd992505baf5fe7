"""Times of words, fitted to the sound."""

import numpy as np

from actors.word_times import fitted, stretches_ms
from engine.capabilities import TimedWord


def sound(*pieces: tuple[int, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Noise at 16 kHz, so many ms at such a level each."""
    random = np.random.default_rng(2)
    parts = [random.standard_normal(ms * 16) * 10 ** (dbfs / 20) for ms, dbfs in pieces]
    return np.concatenate(parts).astype(np.float32)


def word(start_ms: int, end_ms: int) -> TimedWord:
    return TimedWord("so", start_ms, end_ms, 0.9)


def times(words: list[TimedWord]) -> list[tuple[int, int]]:
    return [(word.start_ms, word.end_ms) for word in words]


def test_it_sounds_between_pauses_and_through_brief_gaps() -> None:
    heard = sound((200, -70), (500, -20), (100, -70), (300, -20), (400, -60), (200, -35))
    assert stretches_ms(heard, 16_000) == [(200, 1100), (1500, 1700)]


def test_in_loud_noise_it_sounds_all_the_time() -> None:
    assert stretches_ms(sound((300, -40), (500, -20), (200, -40)), 16_000) == [(0, 1000)]


def test_words_keep_to_their_stretch_and_leave_the_pause_alone() -> None:
    aligned = [word(0, 400), word(400, 1700), word(1700, 2200)]
    fits = fitted(aligned, [(200, 700), (1500, 2000)])
    assert times(fits) == [(200, 400), (400, 700), (1500, 2000)]


def test_a_word_in_silence_stays_where_it_is() -> None:
    assert times(fitted([word(0, 300), word(300, 500)], [(0, 250)])) == [(0, 250), (300, 500)]
    assert times(fitted([word(0, 300)], [])) == [(0, 300)]
    assert fitted([], [(0, 250)]) == []
