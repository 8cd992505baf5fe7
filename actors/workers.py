"""Worker processes: `python -m actors.workers NAME SOCKET`, with a plan on standard input.

`model_command` and `llm_command` make that line and the plan, `on_ray` has another machine carry it
out. Each model family is one file of this folder, named in models.toml, with a `handler`; its
imports stay in its own process.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from actors.handlers import Share
from actors.llm_plan import LlmPlan
from actors.worker_plans import ModelPlan, Plan, RayPlan, decoded, load
from engine.child import become_child, library_limits
from engine.inference import InferenceError
from engine.process import WorkerCommand, package_root
from engine.worker import Connected, serve_connections, serve_worker

Role = Literal["stt", "turn", "tts", "llm"]

MODELS: dict[str, str] = {
    "stt": "moonshine-tiny-en",
    "turn": "smart-turn-v3",
    "tts": "piper-joe",
    "llm": "qwen2.5-0.5b",
}
"""The default model of each role, as the store knows it."""

PATIENT_NICE = 10
"""A tenth of what a process of callers gets, where both want all of a core (Linux, sched(7))."""

_ON_RAY_LOAD_S = 180.0
"""To join the cluster, find a node and load there, from a disk that may be slower than ours."""


def model_command(
    name: str,
    model: str,
    store: Path | None,
    share: Share = Share(),  # noqa: B008 - frozen
) -> WorkerCommand:
    """How to start a worker, called `name`, of a model other than an LLM.

    Without `store` the model lies in the store of the machine that runs it.
    """
    plan = ModelPlan(model, str(store or ""), share)
    return replace(_command(name, plan, share.threads), model=Path(model).name)


def llm_command(plan: LlmPlan) -> WorkerCommand:
    """How to start the worker that asks the LLM, and runs it if it is the embedded one."""
    from actors.llama import ENVIRONMENT

    env = ENVIRONMENT if plan.embedded is not None else {}
    asked = plan.endpoint or plan.embedded
    command = _command("llm", plan, plan.embedded.threads if plan.embedded else 1, env)
    return replace(command, model=asked.model if asked else "")


def on_ray(name: str, command: WorkerCommand, address: str, place: int) -> WorkerCommand:
    """How to start what `command` would start, but on a node of the Ray cluster at `address`.

    A process here stands for it (`actors.ray_worker`). `place`: as in `RayPlan`.
    """
    env = {key: value for key, value in command.env.items() if key != "PYTHONPATH"}
    limits = library_limits(command.threads) if command.threads else {}
    plan = RayPlan(address, place, command.plan, limits | env)
    return replace(_command(name, plan, threads=1), load_s=_ON_RAY_LOAD_S, model=command.model)


def _command(
    name: str, plan: Plan, threads: int, env: dict[str, str] | None = None
) -> WorkerCommand:
    path = os.pathsep.join(filter(None, (package_root(), os.environ.get("PYTHONPATH"))))
    return WorkerCommand(
        (sys.executable, "-m", "actors.workers", name, "{socket}"),
        env={"PYTHONPATH": path, **(env or {})},
        plan=msgspec.msgpack.encode(plan),
        threads=threads,
    )


def _engage(name: str, plan: RayPlan) -> Callable[[], Connected]:
    try:
        from actors.ray_worker import engage
    except ModuleNotFoundError as missing:
        raise InferenceError(
            "ray_missing",
            f'workers.placement = "ray" needs Ray, and there is no {missing.name}: '
            "pip install 'voiceforge[ray]'",
        ) from missing
    return engage(name, plan.address, plan.place, plan.env, partial(load, plan.plan))


def main(argv: list[str]) -> None:
    """Be the worker that the plan asks for, until killed."""
    if len(argv) != 2:
        sys.exit("usage: python -m actors.workers NAME SOCKET, with a plan on standard input")
    name, socket = argv
    packed = become_child(f"voiceforge-{name}", planned=True)
    plan = decoded(packed)
    if isinstance(plan, ModelPlan) and plan.share.patient:
        os.nice(PATIENT_NICE)
    if isinstance(plan, RayPlan):
        serve_connections(name, socket, partial(_engage, name, plan))
    else:
        serve_worker(name, socket, partial(load, packed))


if __name__ == "__main__":
    main(sys.argv[1:])
