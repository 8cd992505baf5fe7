"""Onsets and hushes from probabilities."""

from engine.frames import Frame, Hush, Onset, Voice
from engine.voicing import Voicing

WINDOW = 512


def found(probabilities: list[float], voicing: Voicing | None = None) -> list[Frame]:
    """What a voicing finds in windows of these probabilities."""
    voicing = voicing or Voicing(0.5)
    frames: list[Frame] = []
    voicing.emit = frames.append
    for index, probability in enumerate(probabilities, 1):
        voicing.receive(Voice(probability, index * WINDOW))
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
