"""Kokoro with its real model: it says what the text says, when it says that it does."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from actors.kokoro import MODEL, VOCABULARY, Kokoro
from actors.kokoro_graph import FRAME_SAMPLES, KokoroGraph
from actors.moonshine import Moonshine
from actors.store import Store
from engine.capabilities import Clip, Speech, Utterance
from tests.said import AS_DIGITS, LONG, TRANSCRIBED, pcm, plain, sound, word_errors, words

pytestmark = pytest.mark.models

RATE_HZ = 16_000
VOICE = "jm_kumo"
MEDIUM = "We can meet at the park tomorrow, or you can call me on Friday."


@pytest.fixture(scope="module")
def folder() -> Path:
    """Kokoro is no default model: it is fetched by the first test that needs it."""
    return Store().pull("kokoro-82m")


@pytest.fixture(scope="module")
def kokoro(folder: Path) -> Kokoro:
    return Kokoro(folder, threads=2)


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine(Store().path("moonshine-tiny-en"))


def speak(kokoro: Kokoro, text: str, speed: float = 1.0, rate_hz: int = RATE_HZ) -> list[Speech]:
    return list(kokoro.speak(Utterance(text, VOICE, speed, rate_hz)))


def test_speech_transcribed_back_says_what_the_text_says(
    kokoro: Kokoro, moonshine: Moonshine
) -> None:
    wrong, total = 0, 0
    for text, said in TRANSCRIBED.items():
        transcript = moonshine.transcribe([Clip(pcm(speak(kokoro, text)))])[0].text
        got = [AS_DIGITS.get(word, word) for word in plain(transcript)]
        wrong += word_errors(got, said.split())
        total += len(said.split())
    assert wrong / total <= 0.08  # Moonshine's own rate on our labelled turns


@pytest.mark.parametrize("text", [LONG, "It costs $3.50 at 6:15 p.m., ok?", "Hi!"])
def test_word_times_are_in_order_and_within_the_audio(kokoro: Kokoro, text: str) -> None:
    chunks = speak(kokoro, text)
    spoken = words(chunks)
    times = [time for word in spoken for time in (word.start_samples, word.end_samples)]
    assert times == sorted(times)
    assert 0 <= times[0] < RATE_HZ * 0.1
    assert len(sound(chunks)) - RATE_HZ * 0.4 < times[-1] <= len(sound(chunks))
    assert spoken[0].start_char == 0
    assert spoken[-1].end_char == len(text)
    assert [word.start_char for word in spoken] == sorted({word.start_char for word in spoken})


def test_a_word_comes_with_the_chunk_that_it_begins_in(kokoro: Kokoro) -> None:
    chunks = speak(kokoro, LONG)
    assert len(chunks) > 3
    end = 0
    for chunk in chunks:
        end += len(chunk.pcm) // 2
        assert all(word.start_samples <= end + RATE_HZ // 50 for word in chunk.words)
        assert all(word.end_samples > end - len(chunk.pcm) // 2 for word in chunk.words)


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.5])
def test_words_lie_where_their_sound_is(kokoro: Kokoro, speed: float) -> None:
    chunks = speak(kokoro, "Nine. Seven. Eleven. Million.", speed)  # no sound with a closure
    loud = np.flatnonzero(np.abs(sound(chunks)) > 10 ** (-50 / 20))
    gaps = np.flatnonzero(np.diff(loud) > RATE_HZ * 0.06)
    spoken = words(chunks)
    for start in (loud[0], *loud[gaps + 1]):
        assert min(abs(word.start_samples - start) for word in spoken) < RATE_HZ * 0.06
    for end in (*loud[gaps], loud[-1]):
        assert min(abs(word.end_samples - end) for word in spoken) < RATE_HZ * 0.1  # it fades


def test_the_planned_lengths_are_those_of_the_sound(kokoro: Kokoro, folder: Path) -> None:
    graph = KokoroGraph(folder / MODEL, 1)
    style = np.load(folder / "voices_ja.npz")[VOICE][20]
    for speed in (0.5, 1.0, 2.0):
        plan = graph.plan([0, *range(43, 64), 0], style, speed)
        assert plan.lengths.sum() == plan.frames
        assert len(graph.decode(plan, 0, plan.frames)) == plan.frames * FRAME_SAMPLES


def test_speed_is_how_much_faster_it_speaks(kokoro: Kokoro) -> None:
    def length(speed: float) -> int:
        return words(speak(kokoro, MEDIUM, speed))[-1].end_samples

    usual = length(1.0)
    for speed in (0.5, 0.8, 1.25, 1.5):
        assert length(speed) == pytest.approx(usual / speed, rel=0.1)
    assert length(4.0) < usual / 1.7  # as fast as the voice goes


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_speech_comes_at_the_rate_that_is_wanted(kokoro: Kokoro, rate_hz: int) -> None:
    chunks = speak(kokoro, "Good morning.", 1.0, rate_hz)
    usual = speak(kokoro, "Good morning.")
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    assert len(sound(chunks)) / rate_hz == pytest.approx(len(sound(usual)) / RATE_HZ, abs=0.01)
    assert words(chunks)[-1].end_samples / rate_hz == pytest.approx(
        words(usual)[-1].end_samples / RATE_HZ, abs=0.01
    )


@pytest.mark.parametrize(("stop", "pause_ms"), [(".", 200), ("?", 200), (",", 80)])
def test_sound_begins_at_once_and_a_stop_leaves_its_pause(
    kokoro: Kokoro, stop: str, pause_ms: int
) -> None:
    samples = sound(speak(kokoro, f"We can go to the park{stop}"))
    loud = np.flatnonzero(np.abs(samples) > 10 ** (-50 / 20))
    assert loud[0] <= RATE_HZ * 0.015
    assert (len(samples) - loud[-1]) * 1000 / RATE_HZ == pytest.approx(pause_ms, abs=60)


def test_no_click_is_heard_where_two_windows_meet(kokoro: Kokoro) -> None:
    chunks = speak(kokoro, LONG, 1.0, 24_000)
    steps = np.abs(np.diff(sound(chunks)))
    seams = np.cumsum([len(chunk.pcm) // 2 for chunk in chunks])[:-1]
    for seam in seams:
        near = steps[seam - 2400 : seam + 2400]
        assert steps[seam - 12 : seam + 12].max() <= near.max()
        assert steps[seam - 1] < 0.15


def test_the_same_text_always_sounds_the_same_in_any_thread(kokoro: Kokoro) -> None:
    alone = pcm(speak(kokoro, "Good morning."))
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda _: pcm(speak(kokoro, "Good morning.")), range(2)))
    assert together == [alone, alone]


def test_every_voice_speaks_and_none_like_another(kokoro: Kokoro) -> None:
    assert VOICE in kokoro.voices
    said = {
        pcm(list(kokoro.speak(Utterance("Good morning.", voice, 1.0, RATE_HZ))))
        for voice in kokoro.voices
    }
    assert len(said) == len(kokoro.voices) == 5
    assert all(len(speech) > RATE_HZ for speech in said)


@pytest.mark.parametrize(
    "text", ["", " \n", "🎉🎉", "שלום עולם", "你好。", "\x00", "...", "---", "**"]
)
def test_text_with_nothing_to_speak_gives_nothing(kokoro: Kokoro, text: str) -> None:
    assert speak(kokoro, text) == []


@pytest.mark.parametrize("text", ["Hello\x00 🎉 שלום there.", "7" * 12, "Zxqv brrgh!"])
def test_odd_text_is_spoken_as_far_as_it_goes(kokoro: Kokoro, text: str) -> None:
    chunks = speak(kokoro, text)
    assert len(sound(chunks)) > RATE_HZ * 0.3
    assert words(chunks)[-1].end_char == len(text)


@pytest.mark.parametrize("text", ["The library opens at nine tomorrow, and " * 200, "x" * 900])
def test_text_beyond_the_models_context_is_spoken_in_bounded_windows(
    kokoro: Kokoro, text: str
) -> None:
    first = list(itertools.islice(kokoro.speak(Utterance(text, VOICE, 4.0, RATE_HZ)), 4))
    assert len(first) == 4
    assert max(len(chunk.pcm) for chunk in first) < 2 * RATE_HZ * 4


def test_what_cannot_be_done_is_refused_with_its_limits(kokoro: Kokoro) -> None:
    with pytest.raises(ValueError, match=r"speed is 5.0: it must be 0.25 to 4.0"):
        speak(kokoro, "Hi", 5.0)
    with pytest.raises(ValueError, match=r"rate_hz is 4000: it must be 8000 to 48000"):
        speak(kokoro, "Hi", 1.0, 4000)
    with pytest.raises(ValueError, match=r"voice is 'joe': it must be jf_alpha, .*, jm_kumo"):
        list(kokoro.speak(Utterance("Hi", "joe")))


def test_a_folder_without_the_model_is_refused_by_name(tmp_path: Path, folder: Path) -> None:
    (tmp_path / VOCABULARY).write_bytes((folder / VOCABULARY).read_bytes())
    with pytest.raises(FileNotFoundError, match=r"holds no kokoro-v1.0.int8.onnx, voices_ja.npz"):
        Kokoro(tmp_path)


def test_another_graph_is_refused() -> None:
    other = next(Store().path("piper-joe").glob("*.onnx"))
    with pytest.raises(ValueError, match=r"it is not kokoro-v1\.0\.int8\.onnx"):
        KokoroGraph(other, 1)
