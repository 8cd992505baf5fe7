"""Moonshine: quick English speech recognition on a CPU (Useful Sensors, MIT, arXiv 2410.15608).

An encoder over raw audio and an autoregressive decoder. Its cost grows with the length of the clip;
Whisper's does not, since Whisper pads every clip to 30 s.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from actors.handlers import A_SECOND, Batched, Share
from actors.repetition import repeated
from actors.silences import holds_speech, pieces
from engine.capabilities import Clip, Transcript

Samples = NDArray[np.float32]

ENCODER = "encoder_model.ort"
DECODER = "decoder_model_merged.ort"
TOKENS = "tokenizer.bin"

START, END = 1, 2
LAYERS, HEADS, HEAD_SIZE = 6, 8, 36

TOKENS_PER_S = 6.5
"""No English is faster; what goes on beyond it is the decoder talking to itself (models.md)."""

SHORTEST_SAMPLES = 1600
"""0.1 s. No word is shorter, and the encoder's three convolutions need 1,023 samples (64 ms)."""


def handler(folder: Path, share: Share) -> Batched[Clip, Transcript]:
    """The model as a worker serves it: clips run side by side, each on one thread.

    On a CPU a padded batch costs the sum of its clips, and ends with the longest.
    """
    model = Moonshine(folder, share.threads)
    return Batched(Clip, model.transcribe, Clip(A_SECOND), lanes=share.lanes)


class Moonshine:
    """One model; `threads` is what a single decoding step may use. Threads may share it."""

    rate_hz = 16_000

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._encoder = _session(folder / ENCODER, threads)
        self._decoder = _session(folder / DECODER, threads)
        self._tokens = read_tokens((folder / TOKENS).read_bytes())
        self._outputs = [output.name for output in self._decoder.get_outputs()]
        self._pasts = [name.replace("present", "past_key_values") for name in self._outputs[1:]]
        nothing = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
        self._nothing = ort.OrtValue.ortvalue_from_numpy(nothing)
        self._first = ort.OrtValue.ortvalue_from_numpy(np.array([False]))
        self._later = ort.OrtValue.ortvalue_from_numpy(np.array([True]))

    def transcribe(self, clips: list[Clip]) -> list[Transcript]:
        """What each clip says. Text is empty for silence and for less than 0.1 s.

        Clips over 30 s are cut where they are quiet. Raises `ValueError` for another language than
        English, for an odd number of bytes and where the times of words are asked for.
        """
        return [self._transcript(clip) for clip in clips]

    def _transcript(self, clip: Clip) -> Transcript:
        if not clip.language.lower().startswith("en"):
            raise ValueError(
                f"language is {clip.language!r}: moonshine-tiny-en knows English only; "
                "use a multilingual model"
            )
        if clip.words:
            raise ValueError("moonshine-tiny-en knows no times of words; use a Whisper model")
        if len(clip.pcm) % 2:
            raise ValueError(f"clip has {len(clip.pcm)} bytes: 16-bit samples need an even number")
        samples = np.frombuffer(clip.pcm, np.int16) * np.float32(1 / 32768)
        texts: list[str] = []
        logs: list[float] = []
        for piece in pieces(samples, self.rate_hz):
            if len(piece) >= SHORTEST_SAMPLES and holds_speech(piece, self.rate_hz):
                text, likelihoods = self._decode(piece)
                texts.append(text)
                logs += likelihoods
        confidence = float(np.exp(np.mean(logs))) if logs else 1.0
        return Transcript(" ".join(filter(None, texts)), confidence, "en")

    def _decode(self, samples: Samples) -> tuple[str, list[float]]:
        """The text, and the logarithm of each token's probability."""
        ids: list[int] = []
        logs: list[float] = []
        most = 1 + int(TOKENS_PER_S * len(samples) / self.rate_hz)
        for token, log in self._greedy(samples):
            logs.append(log)
            if token == END:
                break
            ids.append(token)
            loop = repeated(ids)
            if loop:
                del ids[-loop:]
                break
            if len(ids) >= most:
                break
        return spell([self._tokens[token] for token in ids]), logs

    def _greedy(self, samples: Samples) -> Iterator[tuple[int, float]]:
        """The likeliest tokens, one by one, with the logarithm of their probabilities.

        The caches stay ONNX Runtime's own values from step to step: never copied to numpy. Those of
        the encoder are made by the first step and stay as they are.
        """
        value = ort.OrtValue.ortvalue_from_numpy
        mask = value(np.ones((1, len(samples)), np.int64))
        (hidden,) = self._encoder.run_with_ort_values(
            None, {"input_values": value(samples[None]), "attention_mask": mask}
        )
        feed = {"encoder_attention_mask": mask, "encoder_hidden_states": hidden}
        feed |= dict.fromkeys(self._pasts, self._nothing) | {"use_cache_branch": self._first}
        token = START
        first = True
        while True:
            feed["input_ids"] = value(np.array([[token]], np.int64))
            logits, *presents = self._decoder.run_with_ort_values(self._outputs, feed)
            scores = logits.numpy()[0, -1]
            token = int(scores.argmax())
            yield token, -float(np.log(np.exp(scores - scores[token]).sum()))
            for name, present in zip(self._pasts, presents, strict=True):
                if first or ".decoder." in name:
                    feed[name] = present
            feed["use_cache_branch"] = self._later
            first = False


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def read_tokens(data: bytes) -> list[bytes]:
    """The vocabulary: byte strings, each after its length in one byte, or two from 128 on."""
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length = data[at] * 128 + length - 128
            at += 1
        tokens.append(data[at : at + length])
        at += length
    return tokens


def spell(tokens: list[bytes]) -> str:
    """Text of the tokens; SentencePiece marks the start of a word with U+2581."""
    words = [token for token in tokens if not token.startswith(b"<")]
    return b"".join(words).decode("utf-8", "replace").replace("\u2581", " ").strip()
