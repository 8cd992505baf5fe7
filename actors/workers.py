"""Worker processes: `python -m actors.workers NAME SOCKET`, with a plan on standard input.

`model_command` and `llm_command` make that line and the plan. Each model family is one file of this
folder, named in models.toml, with a `handler`; its imports stay in its own process.
"""

import importlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from actors.handlers import Share
from actors.llm_plan import LlmPlan
from engine.batcher import Batcher
from engine.child import become_child
from engine.inference import InferenceError
from engine.process import WorkerCommand, package_root
from engine.worker import Served, serve_worker

Role = Literal["stt", "turn", "tts", "llm"]

MODELS: dict[str, str] = {
    "stt": "moonshine-tiny-en",
    "turn": "smart-turn-v3",
    "tts": "piper-joe",
    "llm": "qwen2.5-0.5b",
}
"""The default model of each role, as the store knows it."""

Load = Callable[[], Callable[[], Served[Any, object]]]


class ModelPlan(msgspec.Struct, frozen=True, tag="model"):
    """Serve a model of the store that lies at `store`, with this share of the machine."""

    model: str
    store: str
    share: Share = Share()


_plans = msgspec.msgpack.Decoder(ModelPlan | LlmPlan)


def model_command(
    name: str,
    model: str,
    store: Path,
    share: Share = Share(),  # noqa: B008 - frozen
) -> WorkerCommand:
    """How to start a worker, called `name`, of a model other than an LLM."""
    return _command(name, ModelPlan(model, str(store), share), share.threads)


def llm_command(plan: LlmPlan) -> WorkerCommand:
    """How to start the worker that asks the LLM, and runs it if it is the embedded one."""
    from actors.llama import ENVIRONMENT

    env = ENVIRONMENT if plan.embedded is not None else {}
    return _command("llm", plan, plan.embedded.threads if plan.embedded else 1, env)


def _command(
    name: str, plan: ModelPlan | LlmPlan, threads: int, env: dict[str, str] | None = None
) -> WorkerCommand:
    path = os.pathsep.join(filter(None, (package_root(), os.environ.get("PYTHONPATH"))))
    return WorkerCommand(
        (sys.executable, "-m", "actors.workers", name, "{socket}"),
        env={"PYTHONPATH": path, **(env or {})},
        plan=msgspec.msgpack.encode(plan),
        threads=threads,
    )


def _load_model(plan: ModelPlan) -> Callable[[], Served[Any, object]]:
    from actors.store import ModelMissing, Store

    store = Store(Path(plan.store))
    try:
        folder = store.path(plan.model)
    except ModelMissing as missing:
        raise InferenceError("model_missing", str(missing)) from missing
    family = importlib.import_module(f"actors.{store.model(plan.model).family}")
    handler = family.handler(folder, plan.share)
    handler.warm_up()
    return partial(Batcher, handler)


def _load_llm(plan: LlmPlan) -> Callable[[], Served[Any, object]]:
    from actors.llm_worker import load

    return load(plan)


def main(argv: list[str]) -> None:
    """Be the worker that the plan asks for, until killed."""
    if len(argv) != 2:
        sys.exit("usage: python -m actors.workers NAME SOCKET, with a plan on standard input")
    name, socket = argv
    plan = _plans.decode(become_child(f"voiceforge-{name}", planned=True))
    load = partial(_load_llm if isinstance(plan, LlmPlan) else _load_model, plan)
    serve_worker(name, socket, load)


if __name__ == "__main__":
    main(sys.argv[1:])
