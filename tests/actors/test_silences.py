"""Quiet places in a clip."""

import numpy as np

from actors.silences import holds_speech, levels_dbfs, pieces


def test_levels_are_in_decibels_of_full_scale() -> None:
    tone = np.full(1600, 0.1, np.float32)
    assert np.allclose(levels_dbfs(tone, 16_000), -20, atol=0.01)
    assert levels_dbfs(np.zeros(0, np.float32), 16_000).tolist() == [-120]


def test_one_loud_moment_is_enough_to_be_speech() -> None:
    clip = np.zeros(16_000, np.float32)
    assert not holds_speech(clip, 16_000)
    clip[8000:8800] = 0.01
    assert holds_speech(clip, 16_000)


def test_a_long_clip_is_cut_in_its_quietest_place_and_stays_complete() -> None:
    random = np.random.default_rng(5)
    clip = random.standard_normal(70 * 16_000).astype(np.float32) * 0.1
    clip[25 * 16_000 : 26 * 16_000] *= 0.001
    parts = pieces(clip, 16_000)
    assert 25 <= len(parts[0]) / 16_000 <= 26
    assert all(len(part) <= 30 * 16_000 for part in parts)
    assert np.array_equal(np.concatenate(parts), clip)


def test_a_short_clip_stays_whole() -> None:
    clip = np.zeros(30 * 16_000, np.float32)
    assert [len(part) for part in pieces(clip, 16_000)] == [30 * 16_000]
    assert [len(part) for part in pieces(clip[:0], 16_000)] == [0]
