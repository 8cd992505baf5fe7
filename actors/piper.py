"""Piper: English text to speech on a CPU, streamed, with the time of every word."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from sanotts.piper_g2p import misaki_to_espeak_ipa

from actors import ipa
from actors.handlers import Share, Spoken
from actors.onnx_session import CPU, quickest
from actors.phonemes import Phonemes, Sound
from actors.piper_graph import FRAME_SAMPLES, PiperGraph, Plan
from actors.rendition import Rendition, Timed, Window, check, cuts, with_last
from engine.capabilities import Speech, Utterance

_BEGIN, _PAD, _END = 1, 0, 2
_WINDOW_FRAMES: Final = (32, 128)
"""Windows of the decoder: 0.37 s, so that speech starts early, then 1.5 s (2.2 at the end). Every
window costs the flow 64 and the decoder 24 frames of context, about 25 ms on one core."""


def handler(folder: Path, share: Share) -> Spoken:
    """The voice as a worker serves it: utterances run side by side, each on one thread.

    Padding utterances to one length hums, and costs more than it saves (architecture.md).
    """
    warm = Utterance("Good morning, what can I do for you?", "joe")

    def on(provider: str) -> Spoken:
        voice = Piper(folder, share.threads, provider)
        lanes = share.lanes if provider == CPU else 1  # a GPU does one thing after the other
        return Spoken(voice.speak, warm, lanes=lanes)

    return quickest(on)


class Piper:
    """One English voice of Piper's (VITS). Threads may share it.

    The same text always sounds the same: the model's noise is drawn once, from a fixed seed.
    """

    rate_hz = 22050
    """What the model makes; `speak` resamples it to what the utterance asks for."""

    def __init__(self, folder: Path, threads: int = 1, provider: str = CPU) -> None:
        """`folder` holds one voice: `NAME.onnx` and `NAME.onnx.json`.

        Raises `FileNotFoundError` if they are not there, `ValueError` for another language.
        """
        model = next(iter(sorted(folder.glob("*.onnx"))), None)
        if model is None:
            raise FileNotFoundError(f"{folder} holds no .onnx file: pull the voice first")
        voice = json.loads(model.with_suffix(".onnx.json").read_text("utf-8"))
        language = voice["espeak"]["voice"]
        if language.partition("-")[0] != "en":
            raise ValueError(f"{model} speaks {language!r}: only English voices can be read to")
        self.rate_hz = int(voice["audio"]["sample_rate"])
        self._noise = float(voice["inference"]["noise_scale"])
        self._length = float(voice["inference"]["length_scale"])
        self._duration_noise = float(voice["inference"]["noise_w"])
        self._graph = PiperGraph(model, threads, provider)
        self._phonemes = Phonemes(voice["phoneme_id_map"], ipa.plain, _espeak)

    def speak(self, utterance: Utterance) -> Iterator[Speech]:
        """Speak; the first `Speech` comes before the rest is decoded.

        A word's times are those of its own phonemes, pauses left out, in samples from the
        utterance's start; it comes with the chunk that it begins in. Text with nothing to speak
        gives nothing. Raises `BadPayload` for a speed or a rate that `check` refuses.
        """
        check(utterance)
        rendition = Rendition(self.rate_hz, utterance.rate_hz)
        breaths = self._phonemes.breaths(utterance.text, utterance.pronounced)
        for sounds, last in with_last(breaths):
            ids, places = self._sequence(sounds)
            plan = self._graph.plan(ids, self._length, self._duration_noise, utterance.speed)
            ends = np.concatenate(([0.0], np.cumsum(plan.lengths))).astype(np.int64) * FRAME_SAMPLES
            words = [
                Timed(sound.word, int(ends[first]), int(ends[last]))
                for sound, (first, last) in zip(sounds, places, strict=True)
            ]
            yield from rendition.run(self._windows(plan), words, last=last)

    def _sequence(self, sounds: list[Sound]) -> tuple[list[int], list[tuple[int, int]]]:
        """The model's input, padded as Piper was trained, and where in it each word stands."""
        ids, places = [_BEGIN, _PAD], list[tuple[int, int]]()
        for sound in sounds:
            if places:
                ids += [number for space in self._phonemes.space for number in (space, _PAD)]
            first = len(ids)
            ids += [number for phoneme in sound.ids for number in (phoneme, _PAD)]
            places.append((first, len(ids)))
            ids += [number for mark in sound.stop for number in (mark, _PAD)]
        return [*ids, _END], places

    def _windows(self, plan: Plan) -> Iterator[Window]:
        for start, end in cuts(plan.frames, _WINDOW_FRAMES):
            samples = self._graph.decode(plan, start, end, self._noise)
            yield Window(samples, end == plan.frames)


def _espeak(phonemes: str) -> str:
    """misaki's alphabet in espeak's IPA, which Piper's voices were trained on."""
    return unicodedata.normalize("NFD", misaki_to_espeak_ipa(phonemes))
