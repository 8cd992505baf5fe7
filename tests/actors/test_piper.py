"""Piper with its real voice: it says what the text says, when it says that it does."""

import itertools
import time

import numpy as np
import pytest

from actors import piper_graph
from actors.moonshine import Moonshine
from actors.piper import Piper
from actors.store import Store
from engine.capabilities import Clip, Pronounced, Speech, Utterance
from tests.said import AS_DIGITS, LONG, TRANSCRIBED, pcm, plain, sound, word_errors, words

RATE_HZ = 16_000
QUIET = 10 ** (-50 / 20)
MEDIUM = "We can meet at the park tomorrow, or you can call me on Friday."


@pytest.fixture(scope="module")
def piper() -> Piper:
    return Piper(Store().path("piper-joe"))


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine(Store().path("moonshine-tiny-en"))


def speak(piper: Piper, text: str, speed: float = 1.0, rate_hz: int = RATE_HZ) -> list[Speech]:
    return list(piper.speak(Utterance(text, "joe", speed, rate_hz)))


def test_speech_transcribed_back_says_what_the_text_says(
    piper: Piper, moonshine: Moonshine
) -> None:
    wrong, total = 0, 0
    for text, said in TRANSCRIBED.items():
        transcript = moonshine.transcribe([Clip(pcm(speak(piper, text)))])[0].text
        got = [AS_DIGITS.get(word, word) for word in plain(transcript)]
        wrong += word_errors(got, said.split())
        total += len(said.split())
    assert wrong / total <= 0.08  # Moonshine's own rate on our labelled turns


@pytest.mark.parametrize(
    "text", [LONG, "It costs $3.50 at 6:15 p.m., ok?", "Hi!", "One. Two. " * 20]
)
def test_word_times_are_in_order_and_within_the_audio(piper: Piper, text: str) -> None:
    chunks = speak(piper, text)
    spoken = words(chunks)
    times = [time for word in spoken for time in (word.start_samples, word.end_samples)]
    assert times == sorted(times)
    assert 0 <= times[0] < RATE_HZ * 0.1
    assert len(sound(chunks)) - RATE_HZ * 0.4 < times[-1] <= len(sound(chunks))
    assert spoken[0].start_char == 0
    assert spoken[-1].end_char == len(text)
    assert [word.start_char for word in spoken] == sorted({word.start_char for word in spoken})


def test_a_word_comes_with_the_chunk_that_it_begins_in(piper: Piper) -> None:
    chunks = speak(piper, LONG)
    assert len(chunks) > 2
    end = 0
    for chunk in chunks:
        end += len(chunk.pcm) // 2
        assert all(word.start_samples <= end + RATE_HZ // 50 for word in chunk.words)
        assert all(word.end_samples > end - len(chunk.pcm) // 2 for word in chunk.words)


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.5])
def test_words_lie_where_their_sound_is(piper: Piper, speed: float) -> None:
    chunks = speak(piper, "Potato. Banana. Tomato. Carrot.", speed)
    loud = np.flatnonzero(np.abs(sound(chunks)) > 10 ** (-45 / 20))
    gaps = np.flatnonzero(np.diff(loud) > RATE_HZ * 0.03)
    starts = [loud[0], *loud[gaps + 1]]
    ends = [*loud[gaps], loud[-1]]
    spoken = words(chunks)
    for word in spoken:
        assert min(abs(word.start_samples - start) for start in starts) < RATE_HZ * 0.06
        assert min(abs(word.end_samples - end) for end in ends) < RATE_HZ * 0.06


def test_speed_is_how_much_faster_it_speaks(piper: Piper) -> None:
    def length(speed: float) -> int:
        return words(speak(piper, MEDIUM, speed))[-1].end_samples

    usual = length(1.0)
    for speed in (0.5, 0.8, 1.25, 1.5):
        assert length(speed) == pytest.approx(usual / speed, rel=0.05)
    assert length(4.0) < usual / 1.7  # as fast as the voice goes


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 24_000, 48_000])
def test_speech_comes_at_the_rate_that_is_wanted(piper: Piper, rate_hz: int) -> None:
    chunks = speak(piper, MEDIUM, 1.0, rate_hz)
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    seconds = len(sound(speak(piper, MEDIUM))) / RATE_HZ
    assert len(sound(chunks)) / rate_hz == pytest.approx(seconds, abs=0.01)
    assert words(chunks)[-1].end_samples / rate_hz == pytest.approx(
        words(speak(piper, MEDIUM))[-1].end_samples / RATE_HZ, abs=0.01
    )


