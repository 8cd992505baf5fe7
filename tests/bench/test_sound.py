"""What the callers' ears hear: audible samples, silences, holes."""

import numpy as np
import pytest

from bench.sound import (
    Sound,
    amplitude,
    babble,
    from_pcm,
    heard_gaps,
    loud,
    noise,
    silences,
    to_pcm,
    zeros,
)

HZ = 1000  # a sample is a millisecond


def tone(ms: int, dbfs: float = -20) -> Sound:
    return np.full(ms, amplitude(dbfs), np.float32)


def hush(ms: int) -> Sound:
    return tone(ms, dbfs=-70)


def hole(ms: int) -> Sound:
    return np.zeros(ms, np.float32)


def sound(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def test_a_sample_above_minus_45_dbfs_is_audible() -> None:
    assert list(loud(sound(tone(1, -46), tone(1, -44), -tone(1, -44)))) == [1, 2]


def test_a_silence_lies_between_two_audible_samples() -> None:
    assert silences(sound(hush(5), tone(10), hush(20), tone(10), hush(5)), HZ) == [(15, 20)]


def test_exact_zeros_are_stuffing_once_they_outlast_any_pause_of_a_voice() -> None:
    assert zeros(sound(tone(10), hole(400), tone(10), hole(401)), HZ) == [(420, 401)]


def test_a_pause_that_the_voice_makes_is_no_gap() -> None:
    assert heard_gaps(sound(tone(10), hush(400), tone(10)), HZ, holes=[]) == []


def test_a_pause_that_a_hole_made_longer_counts_in_full() -> None:
    heard = sound(tone(10), hush(100), hole(50), hush(10), tone(10))

    assert heard_gaps(heard, HZ, holes=[(110, 50)]) == [(10, 160)]


def test_a_hole_behind_the_last_sound_is_no_gap() -> None:
    assert heard_gaps(sound(tone(10), hole(500)), HZ, holes=[(10, 500)]) == []


def test_pcm_is_clipped_and_comes_back() -> None:
    back = from_pcm(to_pcm(np.array([0, 0.5, -0.5, 2, -2], np.float32)))

    assert back == pytest.approx([0, 0.5, -0.5, 1, -1], abs=1e-4)


def test_noise_and_babble_have_the_level_they_are_asked_for() -> None:
    rng = np.random.default_rng(1)
    people = [tone(300), -tone(200, -30)]

    for made in (noise(20_000, -40, rng), babble(people, 20_000, -40, rng)):
        assert 20 * np.log10(np.sqrt(np.mean(made**2))) == pytest.approx(-40, abs=0.5)
