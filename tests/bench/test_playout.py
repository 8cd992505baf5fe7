"""The caller's loudspeaker."""

import numpy as np
import pytest

from bench.playout import Playout

HZ = 1000


def pcm(ms: int, value: int = 16384) -> bytes:
    return np.full(ms, value, "<i2").tobytes()


def test_audio_sounds_from_its_arrival_on() -> None:
    playout = Playout(HZ, started_at=100.0)
    playout.play(pcm(20), at=100.050)

    heard = playout.heard(100.0, 100.1)
    assert list(np.flatnonzero(heard)) == list(range(50, 70))
    assert playout.ends_at == pytest.approx(100.070)


def test_audio_that_comes_early_waits_in_line() -> None:
    playout = Playout(HZ, started_at=0.0)
    for arrival in (0.0, 0.001, 0.002):
        playout.play(pcm(20), at=arrival)

    assert len(np.flatnonzero(playout.heard(0, 1))) == 60
    assert playout.ends_at == pytest.approx(0.060)


def test_audio_that_comes_late_leaves_a_hole() -> None:
    playout = Playout(HZ, started_at=0.0)
    playout.play(pcm(20), at=0.0)
    playout.play(pcm(20), at=0.100)

    assert playout.holes(0, 0.12) == [(20, 80)]


def test_a_pause_that_was_sent_is_no_hole_until_it_is_longer_than_any_voice_makes() -> None:
    playout = Playout(HZ, started_at=0.0)
    for sent in (pcm(20), pcm(200, value=0), pcm(20), pcm(500, value=0), pcm(20)):
        playout.play(sent, at=0.0)

    assert playout.holes(0, 0.76) == [(240, 500)]


def test_holes_count_from_where_one_asks() -> None:
    playout = Playout(HZ, started_at=0.0)
    playout.play(pcm(100), at=0.0)
    playout.drop(at=0.05)
    playout.play(pcm(100), at=0.25)

    assert playout.holes(0.02, 0.3) == [(30, 200)]


def test_what_is_dropped_is_not_heard_and_later_audio_does_not_wait_for_it() -> None:
    playout = Playout(HZ, started_at=0.0)
    playout.play(pcm(1000), at=0.0)
    playout.drop(at=0.3)
    playout.play(pcm(100), at=0.5)

    heard = np.flatnonzero(playout.heard(0, 2))
    assert list(heard) == [*range(300), *range(500, 600)]


def test_dropping_when_nothing_plays_changes_nothing() -> None:
    playout = Playout(HZ, started_at=0.0)
    playout.play(pcm(20), at=0.0)
    playout.drop(at=1.0)

    assert playout.ends_at == pytest.approx(0.020)


def test_a_long_call_is_remembered_whole() -> None:
    playout = Playout(HZ, started_at=0.0)
    playout.play(pcm(20), at=200.0)

    assert len(np.flatnonzero(playout.heard(0, 300))) == 20


def test_before_the_call_there_was_nothing() -> None:
    playout = Playout(HZ, started_at=10.0)

    assert list(playout.heard(9.5, 9.6)) == [0] * 100
    assert len(playout.heard(9.9, 10.1)) == 200
