"""A real worker process, `python a_worker.py SOCKET`, whose model does what the payload says.

A payload is a list of steps: a number is a result to yield, `wait:PATH` blocks until the file is
there, `eat:MB` holds memory, `die` kills the process, `raise` fails, `refuse` fails with a code.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from engine.batcher import Batcher
from engine.child import become_child
from engine.inference import InferenceError
from engine.worker import serve_worker

Steps = list[int | str]


class Obedient:
    max_batch = int(os.environ.get("MAX_BATCH", "1"))
    lanes = int(os.environ.get("LANES", "1"))
    streams = False
    payload_type = Steps

    def warm_up(self) -> None:
        pass

    def run(self, batch: list[Steps]) -> Iterator[tuple[int, int]]:
        for place, steps in enumerate(batch):
            for step in steps:
                yield from self._step(place, step, len(batch))

    def lasts_s(self, _result: int) -> float:
        return 0.0

    def _step(self, place: int, step: int | str, size: int) -> Iterator[tuple[int, int]]:
        match step:
            case int():
                yield place, step
            case "size":
                yield place, size
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "raise":
                raise ValueError("the caller said something private")
            case "refuse":
                raise InferenceError("no_such_voice", "there is no voice 'bob': ask for 'joe'")
            case str():
                verb, _, path = step.partition(":")
                if verb == "made":
                    Path(path).touch()
                if verb == "eat":  # so many MB, until it is noticed
                    eaten = b"x" * (int(path) << 20)
                    time.sleep(20 * bool(eaten))
                while verb == "wait" and not Path(path).exists():
                    time.sleep(0.001)


def load() -> Callable[[], Batcher[Steps, int]]:
    if "MODEL_MISSING" in os.environ:
        raise InferenceError("model_missing", "run `voiceforge models pull`")
    if "MODEL_GOES" in os.environ:  # after two workers have loaded it
        loaded = Path(os.environ["MODEL_GOES"])
        with loaded.open("a") as file:
            file.write("x")
        if loaded.stat().st_size > 2:
            raise InferenceError("model_missing", "run `voiceforge models pull`")
    if "CRASH" in os.environ:
        os._exit(9)
    return partial(Batcher, Obedient())


if __name__ == "__main__":
    become_child("voiceforge-test", planned=True)
    serve_worker("test", sys.argv[1], load)
