"""Words become sentences that fit below a film, and subtitles."""

from engine.capabilities import TimedWord
from server.transcription.segments import MOST_CHARACTERS, MOST_MS, segments
from server.transcription.subtitles import srt, stamp, vtt


def words(text: str, start_ms: int = 0, each_ms: int = 300) -> list[TimedWord]:
    return [
        TimedWord(word, start_ms + at * each_ms, start_ms + at * each_ms + each_ms - 50, 0.5)
        for at, word in enumerate(text.split(" "))
    ]


def test_a_sentence_is_a_segment() -> None:
    said = words('Is it late? "It is." Then, let us go!')
    assert [one.text for one in segments(said)] == ["Is it late?", '"It is."', "Then, let us go!"]
    first = next(iter(segments(said)))
    assert (first.start_ms, first.end_ms) == (0, 850)
    assert abs(first.probability - 0.5) < 1e-9


def test_a_pause_ends_one() -> None:
    said = words("and then") + words("he came", start_ms=2000)
    assert [one.text for one in segments(said)] == ["and then", "he came"]


def test_none_is_too_long_to_be_read() -> None:
    for each_ms in (100, 900):
        for one in segments(words("wordy " * 100 + "end", each_ms=each_ms)):
            assert len(one.text) <= MOST_CHARACTERS
            assert one.end_ms - one.start_ms <= MOST_MS


def test_where_no_spaces_are_written_there_are_none() -> None:
    said = words("你 好。 再 见")
    assert [one.text for one in segments(said, spaced=False)] == ["你好。", "再见"]


def test_subtitles_have_their_times_and_nothing_in_them_is_markup() -> None:
    said = [*segments(words("One <b>two</b> & three.") + words("Four.", start_ms=3_723_004))]
    assert srt(said) == (
        "1\n00:00:00,000 --> 00:00:01,150\nOne <b>two</b> & three.\n\n"
        "2\n01:02:03,004 --> 01:02:03,254\nFour.\n"
    )
    assert vtt(said) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.150\nOne &lt;b&gt;two&lt;/b&gt; &amp; three.\n\n"
        "01:02:03.004 --> 01:02:03.254\nFour.\n"
    )
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n"
    assert stamp(359_999_999, ".") == "99:59:59.999"
