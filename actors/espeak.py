"""espeak-ng: a hundred languages spoken by a machine, where no better voice is here.

It is a program of its own (GPL): nothing of it is linked or imported. It is started for each
stretch of text, which it reads from standard input, where no list of processes shows it.
"""

import shutil
import struct
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from actors.handlers import Share, Spoken
from actors.onnx_parts import Floats
from actors.pronounce import Word
from actors.rendition import Rendition, Timed, Window, check, with_last
from actors.voices.catalogue import catalogue
from actors.voices.here import PROGRAM
from actors.written_words import words_of
from engine.capabilities import Speech, Utterance
from engine.inference import BadPayload, InferenceError

PREFIX: Final = "espeak-"
"""An id of a voice is this and the name that the program has for it."""

LIMIT_S = 10.0
"""For a stretch, of which a core makes a hundred seconds in one. Longer, and the program hangs."""

_LOOK_S: Final = 1.0
"""How often a run that hangs looks whether anybody still waits for it."""

_USUAL_PER_MINUTE: Final = 175
_LEAST_PER_MINUTE: Final = 80
"""Words: the program's own usual speed, and the least that it takes."""

_STRETCH_CHARS: Final = 240
_STRETCH_STOP_CHARS: Final = 40
"""The most that is spoken at once, and from where on the end of a sentence ends a stretch."""

_SILENCE: Final = 10 ** (-50 / 20)

_MARKS: Final = frozenset("*_`~#|<>{}[]\\^")
"""Markdown and markup, which the program would name; and "[[", behind which it takes phonemes."""

_JOINERS: Final = frozenset("\u200c\u200d")  # Persian and Indic spelling needs them


def handler(folder: Path, share: Share) -> Spoken:
    """The voices as a worker serves them: one run of the program in each lane.

    `folder` is of no use: there are no weights. Raises `InferenceError` if the program is missing.
    """
    warm = Utterance("Good morning.", f"{PREFIX}en-us")
    return Spoken(Espeak().speak, warm, lanes=share.lanes)


class Espeak:
    """All voices of espeak-ng. Threads may share it. The same text always sounds the same."""

    def __init__(self, program: str = PROGRAM) -> None:
        """Raises `InferenceError` if there is no `program`."""
        found = shutil.which(program)
        if found is None:
            raise InferenceError(
                "model_missing",
                f"there is no program {program} on this machine: apt-get install {PROGRAM}",
            )
        self._program = found
        self._voices = frozenset(voice.id for voice in catalogue().of_engine("espeak"))

    def speak(self, utterance: Utterance) -> Iterator[Speech]:
        """Speak, stretch by stretch: sentences, or 240 characters at most.

        A stretch begins and ends when its sound does. In between, times of words are an estimate:
        the program tells none, so each word gets as much of the sound as it has of the stretch's
        letters. Below a speed of 0.46 it speaks as at 0.46. Text with nothing to speak gives
        nothing. Who stops listening ends the program. Raises `BadPayload` for a voice that is not
        the program's, and for a speed or a rate that `check` refuses, `InferenceError` if the
        program fails or takes longer than `LIMIT_S`.
        """
        check(utterance)
        if utterance.voice not in self._voices:
            raise BadPayload(
                f"voice is {utterance.voice[:64]!r}: it must be one that `voiceforge voices "
                "--engine espeak` lists"
            )
        text = _sayable(utterance.text)
        rendition: Rendition | None = None
        for stretch, last in with_last(_stretches(words_of(text))):
            said = text[stretch[0].start_char : stretch[-1].end_char]
            sound = b""
            for sound in self._run(utterance.voice, utterance.speed, said):
                if not sound:
                    yield Speech(b"", utterance.rate_hz, ())
            rate_hz, samples = _samples(sound)
            rendition = rendition or Rendition(rate_hz, utterance.rate_hz)
            windows = [Window(samples, last=True)]
            yield from rendition.run(windows, _spread(stretch, samples), last=last)

    def _run(self, voice: str, speed: float, text: str) -> Iterator[bytes]:
        """What the program makes of `text`, a WAV file; before it nothing, now and then, so that
        who asked can stop it.
        """
        per_minute = max(_LEAST_PER_MINUTE, round(_USUAL_PER_MINUTE * speed))
        command = (self._program, "-v", voice.removeprefix(PREFIX), "-s", str(per_minute))
        options = ("-b", "1", "--stdin", "--stdout")  # 1: UTF-8
        with subprocess.Popen(
            (*command, *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it quotes what it is given
        ) as running:
            try:
                told: bytes | None = text.encode()
                for _ in range(round(LIMIT_S / _LOOK_S)):
                    try:
                        sound, _errors = running.communicate(told, timeout=_LOOK_S)
                        break
                    except subprocess.TimeoutExpired:
                        told = None  # it is kept, and still being sent
                        yield b""
                else:
                    raise InferenceError(
                        "espeak_slow", f"{PROGRAM} was ended: it took longer than {LIMIT_S:g} s"
                    )
            finally:
                running.kill()  # nothing, if it has ended
        if running.returncode or not sound:
            raise InferenceError(
                "espeak_failed",
                f"{PROGRAM} ended with status {running.returncode} for voice {voice}: see whether "
                f"`{PROGRAM} --voices` lists it",
            )
        yield sound


def _sayable(text: str) -> str:
    """`text` with a space for each character that is not to be spoken, so that places stay."""
    return "".join(char if _is_sayable(char) else " " for char in text)


def _is_sayable(char: str) -> bool:
    if char in _JOINERS:
        return True
    kind = unicodedata.category(char)
    return char not in _MARKS and kind[0] != "C" and kind not in ("So", "Sk")


def _stretches(words: list[Word]) -> Iterator[list[Word]]:
    """`words` in runs of the program."""
    stretch: list[Word] = []
    for word in words:
        size = word.end_char - stretch[0].start_char if stretch else 0
        if size > _STRETCH_CHARS:
            yield stretch
            stretch = []
        stretch.append(word)
        if word.stop in (".", "!", "?") and size >= _STRETCH_STOP_CHARS:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _samples(wav: bytes) -> tuple[int, Floats]:
    """The rate in Hz and the sound, -1 to 1, of a WAV file whose lengths are not to be trusted: it
    was streamed.
    """
    at = wav.find(b"data", 0, 128)
    if at < 0 or wav[:4] != b"RIFF":
        raise InferenceError("espeak_failed", f"{PROGRAM} made {len(wav)} bytes that are no WAV")
    (rate_hz,) = struct.unpack_from("<I", wav, 24)
    pcm = wav[at + 8 :]
    steps = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    return rate_hz, steps.astype(np.float32) / np.float32(32768)


def _spread(words: list[Word], samples: Floats) -> list[Timed]:
    """Each word's share of what sounds, by its length in characters."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    first, last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(samples))
    ends = np.cumsum([0, *(len(word.text) for word in words)])
    places = (first + ends * (last - first) / ends[-1]).astype(np.int64).tolist()
    return [
        Timed(word, start, end) for word, start, end in zip(words, places, places[1:], strict=False)
    ]
