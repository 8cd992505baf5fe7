"""Where audio lies on the timeline of both sides."""

from server.recording.timeline import TICKS_HZ, Timeline

FRAME = TICKS_HZ // 50


def at(seconds: float) -> int:
    return round(seconds * TICKS_HZ)


def test_a_callers_audio_ends_when_it_comes_in_and_jitter_moves_nothing() -> None:
    line = Timeline()
    begun = [line.hear(FRAME, 1.0 + 0.02 * n + (0.1 if n % 7 == 3 else 0)) for n in range(50)]
    assert begun == [at(0.98) + n * FRAME for n in range(50)]


def test_a_line_that_was_down_is_silence() -> None:
    line = Timeline()
    line.hear(FRAME, 0.02)
    assert line.hear(FRAME, 3.0) == at(2.98)
    assert line.hear(FRAME, 3.02) == at(3.0)


def test_an_answer_lies_where_it_was_sent_and_goes_on_where_it_ended() -> None:
    line = Timeline()
    burst = [line.say(FRAME, 2.0) for _ in range(5)]
    assert burst == [at(2.0) + n * FRAME for n in range(5)]
    assert line.say(FRAME, 2.15) == at(2.1)  # a little late: it was paced, and is heard without gap
    assert line.say(FRAME, 4.0) == at(4.0)


def test_who_speaks_faster_than_time_is_answered_behind_what_was_said() -> None:
    line = Timeline()
    assert line.hear(at(10), 0.1) == 0
    assert line.say(FRAME, 1.1) == at(11)
    assert line.hear(FRAME, 5.0) == at(14.88)


def test_both_sides_at_once_lie_side_by_side() -> None:
    line = Timeline()
    for n in range(100):
        assert line.hear(FRAME, 0.02 * (n + 1)) == n * FRAME
        assert line.say(FRAME, 0.02 * n) == n * FRAME
