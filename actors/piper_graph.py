"""Piper's ONNX graph, cut into stages, so that speech streams while it is still being decoded.

Piper exports VITS (Kim et al., 2021) as one graph: text encoder and duration predictor, flow, and
HiFi-GAN decoder. The last two are convolutions, so they can run over windows: given enough context
on both sides a window's samples are those of the whole. The graph's own random numbers become
inputs, which makes speech repeatable.
"""

from pathlib import Path
from typing import Final

import numpy as np
import onnx

from actors.onnx_parts import Floats, part
from actors.onnx_session import CPU, session

FRAME_SAMPLES: Final = 256
"""Samples that the decoder makes of one latent frame."""

DECODER_CONTEXT: Final = 12
FLOW_CONTEXT: Final = 32
"""Frames on each side that a window needs for its output to equal the whole run's.

Decoder: measured, the difference is exactly 0 from 12 on. Flow: four couplings of four
convolutions with kernel 5 reach 4 * 4 * 2 frames.
"""

CHANNELS: Final = 192
_DURATION_CHANNELS: Final = 2
_NOISE_PERIOD: Final = 2048
_MEAN: Final = "/Transpose_3_output_0"
_DEVIATION: Final = "/Exp_1_output_0"
_LENGTHS: Final = "/Ceil_output_0"
_EXACT_LENGTHS: Final = "/Mul_1_output_0"
_DURATION_NOISE: Final = "/dp/RandomNormalLike_output_0"
_PRIOR: Final = "/Add_output_0"
_MASK: Final = "/Cast_2_output_0"
_LATENT: Final = "/Mul_7_output_0"
_PLANNED: Final = (_MEAN, _DEVIATION, _LENGTHS, _EXACT_LENGTHS)


class Plan:
    """How one stretch of phonemes will sound, frame by frame, before it is decoded.

    `lengths` are frames per phoneme id; `mean` and `deviation` are [1, CHANNELS, frames].
    """

    def __init__(self, mean: Floats, deviation: Floats, lengths: Floats) -> None:
        self.mean = mean
        self.deviation = deviation
        self.lengths = lengths
        self.frames = mean.shape[2]


class PiperGraph:
    """The stages of one Piper voice. Loading takes about 0.7 s and 150 MB."""

    def __init__(self, path: Path, threads: int, provider: str = CPU) -> None:
        """`path`: the voice's .onnx file. Raises `ValueError` if it is cut differently."""
        model = onnx.load(path)
        produced = {name for node in model.graph.node for name in node.output}
        lengths = {_LENGTHS, _EXACT_LENGTHS, _DURATION_NOISE}
        missing = ({_MEAN, _DEVIATION, _PRIOR, _MASK, _LATENT} | lengths) - produced
        if missing:
            raise ValueError(
                f"{path} has no {', '.join(sorted(missing))}: it is not a one-speaker voice as "
                "exported by piper 1.x; use such a voice"
            )
        text = ["input", "input_lengths", "scales", _DURATION_NOISE]
        self._encoder = session(part(model, text, list(_PLANNED)), threads, provider)
        self._flow = session(part(model, [_PRIOR, _MASK], [_LATENT]), threads, provider)
        self._decoder = session(part(model, [_LATENT], ["output"]), threads, provider)
        noise = np.random.default_rng(0)
        self._noise = noise.standard_normal((1, CHANNELS, _NOISE_PERIOD), dtype=np.float32)
        self._duration_noise = noise.standard_normal(
            (1, _DURATION_CHANNELS, _NOISE_PERIOD), dtype=np.float32
        )

    def plan(
        self, ids: list[int], length_scale: float, duration_noise: float, speed: float = 1.0
    ) -> Plan:
        """Run the text encoder and the duration predictor.

        Every phoneme lasts at least a frame, which the model rounds up to, so a length scale of
        1 / speed would fall short: the one that gives the wanted length is looked for. Near twice
        the usual speed every phoneme is down to its frame, and no voice gets faster.
        """
        planned = self._encode(ids, length_scale, duration_noise)
        if speed != 1:
            exact = planned[3] / length_scale
            wanted = float(planned[2].sum()) / speed
            scale = _scale_for(exact, wanted)
            planned = self._encode(ids, scale, duration_noise)
        mean, deviation, lengths, _ = planned
        return Plan(mean, deviation, lengths[0, 0])

    def _encode(self, ids: list[int], length_scale: float, noise: float) -> list[Floats]:
        planned: list[Floats] = self._encoder.run(
            list(_PLANNED),
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0.0, length_scale, noise], np.float32),
                _DURATION_NOISE: _stretch(self._duration_noise, 0, len(ids)),
            },
        )
        return planned

    def decode(self, plan: Plan, start: int, end: int, noise_scale: float) -> Floats:
        """The samples of frames `start` to `end` of `plan`, -1 to 1."""
        first, last = max(0, start - DECODER_CONTEXT), min(plan.frames, end + DECODER_CONTEXT)
        latent = self._latent(plan, first, last, noise_scale)
        (sound,) = self._decoder.run(["output"], {_LATENT: latent})
        skipped = (start - first) * FRAME_SAMPLES
        samples: Floats = sound.reshape(-1)[skipped : skipped + (end - start) * FRAME_SAMPLES]
        return samples

    def _latent(self, plan: Plan, start: int, end: int, noise_scale: float) -> Floats:
        first, last = max(0, start - FLOW_CONTEXT), min(plan.frames, end + FLOW_CONTEXT)
        window = slice(first, last)
        noise = _stretch(self._noise, first, last) * np.float32(noise_scale)
        prior = plan.mean[:, :, window] + plan.deviation[:, :, window] * noise
        mask = np.ones((1, 1, last - first), np.float32)
        (latent,) = self._flow.run([_LATENT], {_PRIOR: prior, _MASK: mask})
        kept: Floats = latent[:, :, start - first : end - first]
        return kept


def _scale_for(exact: Floats, wanted: float) -> float:
    """The length scale at which `exact` frames, each rounded up, come to `wanted` in all."""
    low, high = 0.01, 16.0
    for _ in range(20):
        scale = (low + high) / 2
        low, high = (scale, high) if np.ceil(exact * scale).sum() < wanted else (low, scale)
    return high


def _stretch(noise: Floats, start: int, end: int) -> Floats:
    """Positions `start` to `end` of `noise` repeated without end."""
    return noise.take(range(start, end), axis=2, mode="wrap")
