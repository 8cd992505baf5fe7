"""What the caller hears of audio that comes in bursts."""

import numpy as np
import pytest

from server.heard import Heard


def ms(length: int, level: int = 1000) -> bytes:
    return np.full(24 * length, level, "<i2").tobytes()


def test_audio_plays_when_it_comes_or_behind_what_came_before() -> None:
    heard = Heard(24000)
    heard.play(ms(100), "a", now_ms=50)
    heard.play(ms(100), "a", now_ms=60)
    heard.play(ms(100), "a", now_ms=500)
    assert [piece.at_samples / 24 for piece in heard.played] == [50, 150, 500]
    assert heard.end_ms == 600
    assert len(heard.pcm()) == 2 * 24 * 600


def test_silencing_keeps_what_was_heard_and_says_how_much() -> None:
    heard = Heard(24000)
    for now_ms in (0, 10, 20):
        heard.play(ms(100), "a", now_ms)
    assert heard.silence(now_ms=150) == ("a", 150)
    assert heard.end_ms == 150
    assert heard.silence(now_ms=160) is None


def test_the_first_audible_sample_counts_not_the_first_sample() -> None:
    heard = Heard(24000)
    heard.play(ms(40, level=50) + ms(40), "a", now_ms=100)
    assert heard.first_audible_ms(0) == pytest.approx(140)
    assert heard.first_audible_ms(150) == pytest.approx(150)
    assert heard.first_audible_ms(200) is None
