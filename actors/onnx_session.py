"""ONNX models, ready to run: on the CPU, or on the GPU where that is quicker."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import onnxruntime

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

RUNS = 3
"""From which a handler's speed is judged, after one that allocates and picks kernels."""


class Handler(Protocol):
    """What of a served model says how quick it is."""

    @property
    def max_batch(self) -> int: ...

    @property
    def lanes(self) -> int: ...

    def warm_up(self) -> None: ...


H = TypeVar("H", bound=Handler)


def session(model: bytes | Path, threads: int, provider: str = CPU) -> onnxruntime.InferenceSession:
    """`model`, a file or its contents, ready to run. Idle threads sleep: others need the cores.

    What `provider` cannot compute is left to the CPU. Raises `RuntimeError` where it cannot be had.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it keeps a plan of memory for every length of a sentence
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = list(dict.fromkeys((provider, CPU)))
    if isinstance(model, Path):
        made = onnxruntime.InferenceSession(model, options, providers=providers)
    else:
        # Through a file in memory, since a session keeps the bytes that it was made of.
        with os.fdopen(os.memfd_create("model"), "wb") as file:
            file.write(model)
            file.flush()
            path = f"/proc/self/fd/{file.fileno()}"
            made = onnxruntime.InferenceSession(path, options, providers=providers)
    if provider not in made.get_providers():  # ONNX Runtime only prints a warning
        raise RuntimeError(f"{provider} does not start: see ONNX Runtime's warning above")
    return made


def quickest(make: Callable[[str], H]) -> H:
    """What `make` makes of the CPU or of the GPU, if ONNX Runtime has one (`onnxruntime-gpu`).

    Which serves more is not known beforehand: small models wait for a GPU to be told of every
    step, and 8-bit ones have steps that it cannot do. So both are timed, as they would serve.
    """
    on_cpu = make(CPU)
    if CUDA not in onnxruntime.get_available_providers():
        return on_cpu
    try:
        on_gpu = make(CUDA)
        seconds = {CPU: _seconds(on_cpu), CUDA: _seconds(on_gpu)}
    except Exception:  # whatever a driver comes up with: the CPU serves
        log.warning("the GPU cannot be used", exc_info=True)
        return on_cpu
    gpu = seconds[CUDA] < seconds[CPU]
    log.info("the %s is quicker", "GPU" if gpu else "CPU", extra={"seconds_each": seconds})
    return on_gpu if gpu else on_cpu


def _seconds(handler: Handler) -> float:
    """For one payload, when all lanes have whole batches to do."""
    handler.warm_up()
    start = time.perf_counter()
    for _ in range(RUNS):
        handler.warm_up()
    return (time.perf_counter() - start) / (RUNS * handler.max_batch * handler.lanes)
