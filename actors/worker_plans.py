"""What a worker is told to do, and how it is done: wherever it runs, on this machine or another."""

import importlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.handlers import Share
from actors.llm_plan import LlmPlan
from engine.batcher import Batcher
from engine.doorway import Served
from engine.inference import InferenceError


class ModelPlan(msgspec.Struct, frozen=True, tag="model"):
    """Serve a model of the store that lies at `store` (empty: where the machine that runs it has
    its own), with this share of that machine, whose cores limit the lanes.

    `model` is the name that the store has for it, or the path of a folder with a Whisper, or a
    program of `PROGRAMS`.
    """

    model: str
    store: str
    share: Share = Share()


WHISPER_WEIGHTS = "model.bin"
"""By this file a folder is known to hold a model for CTranslate2."""


PROGRAMS = {"espeak-ng": "espeak", "piper-voices": "piper_voices"}
"""What speaks without weights, or with those of many voices, and the file of this folder that runs
each.
"""


class RayPlan(msgspec.Struct, frozen=True, tag="ray"):
    """Have a node of the Ray cluster at `address` carry out `plan`, an encoded one of the others.

    `place` is which node to prefer: replicas with different numbers get different ones, as long as
    there are so many. `env` is the environment of the process there.
    """

    address: str
    place: int
    plan: bytes
    env: dict[str, str] = {}


Plan = ModelPlan | LlmPlan | RayPlan

_plans = msgspec.msgpack.Decoder(Plan)


def decoded(plan: bytes) -> Plan:
    """The plan that a worker was given."""
    told: Plan = _plans.decode(plan)
    return told


def load(packed: bytes) -> Callable[[], Served[Any, object]]:
    """Load what an encoded `ModelPlan` or `LlmPlan` asks for.

    Returns what opens it in the event loop. Raises `InferenceError`, `model_missing` among them.
    """
    plan = decoded(packed)
    if isinstance(plan, LlmPlan):
        from actors.llm_worker import load as load_llm

        return load_llm(plan)
    assert isinstance(plan, ModelPlan)  # a plan for Ray holds no other for Ray
    return _load_model(plan)


def _load_model(plan: ModelPlan) -> Callable[[], Served[Any, object]]:
    from actors.download import StoreError
    from actors.store import Store

    store = Store(Path(plan.store) if plan.store else None)
    try:
        if plan.model in PROGRAMS:
            name, folder = PROGRAMS[plan.model], store.root
        elif os.sep in plan.model:
            name, folder = "whisper", whisper_folder(plan.model)
        else:
            name, folder = store.model(plan.model).family, store.path(plan.model)
    except StoreError as missing:
        raise InferenceError("model_missing", str(missing)) from missing
    family = importlib.import_module(f"actors.{name}")
    lanes = min(plan.share.lanes, os.cpu_count() or 1)
    handler = family.handler(folder, replace(plan.share, lanes=lanes))
    handler.warm_up()
    return partial(Batcher, handler)


def whisper_folder(path: str) -> Path:
    """The folder of a Whisper that lies outside of the store. Raises `StoreError`."""
    from actors.download import StoreError

    folder = Path(path)
    if not (folder / WHISPER_WEIGHTS).is_file():
        raise StoreError(
            f"{folder} holds no {WHISPER_WEIGHTS}: it must be a Whisper for CTranslate2 "
            "(ct2-transformers-converter makes one)"
        )
    return folder
