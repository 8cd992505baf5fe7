"""Whisper: speech recognition in 99 languages (OpenAI, MIT, arXiv 2212.04356), by CTranslate2.

Every size from tiny to large-v3-turbo: what differs is read from the model's files. The clips of
several callers are encoded, decoded and timed together. On a GPU that is what makes it fast; on a
CPU a batch of turns costs what its clips cost one by one (`bench/whisper_batches.py`), and only
long windows, of many words, are worth it.
"""

import logging
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import ctranslate2
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from actors import whisper_tokens
from actors.handlers import Batched, Share
from actors.key_terms import respelled
from actors.languages import is_brief, primary
from actors.log_mel import HOP, padded_log_mel
from actors.repetition import repeated
from actors.silences import holds_speech, pieces
from actors.warm import A_SECOND
from actors.whisper_tokens import BEFORE, NO_TIMES, START, TRANSCRIBE, Vocabulary
from actors.word_times import fitted, stretches_ms
from engine.capabilities import Clip, TimedWord, Transcript
from engine.inference import BadPayload

log = logging.getLogger(__name__)

Samples = NDArray[np.float32]

SHORTEST_SAMPLES = 1600
"""0.1 s. No word is shorter."""

LONG_SAMPLES = 10 * 16_000
"""More speech is decoded with the times of its sentences: without them Whisper leaves sentences
out, 10 % of the words of questions that follow one another for 28 s; with them 4 % are wrong. As
their marks count too, its confidence is lower by 0.1."""

POSITION_MS = 20
"""Two frames of 10 ms make one position of the encoder."""

BATCHES = (64, 32, 16, 8, 4)
"""How many clips a batch may have on a GPU. Twice as many must be seen to fit: decoding takes up
more and more, and others use the GPU too."""

FULL_FRAMES = 3000
"""30 s, on which it was trained. A GPU sees no less: there all clips make one batch."""

BEHIND_S = 5.0
"""Silence behind a clip on a CPU, where what is encoded is what costs. With 30 s a turn takes four
times as long (963 ms instead of 207 on two cores), the same words of clean turns are right, by
phone with noise 14 % instead of 18 % are wrong, and 14 % instead of 17 % of the letters in eight
languages. After 1-2 s of silence it may say a sentence twice (`bench/whisper_batches.py`)."""

PATIENT_BATCH = 12
"""Half minutes on a CPU: decoding eight together takes half the time (4.7 s instead of 9.2 for 3.4
minutes of turns on two cores), encoding them (8-12 s) as long as one by one."""

PATIENT_STEP_S = 10
"""Windows as long as each other are computed together."""

TOKENS_PER_S = 15
LEAST_TOKENS = 20

MOST_TOKENS = 224
"""Half of the decoder's 448 places, as for OpenAI's own decoding of 30 s."""

MOST_TERM_TOKENS = 160
"""Of key terms, some forty names: the first count. There is room for 224. Each is read for every
clip: 160 make 185 ms of 122 for a sentence, on one core."""

NO_SPEECH = 0.6
NO_SPEECH_LOG = -0.7
"""Nothing is said if the mark for that is likelier, and the words so unlikely. OpenAI has -1, but
in noise "Thank you." comes with -0.9. The mark has 0.72-0.89 in noise, at most 0.14 in speech."""

SURE = 0.8
"""How probable a language must be to overrule the one that the caller spoke before. Of whole turns
Whisper base is less sure in one of ten, and right."""


class _Result(Protocol):
    """What CTranslate2 makes of one row of a batch; one sequence, as the search is greedy."""

    sequences: list[list[str]]
    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


class _Alignment(Protocol):
    """Pairs of token and position, a path; and the probability of each token."""

    alignments: list[tuple[int, int]]
    text_token_probs: list[float]


class _Piece:
    """At most 30 s of a clip, and what was heard in it."""

    def __init__(self, samples: Samples, start_samples: int) -> None:
        self.samples = samples
        self.start_ms = start_samples * 1000 // Whisper.rate_hz
        self.tokens: list[str] = []
        self.ids: list[int] = []
        self.log = 0.0  # of the probability of all tokens, the end's included
        self.count = 0
        self.words: list[TimedWord] = []


