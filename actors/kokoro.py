"""Kokoro: text to speech in several voices, streamed, with the time of every word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from actors import ipa
from actors.handlers import Share, Spoken
from actors.kokoro_graph import FRAME_SAMPLES, KokoroGraph, Plan
from actors.onnx_parts import Floats
from actors.onnx_session import CPU, quickest
from actors.phonemes import Phonemes, Sound
from actors.rendition import Rendition, Timed, Window, check, cuts, with_last
from engine.capabilities import Speech, Utterance
from engine.inference import BadPayload

MODEL: Final = "kokoro-v1.0.int8.onnx"
VOICES: Final = "voices_ja.npz"
VOCABULARY: Final = "vocab.json"

_PAD: Final = 0
_LEAD_FRAMES: Final = 2
_TAIL_FRAMES: Final = 4
"""What is decoded of the silence around the sound, 50 and 100 ms: the model plans 0.4 s before and
0.5 s behind, a fifth of a sentence's cost."""

_WINDOW_FRAMES: Final = (32, 40, 56)
"""Windows of the decoder: 0.8 s, so that speech starts early, 1 s, then 1.4 s (2.1 at the end).
A frame of 25 ms takes 12 ms on an idle core, those of the context as well, so that each window is
made while the one ahead is heard; on a busy core it is late."""


class _Vocabulary(msgspec.Struct):
    vocab: dict[str, int]


def handler(folder: Path, share: Share) -> Spoken:
    """The voices as a worker serves them: utterances run side by side, each on one thread."""
    warm = Utterance("Good morning, what can I do for you?", "jm_kumo")

    def on(provider: str) -> Spoken:
        voice = Kokoro(folder, share.threads, provider)
        lanes = share.lanes if provider == CPU else 1  # a GPU does one thing after the other
        return Spoken(voice.speak, warm, lanes=lanes)

    return quickest(on)


class Kokoro:
    """All voices of a Kokoro model, speaking English. `speak` may run in several threads at once.

    The same text always sounds the same.
    """

    rate_hz = 24_000
    """What the model makes; `speak` resamples it to what the utterance asks for."""

    def __init__(self, folder: Path, threads: int = 1, provider: str = CPU) -> None:
        """`folder` holds `MODEL`, `VOICES` and `VOCABULARY`.

        Raises `FileNotFoundError` if they are not there, `ValueError` for another model.
        """
        missing = [name for name in (MODEL, VOICES, VOCABULARY) if not (folder / name).exists()]
        if missing:
            raise FileNotFoundError(f"{folder} holds no {', '.join(missing)}: pull kokoro-82m")
        known = msgspec.json.decode((folder / VOCABULARY).read_bytes(), type=_Vocabulary).vocab
        with np.load(folder / VOICES) as tables:
            self._styles: dict[str, Floats] = dict(tables)
        self._graph = KokoroGraph(folder / MODEL, threads, provider)
        self._phonemes = Phonemes({char: [number] for char, number in known.items()}, ipa.misaki)

    @property
    def voices(self) -> tuple[str, ...]:
        """The names that an utterance may ask for."""
        return tuple(self._styles)

    def speak(self, utterance: Utterance) -> Iterator[Speech]:
        """Speak; the first `Speech` comes before the rest is decoded.

        A word's times are those of its own phonemes, silence left out, in samples from the
        utterance's start; it comes with the chunk that it begins in. Text with nothing to speak
        gives nothing. Raises `BadPayload` for a voice that is not in `voices`, and for a speed or a
        rate that `check` refuses.
        """
        check(utterance)
        if utterance.voice not in self._styles:
            raise BadPayload(f"voice is {utterance.voice!r}: it must be {', '.join(self.voices)}")
        styles = self._styles[utterance.voice]
        rendition = Rendition(self.rate_hz, utterance.rate_hz)
        breaths = self._phonemes.breaths(utterance.text, utterance.pronounced)
        for sounds, last in with_last(breaths):
            ids, places = self._sequence(sounds)
            plan = self._graph.plan([_PAD, *ids, _PAD], styles[len(ids) - 1], utterance.speed)
            start, end = _sounding(plan)
            words = [
                Timed(sound.word, first - start * FRAME_SAMPLES, last - start * FRAME_SAMPLES)
                for sound, (first, last) in zip(sounds, _heard(plan, places), strict=True)
            ]
            yield from rendition.run(self._windows(plan, start, end), words, last=last)

    def _sequence(self, sounds: list[Sound]) -> tuple[list[int], list[tuple[int, int]]]:
        """The model's input without the pads around it, and where in it each word stands."""
        ids, places = list[int](), list[tuple[int, int]]()
        for sound in sounds:
            if places:
                ids += self._phonemes.space
            places.append((len(ids), len(ids) + len(sound.ids)))
            ids += sound.ids + sound.stop
        return ids, places

    def _windows(self, plan: Plan, start: int, end: int) -> Iterator[Window]:
        """Frames `start` to `end`, window by window; over one frame each fades into the next."""
        ahead = np.zeros(0, np.float32)
        for first, last in cuts(end - start, _WINDOW_FRAMES):
            over = 0 if start + last == end else 1
            samples = self._graph.decode(plan, start + first, start + last + over)
            if len(ahead):
                rise = np.linspace(0, 1, len(ahead), dtype=np.float32)
                samples[: len(ahead)] = ahead * (1 - rise) + samples[: len(ahead)] * rise
            size = (last - first) * FRAME_SAMPLES
            ahead = samples[size:]
            yield Window(samples[:size], not over)


def _sounding(plan: Plan) -> tuple[int, int]:
    """The frames to decode: those that are heard, and a little silence around them."""
    heard = plan.audible // 2
    if not len(heard):
        return 0, plan.frames
    return max(0, int(heard[0]) - _LEAD_FRAMES), min(plan.frames, int(heard[-1]) + 1 + _TAIL_FRAMES)


def _heard(plan: Plan, places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """When each word is heard, in samples of the plan; `places`: its first id, the one behind it.

    What is silent at a word's end is no part of it: a phoneme before a pause is planned as long as
    half of the pause. What sounds between two words belongs to the second, which is always heard
    some frames before its plan.
    """
    ends = np.cumsum(plan.lengths).astype(np.int64) * 2  # the pad's is the first phoneme's start
    half = FRAME_SAMPLES // 2
    before = 0
    for start, end in ((int(ends[first]), int(ends[last])) for first, last in places):
        heard = [at for at in plan.audible.tolist() if before <= at < end]
        inside = [at for at in heard if at >= start] or [start, end - 1]
        begin = inside[0]
        for at in reversed([at for at in heard if at < start]):
            if at < begin - 1:
                break
            begin = at
        yield begin * half, (inside[-1] + 1) * half
        before = end
