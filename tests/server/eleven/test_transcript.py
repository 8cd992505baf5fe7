"""Transcripts as ElevenLabs' clients read them."""

import json
import math

import msgspec
import pytest

from engine.capabilities import TimedWord
from server.eleven.exports import Export, exported
from server.eleven.speech_to_text import SpeechToText
from server.eleven.transcript import Transcript, transcript
from server.eleven.words import timed
from server.eleven_transcription_routes import written
from server.transcription.told import Told
from server.transcription.transcribing import Heard


def told(*windows: tuple[str, str]) -> Told:
    """Texts, each with its language, of half a minute each; a word takes 250 of 300 ms."""
    all_of_it = Told()
    for number, (text, language) in enumerate(windows):
        begin = 30_000 * number
        words = tuple(
            TimedWord(word, begin + 300 * n, begin + 300 * n + 250, 0.5)
            for n, word in enumerate(text.split())
        )
        spoken = "".join(text.split()) if language == "zh" else text
        all_of_it.take(Heard(spoken, language, 0.8, begin, begin + 30_000, words))
    return all_of_it


GREETING = told(("Good morning. How are", "en"), ("you?", "en"))


def test_words_and_spaces_are_the_text_and_never_overlap() -> None:
    answer = transcript(SpeechToText("scribe_v2"), GREETING)
    assert (answer.text, answer.language_code) == ("Good morning. How are you?", "eng")
    assert (answer.language_probability, answer.audio_duration_secs) == (0.8, 60.0)
    assert "".join(word.text for word in answer.words) == answer.text
    assert [word.type for word in answer.words] == ["word", "spacing"] * 4 + ["word"]
    edges = [edge for word in answer.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)  # type: ignore[type-var]
    assert (answer.words[1].start, answer.words[1].end) == (0.25, 0.3)
    assert answer.words[0].logprob == round(math.log(0.5), 4)
    assert answer.additional_formats is None


def test_languages_without_spaces_get_none() -> None:
    answer = transcript(SpeechToText("scribe_v2", "zho"), told(("你 好。", "zh"), ("再见。", "zh")))
    assert [(word.text, word.type) for word in answer.words] == [
        *(("你", "word"), ("好。", "word"), ("再见。", "word"))
    ]
    assert (answer.language_code, answer.language_probability) == ("zho", 1.0)


def test_characters_follow_evenly_in_a_word() -> None:
    asked = SpeechToText("scribe_v2", timestamps_granularity="character")
    first = transcript(asked, GREETING).words[0]
    assert first.characters is not None
    assert [(one.text, one.start, one.end) for one in first.characters] == [
        ("G", 0.0, 0.062),
        ("o", 0.062, 0.125),
        ("o", 0.125, 0.188),
        ("d", 0.188, 0.25),
    ]


def test_words_that_are_empty_or_not_in_the_text_move_no_other() -> None:
    said = [
        TimedWord(text, 100 * n, 100 * n + 100, 0.5) for n, text in enumerate(("", "zwei", "b"))
    ]
    assert [(word.text, word.type) for word in timed("a b", said, by_character=True)] == [
        *(("zwei", "word"), ("a ", "spacing"), ("b", "word"))
    ]


def test_without_times_there_are_words_all_the_same() -> None:
    answer = transcript(SpeechToText("scribe_v2", timestamps_granularity="none"), GREETING)
    assert "".join(word.text for word in answer.words) == answer.text
    assert {(word.start, word.end) for word in answer.words} == {(None, None)}


def test_it_is_sent_as_json() -> None:
    asked = SpeechToText("scribe_v2", timestamps_granularity="character")
    sent = msgspec.json.decode(written(asked, GREETING), type=Transcript)
    assert sent == transcript(asked, GREETING)


def test_silence_has_no_language() -> None:
    silent = Told()
    silent.take(Heard("", "", 1.0, 0, 30_000, ()))
    answer = transcript(SpeechToText("scribe_v2"), silent)
    assert (answer.language_code, answer.language_probability, answer.words) == ("und", 0.0, [])


@pytest.mark.parametrize(
    ("export", "content"),
    [
        (
            Export("srt", max_characters_per_line=9),
            "1\n00:00:00,000 --> 00:00:00,550\nGood\nmorning.\n\n"
            "2\n00:00:00,600 --> 00:00:01,150\nHow are\n\n"
            "3\n00:00:30,000 --> 00:00:30,250\nyou?\n",
        ),
        (Export("txt"), "Good morning. How are you?\n"),
        (Export("txt", max_characters_per_line=14), "Good morning.\nHow are you?\n"),
        (
            Export("txt", include_timestamps=True),
            "[00:00:00.000] Good morning.\n[00:00:00.600] How are\n[00:00:30.000] you?\n",
        ),
    ],
)
def test_further_formats(export: Export, content: str) -> None:
    assert exported(GREETING, export).content == content


def test_segments_are_cut_as_is_asked() -> None:
    def texts(export: Export) -> list[str]:
        segments = json.loads(exported(GREETING, export).content)["segments"]
        return [one["text"] for one in segments]

    assert texts(Export("segmented_json")) == ["Good morning.", "How are", "you?"]
    assert texts(Export("segmented_json", max_segment_chars=8)) == [
        *("Good", "morning.", "How are", "you?")
    ]
    assert len(texts(Export("segmented_json", segment_on_silence_longer_than_s=0.04))) == 5
    assert len(texts(Export("segmented_json", max_segment_duration_s=0.3))) == 5
    words = json.loads(exported(GREETING, Export("segmented_json")).content)["segments"][1]["words"]
    assert [(word["text"], word["type"], word["start"]) for word in words] == [
        ("How", "word", 0.6),
        (" ", "spacing", 0.85),
        ("are", "word", 0.9),
    ]