class _Work:
    """A clip on its way: its pieces that may hold speech, and its language once that is known."""

    def __init__(self, clip: Clip, language: str | None) -> None:
        self.clip = clip
        self.language = language
        self.pieces: list[_Piece] = []
        samples = np.frombuffer(clip.pcm, np.int16) * np.float32(1 / 32768)
        at = 0
        for part in pieces(samples, Whisper.rate_hz):
            if len(part) >= SHORTEST_SAMPLES and holds_speech(part, Whisper.rate_hz):
                self.pieces.append(_Piece(part, at))
            at += len(part)

    @property
    def longest_samples(self) -> int:
        return max(len(piece.samples) for piece in self.pieces)

    def transcript(self, words: Container[str]) -> Transcript:
        """What was heard; `words` are those that the model knows."""
        said = [piece for piece in self.pieces if piece.count]
        count = sum(piece.count for piece in said)
        confidence = float(np.exp(sum(piece.log for piece in said) / count)) if count else 1.0
        text = " ".join(filter(None, (whisper_tokens.spell(piece.tokens) for piece in said)))
        english = self.language == "en" and not self.clip.words  # whose text is that of the words
        return Transcript(
            respelled(text, self.clip.terms, words) if english else text,
            confidence,
            whisper_tokens.tag(self.language) if self.language else "",
            tuple(word for piece in said for word in piece.words),
        )


def handler(folder: Path, share: Share) -> Batched[Clip, Transcript]:
    """The model as a worker serves it: on a GPU in batches, on a CPU clips side by side, as a batch
    would cost the sum of its clips, and end with the last; there only a patient one has batches.
    """
    model = Whisper(folder, share.threads, share.lanes)
    on_cpu = model.device == "cpu"
    if on_cpu and share.patient:
        model.most_together, model.step_s = PATIENT_BATCH, PATIENT_STEP_S
    lanes = share.lanes if on_cpu else 1
    warm = Clip(A_SECOND)
    return Batched(Clip, model.transcribe, warm, max_batch=model.most_together, lanes=lanes)


