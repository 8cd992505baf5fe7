"""Kokoro's ONNX graph, cut into stages, so that speech streams while it is still being decoded.

Kokoro-82M (hexgrad, Apache-2.0) is a StyleTTS 2 (Li et al., 2023) with an iSTFTNet decoder: text
encoder and duration predictor; pitch, energy and a harmonic source for every frame; decoder. The
decoder is 95 % of the cost, and convolutions only, so it runs over windows.

A window's samples are not quite those of the whole run, since each convolution is followed by an
instance norm over all that it is given: the log spectra of three sentences are 4.5 dB apart and the
level 0.4 dB lower (8-bit weights alone are 2.4 dB from float ones). Moonshine makes as many errors
in either, 6 in 134 words. The source is made for the whole, so that the phases of windows meet.

Float weights, made again of those in 8 bits, cost a quarter more on a CPU with VNNI.
"""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from actors.onnx_parts import Floats, part
from actors.onnx_session import CPU, session

FRAME_SAMPLES: Final = 600
"""Samples at 24 kHz that the decoder makes of one frame."""

CONTEXT: Final = 8
"""Frames on each side of a window that the decoder sees as well. Twice as many come little nearer
to the whole run (4.2 dB, not 4.5): what differs is the norm."""

_PITCHES: Final = 2
_SOURCES: Final = 120
"""Values of pitch and energy, and of the source, that belong to one frame; the source has one more
at its end."""

_AUDIBLE: Final = 0.0
"""The planned energy, a logarithm, above which a half frame is heard: there the median of the sound
is at -54 dBFS, one below it at -68, one above at -50 (three voices, 20 s)."""

_EXACT_LENGTHS: Final = "/encoder/predictor/ReduceSum_output_0"
_SPELLED: Final = "/encoder/text_encoder/Transpose_2_output_0"
_PROSODY: Final = "/encoder/predictor/text_encoder/Concat_4_output_0"
_LENGTHS: Final = "/encoder/Clip_output_0"
_ALIGNED: Final = "/encoder/MatMul_1_output_0"
_PITCH: Final = "/decoder/decoder/Unsqueeze_output_0"
_ENERGY: Final = "/decoder/decoder/Unsqueeze_1_output_0"
_SOURCE: Final = "/decoder/decoder/generator/Concat_3_output_0"
_PLANNED: Final = [_EXACT_LENGTHS, _SPELLED, _PROSODY]
_DECODED: Final = [_ALIGNED, _PITCH, _ENERGY, _SOURCE]


class Plan(msgspec.Struct, frozen=True):
    """How one run will sound, frame by frame, before it is decoded.

    `lengths` are frames per id. With `frames` their sum: `aligned` is [1, 512, frames], `pitch` and
    `energy` [1, 1, 2 * frames], `source` [1, 22, 120 * frames + 1], `style` [1, 256].
    """

    lengths: Floats
    aligned: Floats
    pitch: Floats
    energy: Floats
    source: Floats
    style: Floats

    @property
    def frames(self) -> int:
        return int(self.aligned.shape[2])

    @property
    def audible(self) -> NDArray[np.intp]:
        """The half frames that will be heard, in order."""
        return np.flatnonzero(self.energy.reshape(-1) > _AUDIBLE)


class KokoroGraph:
    """The stages of the model, for any number of threads at a time.

    The same text is always the same samples: the graph has no random numbers.
    """

    def __init__(self, path: Path, threads: int, provider: str = CPU) -> None:
        """`path`: the .onnx file. Raises `ValueError` if it is cut differently."""
        model = onnx.load(path)
        produced = {name for node in model.graph.node for name in node.output}
        missing = {*_PLANNED, *_DECODED, _LENGTHS} - produced
        if missing:
            raise ValueError(
                f"{path} has no {', '.join(sorted(missing))}: it is not kokoro-v1.0.int8.onnx as "
                "exported by kokoro-onnx; pull kokoro-82m"
            )
        self._text = session(part(model, ["tokens", "style"], _PLANNED), threads, provider)
        self._frames = session(
            part(model, ["style", _LENGTHS, _SPELLED, _PROSODY], _DECODED), threads, provider
        )
        self._decoder = session(part(model, ["style", *_DECODED], ["audio"]), threads, provider)

    def plan(self, ids: list[int], style: Floats, speed: float = 1.0) -> Plan:
        """Run everything but the decoder. `style` is [1, 256], for a text as long as this.

        Every id lasts at least a frame: at four times the speed the voice is not that fast.
        """
        tokens = np.array([ids], np.int64)
        exact, spelled, prosody = self._text.run(_PLANNED, {"tokens": tokens, "style": style})
        lengths = _lengths(exact, speed)
        given = {"style": style, _LENGTHS: lengths, _SPELLED: spelled, _PROSODY: prosody}
        aligned, pitch, energy, source = self._frames.run(_DECODED, given)
        return Plan(lengths[0], aligned, pitch, energy, source, style)

    def decode(self, plan: Plan, start: int, end: int) -> Floats:
        """The samples of frames `start` to `end` of `plan`, -1 to 1."""
        first, last = max(0, start - CONTEXT), min(plan.frames, end + CONTEXT)
        pitches = slice(first * _PITCHES, last * _PITCHES)
        given = {
            "style": plan.style,
            _ALIGNED: plan.aligned[:, :, first:last],
            _PITCH: plan.pitch[:, :, pitches],
            _ENERGY: plan.energy[:, :, pitches],
            _SOURCE: plan.source[:, :, first * _SOURCES : last * _SOURCES + 1],
        }
        (sound,) = self._decoder.run(["audio"], given)
        skipped = (start - first) * FRAME_SAMPLES
        samples: Floats = sound.reshape(-1)[skipped : skipped + (end - start) * FRAME_SAMPLES]
        return samples


def _lengths(exact: Floats, speed: float) -> Floats:
    """Whole frames for each id, 1 at least, that come to 1 / `speed` of the usual in all.

    What the least takes at high speed the long ones give: the divisor is looked for.
    """
    usual = np.maximum(1, np.rint(exact))
    if speed == 1:
        return usual
    low, high = 0.1, 64.0
    for _ in range(20):
        divisor = (low + high) / 2
        shorter = np.maximum(1, np.rint(exact / divisor)).sum() < usual.sum() / speed
        low, high = (low, divisor) if shorter else (divisor, high)
    lengths: Floats = np.maximum(1, np.rint(exact / low))
    return lengths
