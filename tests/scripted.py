"""Models for unit tests: words are written into the audio and read from it, so nothing is guessed.

A word sounds for `WORD_MS` at an amplitude that stands for it; a noise is loud and stands for
nothing. The same code makes the caller's speech, is "transcribed", "spoken" and decoded again from
what the client was sent.
"""

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from actors.ear import SessionEar
from engine.actor import Actor
from engine.capabilities import (
    Chat,
    ChatDelta,
    Clip,
    Speech,
    SpokenWord,
    Transcript,
    TurnClip,
    TurnScore,
    Utterance,
)
from engine.frames import CALLER_HZ, Audio, Frame, Voice
from engine.inference import InferenceError, Priority

WORD_MS = 240
GAP_MS = 20
NOISE = 9_000
LOUD_DBFS, STILL_DBFS = -10.0, -90.0
FIRST_WORD = 10_000
COMPUTE_MS = 10.0  # of every request
WINDOW_SAMPLES = 512

_numbers: dict[str, int] = {}
_words: list[str] = []

P = TypeVar("P")
R = TypeVar("R")


def spoken(text: str, rate_hz: int = CALLER_HZ) -> bytes:
    """PCM of the words, one after the other."""
    pcm = array("h")
    for word in text.split():
        if word not in _numbers:
            _numbers[word] = len(_words)
            _words.append(word)
        pcm.extend([FIRST_WORD + 10 * _numbers[word]] * (WORD_MS * rate_hz // 1000))
        pcm.extend([0] * (GAP_MS * rate_hz // 1000))
    return pcm.tobytes()


def noise(ms: int) -> bytes:
    """PCM of a noise without words."""
    return array("h", [NOISE] * (ms * CALLER_HZ // 1000)).tobytes()


def silence(ms: int, rate_hz: int = CALLER_HZ) -> bytes:
    """PCM of nothing."""
    return bytes(2 * (ms * rate_hz // 1000))


def decoded(pcm: bytes, rate_hz: int = CALLER_HZ) -> str:
    """The words in the PCM of which at least half is there."""
    samples = np.frombuffer(pcm, np.int16)
    edges = np.flatnonzero(np.diff(samples, prepend=0, append=0))
    half = WORD_MS * rate_hz // 2000
    return " ".join(
        _words[(int(samples[start]) - FIRST_WORD) // 10]
        for start, end in pairwise(edges.tolist())
        if samples[start] >= FIRST_WORD and end - start >= half
    )


class ScriptedEar(SessionEar):
    """Hears echoes where the script has some: written words are all alike as sound."""

    echo = False

    def likeness(self, caller: bytes, agent: bytes, agent_hz: int) -> float:
        return 0.8 * self.echo


class LoudnessVad(Actor):
    """Says that loud windows are voiced, with this probability."""

    def __init__(self, probability: float = 1.0) -> None:
        super().__init__()
        self._probability = probability
        self._pcm = b""
        self._at = 0

    def receive(self, frame: Frame) -> None:
        self.emit(frame)
        if isinstance(frame, Audio):
            self._pcm += frame.pcm
            while len(self._pcm) >= WINDOW_SAMPLES * 2:
                window, self._pcm = self._pcm[: WINDOW_SAMPLES * 2], self._pcm[WINDOW_SAMPLES * 2 :]
                self._at += WINDOW_SAMPLES
                loud = float(np.mean(np.frombuffer(window, np.int16) >= NOISE))
                self.emit(
                    Voice(self._probability * loud, LOUD_DBFS if loud else STILL_DBFS, self._at)
                )


class ScriptedRequest(Generic[R]):
    """Gives what its script yields, until it is cancelled."""

    compute_ms = COMPUTE_MS
    settled = True

    def __init__(self, script: AsyncIterator[R]) -> None:
        self._script = script
        self._cancelled = asyncio.Event()
        self.priorities: list[Priority] = []

    def __aiter__(self) -> "ScriptedRequest[R]":
        return self

    async def __anext__(self) -> R:
        step = asyncio.ensure_future(anext(self._script))
        cancel = asyncio.ensure_future(self._cancelled.wait())
        try:
            await asyncio.wait((step, cancel), return_when=asyncio.FIRST_COMPLETED)
            if self._cancelled.is_set():
                raise StopAsyncIteration
            return step.result()
        finally:
            cancel.cancel()
            step.cancel()

    async def stopped(self) -> None:
        pass

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self.priorities.append(priority)

    def cancel(self) -> None:
        self._cancelled.set()


class Scripted(Generic[P, R]):
    """An inference that answers with a script, and notes what it was asked."""

    def __init__(self, script: Callable[[P], AsyncIterator[R]]) -> None:
        self._script = script
        self.asked: list[P] = []
        self.requests: list[ScriptedRequest[R]] = []

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> ScriptedRequest[R]:
        self.asked.append(payload)
        request = ScriptedRequest(self._script(payload))
        request.priorities.append(priority)
        self.requests.append(request)
        return request


def stt(seconds: float = 0.05, confidence: float = 1.0) -> Scripted[Clip, Transcript]:
    """Reads the words that stand in the audio, and is more or less sure of them."""

    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        await asyncio.sleep(seconds)
        yield Transcript(decoded(clip.pcm), confidence)

    return Scripted(script)


def turn(score: float = 0.9, seconds: float = 0.05) -> Scripted[TurnClip, TurnScore]:
    """Finds every turn equally complete."""

    async def script(clip: TurnClip) -> AsyncIterator[TurnScore]:
        await asyncio.sleep(seconds)
        yield TurnScore(score)

    return Scripted(script)


def llm(
    reply: Callable[[Chat], str | InferenceError | list[ChatDelta]],
    first_token_s: float = 0.15,
    token_s: float = 0.03,
) -> Scripted[Chat, ChatDelta]:
    """Answers word by word with what `reply` makes of the request."""

    async def script(chat: Chat) -> AsyncIterator[ChatDelta]:
        await asyncio.sleep(first_token_s)
        if chat.max_tokens == 0:
            return
        answer = reply(chat)
        if isinstance(answer, InferenceError):
            raise answer
        if isinstance(answer, list):
            for delta in answer:
                yield delta
            return
        for index, word in enumerate(answer.split(" ")):
            yield ChatDelta(text=word if index == 0 else f" {word}")
            await asyncio.sleep(token_s)
        yield ChatDelta(finish="stop", input_tokens=10, output_tokens=len(answer.split()))

    return Scripted(script)


def tts(seconds: float = 0.05) -> Scripted[Utterance, Speech]:
    """Writes the words into audio, with their times."""

    async def script(utterance: Utterance) -> AsyncIterator[Speech]:
        await asyncio.sleep(seconds)
        words: list[SpokenWord] = []
        pcm = b""
        at = 0
        for word in utterance.text.split():
            start_char = utterance.text.index(word, at)
            at = start_char + len(word)
            start = len(pcm) // 2
            pcm += spoken(word, utterance.rate_hz)
            words.append(SpokenWord(start_char, at, start, len(pcm) // 2))
        if pcm:
            yield Speech(pcm, utterance.rate_hz, tuple(words))

    return Scripted(script)
