"""Moonshine: quick English speech recognition on a CPU (Useful Sensors, MIT, arXiv 2410.15608).

An encoder over raw audio and an autoregressive decoder. Its cost grows with the length of the clip;
Whisper's does not, since Whisper pads every clip to 30 s.
"""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from actors.handlers import Batched, Share
from actors.key_terms import respelled
from actors.onnx_session import CPU, quickest, session
from actors.repetition import repeated
from actors.silences import holds_speech, pieces
from actors.warm import A_SECOND
from engine.capabilities import Clip, Transcript
from engine.inference import BadPayload

Samples = NDArray[np.float32]

ENCODER = "encoder_model.ort"
DECODER = "decoder_model_merged.ort"
TOKENS = "tokenizer.bin"
MARK = "\u2581".encode()
"""How SentencePiece marks the start of a word."""

START, END = 1, 2
LAYERS, HEADS, HEAD_SIZE = 6, 8, 36

FRAME_SAMPLES = 384
"""The decoder reads its mask at every 384th sample (the strides of the encoder's convolutions, 64,
3 and 2). They make fewer frames than that of a clip's end: its last samples must not stand for
frames that are only padding."""

TOKENS_PER_S = 6.5
"""No English is faster; what goes on beyond it is the decoder talking to itself (models.md)."""

SHORTEST_SAMPLES = 1600
"""0.1 s. No word is shorter, and the encoder's three convolutions need 1,023 samples (64 ms)."""


MOST_TOGETHER = 8
"""Clips whose decoding shares each step: its cost is mostly that of reading the weights. On one
core 16 labelled turns take 0.95 s one by one and 0.53 s together. Of 103 turns 5 then had other
words (by phone 14), since 8-bit layers scale what goes through them by the loudest value of the
whole batch; of 931 words 50 instead of 51 were wrong (88 instead of 83). Encoders cost the same
together as apart, and run apart, without padding."""


def handler(folder: Path, share: Share) -> Batched[Clip, Transcript]:
    """The model as a worker serves it: what waits is decoded together, in each lane."""

    def on(provider: str) -> Batched[Clip, Transcript]:
        model = Moonshine(folder, share.threads, provider)
        lanes = share.lanes if provider == CPU else 1  # a GPU does one thing after the other
        return Batched(Clip, model.transcribe, Clip(A_SECOND), max_batch=MOST_TOGETHER, lanes=lanes)

    return quickest(on)


class _Row:
    """One piece of speech on its way through the decoder."""

    def __init__(self, samples: Samples, hidden: Samples) -> None:
        self.samples = samples
        self.hidden = hidden
        self.ids: list[int] = []
        self.logs: list[float] = []
        self.ended = False
        self._most = 1 + int(TOKENS_PER_S * len(samples) / Moonshine.rate_hz)

    def take(self, token: int, log: float) -> None:
        """The next token, with the logarithm of its probability."""
        self.logs.append(log)
        if token == END:
            self.ended = True
            return
        self.ids.append(token)
        loop = repeated(self.ids)
        if loop:
            del self.ids[-loop:]
        self.ended = bool(loop) or len(self.ids) >= self._most