class Whisper:
    """One model. On a CPU `lanes` batches go on at once, each with `threads` threads.

    `device` and `compute_type` say where and in which numbers it runs: on a GPU if there is one.
    `most_together` clips make a batch. `behind_s` is the silence that it sees behind a clip, at
    least: all windows are multiples of `step_s`.
    """

    rate_hz = 16_000

    def __init__(self, folder: Path, threads: int = 1, lanes: int = 1) -> None:
        self._vocabulary = Vocabulary.read(folder)
        self._model, self.most_together = _loaded(folder, threads, lanes)
        self.name = folder.name
        self.device: str = self._model.device
        self.compute_type: str = self._model.compute_type
        self.step_s = 1
        self.behind_s = BEHIND_S if self.device == "cpu" else FULL_FRAMES / 100

    def check(self, clip: Clip) -> None:
        """Raises `BadPayload` if the clip cannot be transcribed, with what to do about it.

        A bad clip spoils no other's batch if it is checked before.
        """
        self._language(clip)
        if len(clip.pcm) % 2:
            raise BadPayload(f"clip has {len(clip.pcm)} bytes: 16-bit samples need an even number")

    def transcribe(self, clips: list[Clip]) -> list[Transcript]:
        """What each clip says. Text is empty for silence and for less than 0.1 s.

        Clips over 30 s are cut where they are quiet. A clip reads the same alone and among others.
        Raises `BadPayload` as `check` does.
        """
        for clip in clips:
            self.check(clip)
        works = [_Work(clip, self._language(clip)) for clip in clips]
        windows: defaultdict[tuple[int, bool, tuple[str, ...]], list[_Work]] = defaultdict(list)
        for work in works:
            if work.pieces:
                longest = work.longest_samples
                frames = window_frames(longest, self.behind_s, self.step_s)
                windows[frames, longest > LONG_SAMPLES, work.clip.terms].append(work)
        for (frames, long, terms), alike in windows.items():
            for together in self._batches(alike):
                self._hear(together, frames, self._before(terms), [] if long else [NO_TIMES])
        return [work.transcript(self._vocabulary.words) for work in works]

    def _language(self, clip: Clip) -> str | None:
        """Whisper's name of the clip's language; None if it has to be found."""
        if not self._model.is_multilingual:
            if primary(clip.language) not in ("en", "auto"):
                raise BadPayload(
                    f"language is {clip.language!r}: {self.name} knows English only; "
                    "use a model without .en in its name"
                )
            return "en"
        if clip.language == "auto":
            return None
        language = self._vocabulary.language(clip.language)
        if language is None:
            raise BadPayload(
                f"language is {clip.language!r}: {self.name} knows "
                f"{', '.join(sorted(self._vocabulary.languages))}; 'auto' finds out which it is"
            )
        return language

    def _batches(self, works: list[_Work]) -> list[list[_Work]]:
        """On a GPU no more pieces at once than there is room for; a longer clip is alone."""
        if self.device == "cpu":
            return [works]
        batches: list[list[_Work]] = [[]]
        for work in works:
            pieces = sum(len(other.pieces) for other in batches[-1]) + len(work.pieces)
            if batches[-1] and pieces > self.most_together:
                batches.append([])
            batches[-1].append(work)
        return batches

    def _hear(self, works: list[_Work], frames: int, before: list[str], last: list[str]) -> None:
        """Fill the pieces of clips that fit into one window; their prompts begin with what is
        `before`, and end with the `last` marks.
        """
        parts = [(work, piece) for work in works for piece in work.pieces]
        features = np.empty((len(parts), self._model.n_mels, frames), np.float32)
        for row, (_, piece) in zip(features, parts, strict=True):
            row[:] = padded_log_mel(piece.samples, frames, len(row))
        timed = any(work.clip.words for work in works)
        encoded = self._model.encode(ctranslate2.StorageView.from_array(features), to_cpu=timed)
        if any(work.language is None for work in works):
            self._find_languages(works, self._model.detect_language(encoded))
        results = self._model.generate(
            encoded,
            [before + self._prompt(work.language) + last for work, _ in parts],
            beam_size=1,
            length_penalty=0,  # scores are plain sums of logarithms
            max_length=len(before) + 2 * most_tokens(frames),  # half of that may be text
            return_scores=True,
            return_no_speech_prob=True,
        )
        for (_, piece), result in zip(parts, results, strict=True):
            _take(piece, result)
        if timed:
            self._time(parts, np.array(encoded))

    def _before(self, terms: Sequence[str]) -> list[str]:
        """The terms as if they had been said before: what is like them is heard as them."""
        tokens: list[str] = []
        for term in terms:
            more = self._vocabulary.spelled(f" {term}" + ("," if term != terms[-1] else "."))
            if len(tokens) + len(more) > MOST_TERM_TOKENS:
                break
            tokens += more
        return [BEFORE, *tokens] if tokens else []

    def _prompt(self, language: str | None) -> list[str]:
        if not self._model.is_multilingual:
            return [START]
        return [START, f"<|{language}|>", TRANSCRIBE]

    def _find_languages(
        self, works: Iterable[_Work], found: Iterable[list[tuple[str, float]]]
    ) -> None:
        """The likeliest language of each clip that has none, all its pieces taken together."""
        probabilities = iter(found)
        for work in works:
            sums: defaultdict[str, float] = defaultdict(float)
            for _ in work.pieces:
                for mark, probability in next(probabilities):
                    sums[mark.strip("<|>")] += probability / len(work.pieces)
            if work.language is None:
                likeliest = max(sums, key=sums.__getitem__)
                expected = self._vocabulary.language(work.clip.expected)
                doubtful = is_brief(work.clip) or sums[likeliest] < SURE
                work.language = expected if expected and doubtful else likeliest

    def _time(self, parts: Sequence[tuple[_Work, _Piece]], encoded: NDArray[np.generic]) -> None:
        """Fill in the words of pieces whose clips ask for them, those of one language together."""
        languages: defaultdict[str | None, list[int]] = defaultdict(list)
        for row, (work, piece) in enumerate(parts):
            if work.clip.words and piece.ids:
                languages[work.language].append(row)
        for language, rows in languages.items():
            timed = [parts[row][1] for row in rows]
            results = self._model.align(
                ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded[rows])),
                self._vocabulary.ids(self._prompt(language)),
                [piece.ids for piece in timed],
                [len(piece.samples) // HOP for piece in timed],
            )
            for piece, result in zip(timed, results, strict=True):
                piece.words = _timed_words(piece, language or "en", result)