@pytest.mark.parametrize(("stop", "pause_ms"), [(".", 200), ("?", 200), (",", 80)])
def test_sound_begins_at_once_and_a_stop_leaves_its_pause(
    piper: Piper, stop: str, pause_ms: int
) -> None:
    loud = np.flatnonzero(np.abs(sound(speak(piper, f"We can go to the park{stop}"))) > QUIET)
    end = len(sound(speak(piper, f"We can go to the park{stop}")))
    assert loud[0] <= RATE_HZ * 0.015
    assert (end - loud[-1]) * 1000 / RATE_HZ == pytest.approx(pause_ms, abs=40)


def test_windows_give_the_samples_of_the_whole_run() -> None:
    path = next(Store().path("piper-joe").glob("*.onnx"))
    graph = piper_graph.PiperGraph(path, 1)
    plan = graph.plan([1, 0, *[25, 0, 14, 0, 26, 0, 3, 0, 31, 0, 21, 0] * 12, 2], 1.0, 0.8)
    whole = graph.decode(plan, 0, plan.frames, 0.667)
    cuts = [*range(0, plan.frames, 37), plan.frames]
    parts = [graph.decode(plan, a, b, 0.667) for a, b in itertools.pairwise(cuts)]
    assert np.abs(whole).max() > 0.05
    assert np.abs(whole - np.concatenate(parts)).max() < 1e-4


def test_the_same_text_always_sounds_the_same(piper: Piper) -> None:
    assert pcm(speak(piper, "Good morning.")) == pcm(speak(piper, "Good morning."))


@pytest.mark.parametrize(
    "text", ["", " \n", "🎉🎉", "שלום עולם", "你好。", "\x00", "...", "---", "**"]
)
def test_text_with_nothing_to_speak_gives_nothing(piper: Piper, text: str) -> None:
    assert speak(piper, text) == []


@pytest.mark.parametrize("text", ["Hello\x00 🎉 שלום there.", "x" * 450, "7" * 40, "Zxqv brrgh!"])
def test_odd_text_is_spoken_as_far_as_it_goes(piper: Piper, text: str) -> None:
    chunks = speak(piper, text)
    assert len(sound(chunks)) > RATE_HZ * 0.3
    assert words(chunks)[-1].end_char == len(text)


def test_ten_thousand_characters_are_spoken_in_bounded_stretches(piper: Piper) -> None:
    text = "The library opens at nine tomorrow, and it closes late " * 182
    first = list(itertools.islice(piper.speak(Utterance(text, "joe", 4.0, RATE_HZ)), 16))
    assert max(len(chunk.pcm) for chunk in first) < 2 * RATE_HZ * 3
    assert words(first)[-1].end_char > 300


def test_what_cannot_be_done_is_refused_with_its_limits(piper: Piper) -> None:
    with pytest.raises(ValueError, match=r"speed is 5.0: it must be 0.25 to 4.0"):
        speak(piper, "Hi", 5.0)
    with pytest.raises(ValueError, match=r"rate_hz is 4000: it must be 8000 to 48000"):
        speak(piper, "Hi", 1.0, 4000)


def test_a_word_without_end_keeps_nobody_waiting_for_long(piper: Piper) -> None:
    """The time for a word of unknown letters grows with the square of their number."""
    letters = "xqzv" * 1000
    told = Pronounced(0, len(letters), "pəˈteɪtoʊ")
    for utterance in (
        Utterance(letters, "joe", pronounced=(told,)),
        Utterance(letters[:600], "joe"),
    ):
        began = time.thread_time()
        next(piper.speak(utterance))
        assert time.thread_time() - began < 12  # it was 37
