"""Onsets and hushes from probabilities."""

from engine.frames import Frame, Hush, Onset, Voice
from engine.voicing import Voicing

WINDOW = 512


def found(
    probabilities: list[float], voicing: Voicing | None = None, dbfs: float = -20.0
) -> list[Frame]:
    """What a voicing finds in windows of these probabilities, all of this level."""
    voicing = voicing or Voicing(0.5)
    frames: list[Frame] = []
    voicing.emit = frames.append
    for index, probability in enumerate(probabilities, 1):
        voicing.receive(Voice(probability, dbfs, index * WINDOW))
    return [frame for frame in frames if not isinstance(frame, Voice)]


def test_two_voiced_windows_make_an_onset_where_the_first_began() -> None:
    assert found([0.1, 0.9, 0.1, 0.9, 0.9]) == [Onset(3 * WINDOW)]


def test_two_silent_windows_make_a_hush_where_the_last_voiced_one_ended() -> None:
    assert found([0.9, 0.9, 0.9, 0.1, 0.1]) == [Onset(0), Hush(3 * WINDOW, 5 * WINDOW)]


def test_a_dip_is_no_hush_and_neither_is_hesitation_of_the_model() -> None:
    assert found([0.9, 0.9, 0.1, 0.9, 0.4, 0.4, 0.4]) == [Onset(0)]


def test_after_a_hush_speech_is_a_new_onset() -> None:
    frames = found([0.9, 0.9, 0.1, 0.1, 0.9, 0.9])
    assert [type(frame) for frame in frames] == [Onset, Hush, Onset]


def test_a_guarded_voicing_wants_more_to_begin_and_no_more_to_go_on() -> None:
    voicing = Voicing(0.5)
    voicing.guarded = True
    assert found([0.6, 0.6, 0.6], voicing) == []
    assert found([0.7, 0.7, 0.4, 0.4], voicing) == [Onset(0)]


def test_a_disabled_voicing_finds_nothing() -> None:
    voicing = Voicing(0.5)
    voicing.enabled = False
    assert found([0.9] * 10, voicing) == []


def in_a_room(dbfs: float) -> Voicing:
    """A voicing that has heard ten seconds of a room of this level."""
    voicing = Voicing(0.5)
    assert found([0.1] * 312, voicing, dbfs) == []
    return voicing


def test_sound_that_does_not_stand_out_of_the_room_must_be_surer() -> None:
    assert found([0.8] * 10, in_a_room(-45), dbfs=-42) == []
    assert found([0.95] * 10, in_a_room(-45), dbfs=-42) == [Onset(0)]
    assert found([0.6] * 10, in_a_room(-45), dbfs=-33) == [Onset(0)]
    assert found([0.6] * 10, in_a_room(-72), dbfs=-42) == [Onset(0)]


def test_the_guard_counts_for_faint_sound_too_and_nothing_makes_the_caller_unheard() -> None:
    voicing = in_a_room(-45)
    voicing.guarded = True
    assert found([0.94] * 10, voicing, dbfs=-45) == []
    assert found([0.96] * 2, voicing, dbfs=-45) == [Onset(0)]


def test_a_new_call_hears_a_quiet_caller_at_once() -> None:
    assert found([0.6, 0.6], Voicing(0.5), dbfs=-50) == [Onset(0)]


def test_a_caller_who_speaks_for_long_does_not_become_the_room() -> None:
    voicing = in_a_room(-60)
    sentence = [(1.0, -22.0)] * 60 + [(0.1, -60.0)] * 12  # 2 s, and a breath
    for probability, dbfs in sentence * 30:
        found([probability], voicing, dbfs)
    assert found([0.6, 0.6], voicing, dbfs=-35) == [Onset(0)]


def test_noise_that_is_taken_for_speech_becomes_the_room() -> None:
    voicing = in_a_room(-60)
    assert found([0.9] * 1250, voicing, dbfs=-40) == [Onset(0)]  # 40 s
    voicing.reset()
    assert found([0.85] * 10, voicing, dbfs=-40) == []
