"""What is asked of a transcription, and how it is told."""

import pytest

from engine.capabilities import TimedWord
from server.access.denied import Denied
from server.transcription.openai_forms import hearing, usage, wanted
from server.transcription.told import Told
from server.transcription.transcribing import Heard


def heard(text: str, language: str = "en", confidence: float = 0.9, at_ms: int = 0) -> Heard:
    words = tuple(
        TimedWord(word, at_ms + 300 * n, at_ms + 300 * n + 250, 0.9)
        for n, word in enumerate(text.split())
    )
    return Heard(text, language, confidence, at_ms, at_ms + 30_000, words)


def test_a_doubtful_language_gives_way_to_one_that_is_sure() -> None:
    told = Told()
    for one in (heard("うん", "ja", 0.3), heard("Good morning.", at_ms=30_000), heard("", "de")):
        told.take(one)
    assert (told.text, told.language) == ("うん Good morning.", "en")
    assert [one.text for one in told.segments()] == ["うん", "Good morning."]
    assert usage(told) == {"type": "duration", "seconds": 30.0}


def test_languages_without_spaces_get_none() -> None:
    told = Told()
    assert [told.take(heard(text, "zh")) for text in ("你好。", "再见。")] == ["你好。", "再见。"]


def test_names_in_a_prompt_are_terms_and_prose_is_not() -> None:
    prose = "This recording is about a company that sells telephones, "
    asked = wanted({"prompt": [prose * 2 + "Zadarma; VoiceForge\nMoritz Keller"]})
    assert hearing(asked).terms == ("Zadarma", "VoiceForge", "Moritz Keller")
    many = wanted({"prompt": [",".join(f"Name{n}" for n in range(500))]})
    assert len(hearing(many).terms) == 100


def test_the_last_of_several_values_counts_and_lists_are_lists() -> None:
    asked = wanted({"model": ["gpt-9", "whisper-1"], "timestamp_granularities[]": ["word"]})
    assert (asked.model, asked.timestamp_granularities) == ("whisper-1", ["word"])
    with pytest.raises(Denied, match=r"timestamp_granularities"):
        wanted({"timestamp_granularities": ["letter"]})
