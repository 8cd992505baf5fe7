"""espeak-ng, the real program: it speaks, and it is held to what we ask of it."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from actors import espeak
from actors.espeak import Espeak, handler
from actors.handlers import Share
from actors.moonshine import Moonshine
from actors.store import Store
from actors.voices.catalogue import catalogue
from actors.voices.here import PROGRAM
from engine.capabilities import Clip, Speech, Utterance
from engine.inference import BadPayload, InferenceError
from tests.said import LONG, pcm, plain, sound, word_errors, words

RATE_HZ = 16_000
LANGUAGES = """
af am ar bg bn ca cmn cs cy da de el en-us es et eu fa fi fr-fr gu he hi hr hu hy id is it ja
ka kn ko lt lv mk ml mr ms nb ne nl pa pl pt-br ro ru sk sl sq sr sv sw ta te th tr uk ur vi
"""


def speak(text: str, voice: str = "espeak-en-us", speed: float = 1.0) -> list[Speech]:
    return list(Espeak().speak(Utterance(text, voice, speed, RATE_HZ)))


def fake(folder: Path, script: str) -> Espeak:
    """A program of that name that does something else."""
    program = folder / PROGRAM
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return Espeak(str(program))


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_it_speaks_the_language(language: str) -> None:
    voice = catalogue().voice(f"espeak-{language}")
    chunks = speak(voice.sample, voice.id)
    heard = sound(chunks)
    assert RATE_HZ < len(heard) < 15 * RATE_HZ
    assert np.abs(heard).max() > 0.1
    spoken = words(chunks)
    assert spoken[0].start_char == 0
    assert spoken[-1].end_char == len(voice.sample)


def test_every_voice_of_the_catalogue_is_one_of_the_program() -> None:
    for voice in catalogue().of_engine("espeak"):
        assert np.abs(sound(speak(voice.sample, voice.id))).max() > 0.1, voice.id


def test_what_is_spoken_is_what_the_text_says() -> None:
    text = "The weather is nice today. We can meet at the park tomorrow, or you can call me."
    moonshine = Moonshine(Store().path("moonshine-tiny-en"))
    heard = moonshine.transcribe([Clip(pcm(speak(text)))])[0].text
    assert word_errors(plain(heard), plain(text)) <= 4  # of 17: it is a machine's voice


@pytest.mark.parametrize("text", [LONG, "Hi!", "One. Two. " * 20, "x" * 2000, "你好。" * 100])
def test_word_times_are_in_order_and_within_the_audio(text: str) -> None:
    chunks = speak(text, "espeak-cmn" if text.startswith("你") else "espeak-en-us")
    spoken = words(chunks)
    times = [time for word in spoken for time in (word.start_samples, word.end_samples)]
    assert times == sorted(times)
    assert 0 <= times[0] < RATE_HZ * 0.1
    assert times[-1] <= len(sound(chunks))
    places = [place for word in spoken for place in (word.start_char, word.end_char)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(text))


def test_a_long_text_comes_in_pieces() -> None:
    chunks = speak("This is one sentence of a text that has many of them. " * 50)
    assert len(chunks) == 50


def test_speed_is_speed() -> None:
    slow, usual, fast = (len(sound(speak(LONG, speed=speed))) for speed in (0.5, 1.0, 2.0))
    assert slow > 1.5 * usual > 2.2 * fast


@pytest.mark.parametrize("text", ["", "   ", "...!?", "🙂🎉", "\x00\x07", "**", "—"])
def test_text_with_nothing_to_speak_gives_nothing(text: str) -> None:
    assert speak(text) == []


def test_markup_phonemes_and_control_characters_are_not_obeyed() -> None:
    def size(text: str) -> int:
        return len(sound(speak(text)))

    plainly = size("hello there")
    assert size("**hello** `there`") == plainly
    assert size("[[hello there]]") == plainly
    assert size("hello \x01\x7f there") == pytest.approx(plainly, rel=0.02)
    assert size("<hello/> there") == pytest.approx(size("hello / there"), rel=0.02)


def test_the_text_never_stands_in_the_command(tmp_path: Path) -> None:
    program = fake(tmp_path, f'echo "$@" > {tmp_path}/argv; cat > {tmp_path}/stdin; exit 1')
    with pytest.raises(InferenceError, match="status 1 for voice espeak-hi") as failed:
        list(program.speak(Utterance("--version; secret", "espeak-hi", 2.0)))
    assert failed.value.code == "espeak_failed"
    assert (tmp_path / "argv").read_text() == "-v hi -s 350 -b 1 --stdin --stdout\n"
    assert (tmp_path / "stdin").read_text() == "--version; secret"


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "LIMIT_S", 1.0)
    program = fake(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(InferenceError, match="it took longer than 1 s"):
        list(program.speak(Utterance("Hello.", "espeak-en-us")))
    assert not alive(tmp_path / "pid")


def test_who_stops_listening_ends_the_program(tmp_path: Path) -> None:
    program = fake(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    speaking = program.speak(Utterance("Hello.", "espeak-en-us"))
    assert next(speaking) == Speech(b"", 24_000, ())  # it hangs: does anybody wait?
    began = time.monotonic()
    speaking.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 1
    assert not alive(tmp_path / "pid")


def test_what_is_no_sound_is_an_error(tmp_path: Path) -> None:
    program = fake(tmp_path, "cat >/dev/null; echo nonsense")
    with pytest.raises(InferenceError, match="made 9 bytes that are no WAV"):
        list(program.speak(Utterance("Hello.", "espeak-en-us")))


def test_without_the_program_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InferenceError, match="apt-get install espeak-ng") as failed:
        handler(Path(), Share())
    assert failed.value.code == "model_missing"


@pytest.mark.parametrize(
    ("utterance", "says"),
    [
        (Utterance("Hello.", "joe"), "voice is 'joe'.*--engine espeak"),
        (Utterance("Hello.", "espeak-../../etc"), "voice is"),
        (Utterance("Hello.", "espeak-hi", 5.0), "speed is 5.0"),
        (Utterance("Hello.", "espeak-hi", 1.0, 4000), "rate_hz is 4000"),
    ],
)
def test_what_cannot_be_spoken_is_refused(tmp_path: Path, utterance: Utterance, says: str) -> None:
    with pytest.raises(BadPayload, match=says):
        list(fake(tmp_path, "exit 1").speak(utterance))


def test_a_worker_can_run_it() -> None:
    served = handler(Path(), Share(lanes=2))
    served.warm_up()
    assert served.lanes == 2
    answered = list(served.run([Utterance("Good morning.", "espeak-en-gb", 1.0, 8000)]))
    assert answered[0][0] == 0
    assert answered[0][1].rate_hz == 8000


def alive(pid: Path) -> bool:
    status = subprocess.run(("ps", "-p", pid.read_text().strip()), capture_output=True, check=False)
    return status.returncode == 0
