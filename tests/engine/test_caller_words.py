"""What the client is told of the caller's words."""

from engine.caller_words import CallerWords
from engine.frames import (
    CallerTranscript,
    CallerTranscriptDelta,
    CallerTranscriptFailed,
    Failure,
    Frame,
    ItemWords,
    WordsFailed,
)


def wanted(*, transcripts: bool = True) -> tuple[CallerWords, list[Frame]]:
    told: list[Frame] = []
    words = CallerWords(told.append)
    words.wanted = transcripts
    return words, told


def test_stable_words_are_told_as_they_grow_and_once() -> None:
    words, told = wanted()
    words.begin()
    for stable in ("", "what", "what", "what time", "what time is it"):
        words.tell_stable("item", stable)
    assert told == [
        CallerTranscriptDelta("item", "what"),
        CallerTranscriptDelta("item", " time"),
        CallerTranscriptDelta("item", " is it"),
    ]


def test_a_turn_is_told_by_its_words_or_by_why_there_are_none() -> None:
    words, told = wanted()
    words.tell_turn("one", "hello", 1.5)
    words.recognised(WordsFailed("worker_lost", "it died", 0))
    words.tell_turn("two", "hel", 1.0)
    words.forget()
    words.tell_turn("three", "", -0.1)
    assert told == [
        CallerTranscript("one", "hello", 1.5),
        CallerTranscriptFailed("two", "worker_lost", "it died"),
        CallerTranscript("three", "", 0.0),
    ]


def test_a_later_transcript_heals_a_failure() -> None:
    words, told = wanted()
    words.recognised(WordsFailed("worker_lost", "it died", 0))
    words.recognised()
    words.tell_turn("one", "hello", 1.0)
    assert told == [CallerTranscript("one", "hello", 1.0)]


def test_who_wants_no_transcripts_is_told_of_failures_only() -> None:
    words, told = wanted(transcripts=False)
    words.tell_stable("one", "hello")
    words.tell_turn("one", "hello", 1.0)
    words.tell_recording(ItemWords("two", "hello", 1.0))
    words.tell_recording(ItemWords("three", None, 1.0, "worker_lost", "it died"))
    assert told == [Failure("server_error", "worker_lost", "it died")]
