"""smart-turn v3: has the caller finished, judged by the sound alone (Daily, BSD-2).

A Whisper-tiny encoder with a classifier on top. It says "complete" to half of the sentences that
are cut in their middle (measured.md), so `engine.verdict` weighs it with the words.
"""

from pathlib import Path

import numpy as np

from actors.handlers import Batched, Share
from actors.log_mel import FRAMES, MELS, log_mel
from actors.onnx_session import session
from actors.warm import A_SECOND
from engine.capabilities import TurnClip, TurnScore
from engine.inference import BadPayload

FILE = "smart-turn-v3.2-cpu.onnx"


def handler(folder: Path, share: Share) -> Batched[TurnClip, TurnScore]:
    """The model as a worker serves it: on a CPU a batch would only make its first wait."""
    model = SmartTurn(folder, share.threads)
    return Batched(TurnClip, model.score, TurnClip(A_SECOND), lanes=share.lanes)


class SmartTurn:
    """One model; `threads` is what one call may use. Threads may share it."""

    rate_hz = 16_000

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._session = session(folder / FILE, threads)

    def score(self, clips: list[TurnClip]) -> list[TurnScore]:
        """How likely each turn is complete, 0-1. Of each clip the last 8 s count.

        The model was trained on clips that end with about 200 ms of silence. Raises `BadPayload`
        for an odd number of bytes.
        """
        if not clips:
            return []
        features = np.empty((len(clips), MELS, FRAMES), np.float32)
        for row, clip in zip(features, clips, strict=True):
            if len(clip.pcm) % 2:
                raise BadPayload(
                    f"clip has {len(clip.pcm)} bytes: 16-bit samples need an even number"
                )
            row[:] = log_mel(np.frombuffer(clip.pcm, np.int16))
        (scores,) = self._session.run(None, {"input_features": features})
        return [TurnScore(complete=score) for score in scores[:, 0].tolist()]
