"""What is told of every model's name."""

from server.model_routes import known, shown
from transports.realtime import aliases


def test_a_name_says_what_it_may_be_named_for() -> None:
    told = known("qwen")
    assert told["qwen"] == ("chat",)
    assert told["tts-1"] == ("speech",)
    assert told["gpt-realtime"] == ("realtime",)
    assert told["voiceforge"] == ("speech", "realtime")
    assert told["gpt-realtime-whisper"] == ("transcription",)


def test_only_the_fast_transcriber_knows_no_times_of_words() -> None:
    told = {name: shown(name, tasks).voiceforge for name, tasks in known("qwen").items()}
    timeless = [n for n, own in told.items() if "transcription" in own.tasks and not own.word_times]
    assert timeless == [aliases.FAST_TRANSCRIBER]
    assert not told["tts-1"].word_times
