"""Worker processes: `python -m actors.workers FAMILY SOCKET [THREADS]`.

`worker_command` makes that line for the gateway. Each family's imports stay in its own process.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from engine.capabilities import Clip, Speech, Transcript, TurnClip, TurnScore, Utterance
from engine.child import become_child
from engine.inference import InferenceError
from engine.process import WorkerCommand, package_root
from engine.worker import Handler, serve_worker

Family = Literal["stt", "turn", "tts", "llm"]

MODELS: dict[str, str] = {
    "stt": "moonshine-tiny-en",
    "turn": "smart-turn-v3",
    "tts": "piper-joe",
    "llm": "qwen2.5-0.5b",
}
"""The default model of each family, as the store knows it."""

P = TypeVar("P")
R = TypeVar("R")

_SILENCE = bytes(2 * 16_000)  # a second at 16 kHz


class Batched(Generic[P, R]):
    """A model that answers a list with a list. On a CPU a batch only makes its first wait."""

    max_batch = 1

    def __init__(self, payload_type: type[P], answer: Callable[[list[P]], Sequence[R]], warm: P):
        self.detail: dict[str, str] = {}
        self._payload_type = payload_type
        self._answer = answer
        self._warm = warm

    @property
    def payload_type(self) -> type[P]:
        return self._payload_type

    def warm_up(self) -> None:
        self._answer([self._warm])

    def run(self, batch: list[P]) -> Iterator[tuple[int, R]]:
        yield from enumerate(self._answer(batch))


class Streamed(Generic[P, R]):
    """A model that answers one payload with a stream."""

    max_batch = 1

    def __init__(self, payload_type: type[P], answer: Callable[[P], Iterator[R]], warm: P):
        self.detail: dict[str, str] = {}
        self._payload_type = payload_type
        self._answer = answer
        self._warm = warm

    @property
    def payload_type(self) -> type[P]:
        return self._payload_type

    def warm_up(self) -> None:
        for _ in self._answer(self._warm):
            pass

    def run(self, batch: list[P]) -> Iterator[tuple[int, R]]:
        for place, payload in enumerate(batch):
            for result in self._answer(payload):
                yield place, result


def worker_command(family: Family, *, threads: int | None = None) -> WorkerCommand:
    """How to start the worker of `family`; `threads` 1, for the LLM all cores, unless given."""
    if threads is None:
        threads = (os.cpu_count() or 1) if family == "llm" else 1
    argv = (sys.executable, "-m", "actors.workers", family, "{socket}", str(threads))
    path = os.pathsep.join(filter(None, (package_root(), os.environ.get("PYTHONPATH"))))
    env = {"PYTHONPATH": path}
    if family == "llm":
        # Its OpenMP threads meet at a barrier many times a token. One that spins there for long,
        # while the other waits for a core that STT or TTS has taken, makes everybody slow; one
        # that sleeps at once is slow on an idle machine. Median tokens/s on 2 cores, quiet (two
        # runs of five) and contended (one): without end 35 and 2, 1000 spins 27-34 and 17, none
        # 22-23 and 21.
        env["GOMP_SPINCOUNT"] = "1000"
    return WorkerCommand(argv, env=env, threads=threads)


def _stt(folder: Path, threads: int) -> Handler[Clip, Transcript]:
    from actors.moonshine import Moonshine

    return Batched(Clip, Moonshine(folder, threads).transcribe, Clip(_SILENCE))


def _turn(folder: Path, threads: int) -> Handler[TurnClip, TurnScore]:
    from actors.smart_turn import SmartTurn

    return Batched(TurnClip, SmartTurn(folder, threads).score, TurnClip(_SILENCE))


def _tts(folder: Path, threads: int) -> Handler[Utterance, Speech]:
    from actors.piper import Piper

    warm = Utterance("Good morning, what can I do for you?", "joe")
    return Streamed(Utterance, Piper(folder, threads).speak, warm)


def _llm(folder: Path, threads: int) -> Handler[None, None]:
    from actors.llama import Llama

    return Llama(folder, threads)


_LOADERS: dict[str, Callable[[Path, int], Handler[Any, Any]]] = {
    "stt": _stt,
    "turn": _turn,
    "tts": _tts,
    "llm": _llm,
}


def _load(family: str, threads: int) -> Handler[Any, Any]:
    from actors.store import ModelMissing, Store

    try:
        folder = Store().path(MODELS[family])
    except ModelMissing as missing:
        raise InferenceError("model_missing", str(missing)) from missing
    return _LOADERS[family](folder, threads)


def main(argv: list[str]) -> None:
    """Be the worker that the command line asks for, until killed."""
    if len(argv) not in (2, 3) or argv[0] not in _LOADERS:
        sys.exit(f"usage: python -m actors.workers {{{','.join(_LOADERS)}}} SOCKET [THREADS]")
    family, socket = argv[:2]
    threads = int(argv[2]) if len(argv) == 3 else 1
    become_child(f"voiceforge-{family}")
    serve_worker(family, socket, lambda: _load(family, threads))


if __name__ == "__main__":
    main(sys.argv[1:])
