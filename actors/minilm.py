"""all-MiniLM-L6-v2 (Apache-2.0): English texts as points, near each other where they mean the same.

Six layers of a BERT (Wang et al. 2020, "MiniLM") that sentence-transformers trained on a billion
pairs. Weights and arithmetic have 8 bits: a third of the time of 32 for a question, and points at a
cosine of 0.983 to 0.996 to those. What a vector is rounded by is its own text's, so that no text's
result depends on others.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from actors.handlers import Batched, Share
from actors.onnx_integers import in_integers
from actors.onnx_session import session
from actors.wordpiece import WordPieces
from engine.capabilities import Embedding, TextToEmbed

WEIGHTS, TOKENS = "model.onnx", "tokenizer.json"

DIMENSIONS = 384

MOST_TOKENS = 256
"""The model was trained on no longer texts (its `max_seq_length`): what follows is not read."""

A_QUESTION = TextToEmbed("What are your opening hours?")


def handler(folder: Path, share: Share) -> Batched[TextToEmbed, Embedding]:
    """The model as a worker serves it, one text a lane: together they would take as long."""
    model = MiniLM(folder, share.threads)
    return Batched(TextToEmbed, model.embed, A_QUESTION, lanes=share.lanes)


class MiniLM:
    """One model; `threads` is what one call may use. Threads may share it."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._tokens = WordPieces.read(folder / TOKENS)
        model = onnx.load(folder / WEIGHTS)
        in_integers(model)
        self._session = session(model.SerializeToString(), threads)

    def embed(self, texts: list[TextToEmbed]) -> list[Embedding]:
        """Where each text lies: of its tokens the mean. Of a text the first 256 tokens count."""
        return [Embedding(self._point(text.text)) for text in texts]

    def _point(self, text: str) -> bytes:
        ids = np.array([self._tokens.ids(text, MOST_TOKENS)], np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (states,) = self._session.run(None, inputs)
        mean = states[0].mean(axis=0)
        point: NDArray[np.float32] = mean / np.linalg.norm(mean)
        return point.astype("<f4").tobytes()