def window_frames(samples: int, behind_s: float, step_s: int = 1) -> int:
    """How many frames of 10 ms the encoder sees of a piece with at least so much silence behind.

    A multiple of `step_s`, so that clips that are almost as long share a batch.
    """
    steps = -(-(samples + int(behind_s * Whisper.rate_hz)) // (step_s * Whisper.rate_hz))
    return min(100 * steps * step_s, FULL_FRAMES)


def most_tokens(frames: int) -> int:
    """More than anybody says in a window: what goes on beyond is the decoder talking to itself."""
    return min(MOST_TOKENS, LEAST_TOKENS + TOKENS_PER_S * frames // 100)


def _take(piece: _Piece, result: _Result) -> None:
    """What the decoder made of a piece, without its loops; nothing if it hears no speech."""
    count = len(result.sequences_ids[0]) + 1  # and the end
    if result.no_speech_prob > NO_SPEECH and result.scores[0] / count < NO_SPEECH_LOG:
        return
    said = [
        (token, ident)
        for token, ident in zip(result.sequences[0], result.sequences_ids[0], strict=True)
        if not whisper_tokens.is_mark(token)
    ]
    said = said[: len(said) - repeated([ident for _, ident in said])]
    piece.tokens = [token for token, _ in said]
    piece.ids = [ident for _, ident in said]
    piece.log, piece.count = result.scores[0], count


def _timed_words(piece: _Piece, language: str, result: _Alignment) -> list[TimedWord]:
    """A token begins where the path through its cross-attention first reaches it (DTW)."""
    begins: dict[int, int] = {}
    for token, position in result.alignments:
        begins.setdefault(token, position * POSITION_MS)
    words = [
        TimedWord(
            word.text,
            begins[word.start],
            begins[word.end],
            float(np.mean(result.text_token_probs[word.start : word.end])),
        )
        for word in whisper_tokens.words(piece.tokens, language)
    ]
    return [
        replace(word, start_ms=word.start_ms + piece.start_ms, end_ms=word.end_ms + piece.start_ms)
        for word in fitted(words, stretches_ms(piece.samples, Whisper.rate_hz))
    ]


def _loaded(folder: Path, threads: int, lanes: int) -> tuple[ctranslate2.models.Whisper, int]:
    """The model, and how many clips it takes at once: on the GPU in the finest numbers for which it
    has room, else on the CPU with 8 bit.

    On a CPU float32 takes three times as long for the same words (10.0 % wrong, 8 bit 10.3 %).
    """
    if ctranslate2.get_cuda_device_count():
        for compute_type in ("float16", "int8_float16", "int8"):
            try:
                model = ctranslate2.models.Whisper(
                    str(folder), device="cuda", compute_type=compute_type
                )
                together = largest_batch(model)
            except (RuntimeError, ValueError) as refused:
                log.warning("%s does not run on the GPU as %s: %s", folder, compute_type, refused)
                continue
            if together:
                log.info("%s runs on the GPU as %s, %d at once", folder, compute_type, together)
                return model, together
            log.warning("the GPU has no room for %s as %s", folder, compute_type)
    model = ctranslate2.models.Whisper(
        str(folder),
        device="cpu",
        compute_type="int8",
        intra_threads=threads,
        inter_threads=lanes,
    )
    return model, 1


def largest_batch(model: ctranslate2.models.Whisper) -> int:
    """The first of `BATCHES` for which there is room; 0 if there is for none."""
    return next((clips for clips in BATCHES if _fits(model, 2 * clips)), 0)


def _fits(model: ctranslate2.models.Whisper, clips: int) -> bool:
    """Whether so many full windows can be encoded, and decoded from: what the decoder attends to
    takes more than the encoder, 245 MB a clip for large-v3.
    """
    features = np.zeros((clips, model.n_mels, FULL_FRAMES), np.float32)
    try:
        encoded = model.encode(ctranslate2.StorageView.from_array(features))
        model.generate(encoded, [[START]] * clips, beam_size=1, max_length=LEAST_TOKENS)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        return False
    return True