class Moonshine:
    """One model; `threads` is what a single decoding step may use. Threads may share it."""

    rate_hz = 16_000

    def __init__(self, folder: Path, threads: int = 1, provider: str = CPU) -> None:
        self._encoder = session(folder / ENCODER, threads, provider)
        self._decoder = session(folder / DECODER, threads, provider)
        self._tokens = read_tokens((folder / TOKENS).read_bytes())
        self._words = known_words(self._tokens)
        self._outputs = [output.name for output in self._decoder.get_outputs()]
        self._pasts = [name.replace("present", "past_key_values") for name in self._outputs[1:]]
        self._first = ort.OrtValue.ortvalue_from_numpy(np.array([False]))
        self._later = ort.OrtValue.ortvalue_from_numpy(np.array([True]))

    def transcribe(self, clips: list[Clip]) -> list[Transcript]:
        """What each clip says. Text is empty for silence and for less than 0.1 s.

        Clips over 30 s are cut where they are quiet. Raises `BadPayload` for another language than
        English, for an odd number of bytes and where the times of words are asked for.
        """
        for clip in clips:
            _check(clip)
        rows = [self._rows(clip) for clip in clips]
        every = [row for own in rows for row in own]
        for at in range(0, len(every), MOST_TOGETHER):
            self._decode(every[at : at + MOST_TOGETHER])
        return [self._transcript(own, clip.terms) for own, clip in zip(rows, clips, strict=True)]

    def _rows(self, clip: Clip) -> list[_Row]:
        """The pieces of a clip in which something may be said, encoded."""
        samples = np.frombuffer(clip.pcm, np.int16) * np.float32(1 / 32768)
        return [
            _Row(piece, self._encode(piece))
            for piece in pieces(samples, self.rate_hz)
            if len(piece) >= SHORTEST_SAMPLES and holds_speech(piece, self.rate_hz)
        ]

    def _transcript(self, rows: list[_Row], terms: tuple[str, ...]) -> Transcript:
        texts = [spell([self._tokens[token] for token in row.ids]) for row in rows]
        logs = [log for row in rows for log in row.logs]
        confidence = float(np.exp(np.mean(logs))) if logs else 1.0
        text = respelled(" ".join(filter(None, texts)), terms, self._words)
        return Transcript(text, confidence, "en")

    def _encode(self, samples: Samples) -> Samples:
        """What the decoder attends to, [1, frames, size]."""
        mask = np.ones((1, len(samples)), np.int64)
        feed = {"input_values": samples[None], "attention_mask": mask}
        hidden: Samples = self._encoder.run(None, feed)[0]
        return hidden

    def _decode(self, rows: list[_Row]) -> None:
        """Give each row its likeliest tokens (greedy), all rows in the same steps.

        Rows are padded to the longest, and the padding masked. The caches stay ONNX Runtime's own
        values from step to step: never copied to numpy. Those of the encoder are made by the first
        step and stay as they are.
        """
        value = ort.OrtValue.ortvalue_from_numpy
        mask, hidden = _padded(rows)
        nothing = value(np.zeros((len(rows), HEADS, 0, HEAD_SIZE), np.float32))
        feed = {"encoder_attention_mask": value(mask), "encoder_hidden_states": value(hidden)}
        feed |= dict.fromkeys(self._pasts, nothing) | {"use_cache_branch": self._first}
        tokens = np.full(len(rows), START, np.int64)
        first = True
        while not all(row.ended for row in rows):
            feed["input_ids"] = value(tokens[:, None])
            logits, *presents = self._decoder.run_with_ort_values(self._outputs, feed)
            scores = logits.numpy()[:, -1]
            tokens = scores.argmax(axis=1)
            for row, token, own in zip(rows, tokens, scores, strict=True):
                if not row.ended:
                    row.take(int(token), -float(np.log(np.exp(own - own[token]).sum())))
            for name, present in zip(self._pasts, presents, strict=True):
                if first or ".decoder." in name:
                    feed[name] = present
            feed["use_cache_branch"] = self._later
            first = False


def _check(clip: Clip) -> None:
    if not clip.language.lower().startswith("en"):
        raise BadPayload(
            f"language is {clip.language!r}: moonshine-tiny-en knows English only; "
            "use a multilingual model"
        )
    if clip.words:
        raise BadPayload("moonshine-tiny-en knows no times of words; use a Whisper model")
    if len(clip.pcm) % 2:
        raise BadPayload(f"clip has {len(clip.pcm)} bytes: 16-bit samples need an even number")


def _padded(rows: list[_Row]) -> tuple[NDArray[np.int64], Samples]:
    """The mask of what is no padding, [rows, samples], and the rows, [rows, frames, size]."""
    mask = np.zeros((len(rows), max(len(row.samples) for row in rows)), np.int64)
    frames = max(row.hidden.shape[1] for row in rows)
    hidden = np.zeros((len(rows), frames, rows[0].hidden.shape[2]), np.float32)
    for at, row in enumerate(rows):
        mask[at, : row.hidden.shape[1] * FRAME_SAMPLES] = 1
        hidden[at, : row.hidden.shape[1]] = row.hidden[0]
    return mask, hidden


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


def known_words(tokens: list[bytes]) -> frozenset[str]:
    """The English words that are one token each, some 11,000: it knows them well."""
    starts = (token.decode("utf-8", "replace") for token in tokens if token.startswith(MARK))
    return frozenset(word for text in starts if (word := text[1:]).isalpha() and word.islower())


def spell(tokens: list[bytes]) -> str:
    """Text of the tokens."""
    words = [token for token in tokens if not token.startswith(b"<")]
    return b"".join(words).decode("utf-8", "replace").replace(MARK.decode(), " ").strip()
