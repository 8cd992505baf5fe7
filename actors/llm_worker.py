"""The worker of the language model: one ordered queue for all gateways, before one endpoint.

The embedded model runs in this process too, reached over HTTP as any other endpoint is.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.fallback import FallbackChat
from actors.llm_plan import Embedded, Endpoint, LlmPlan
from actors.openai_llm import OpenAIChat
from actors.store import ModelMissing, Store
from engine.doorway import Served
from engine.inference import InferenceError
from engine.load import sum_of

if TYPE_CHECKING:
    from actors.llama import Llama

FOREIGN_AT_ONCE = 32

_kept: list[object] = []
"""The model that runs: it ends when nobody holds it."""


def load(plan: LlmPlan) -> Callable[[], Served[Any, object]]:
    """Start the embedded model, if it is the one; returns what opens the queue."""
    endpoint = plan.endpoint
    at_once = elsewhere = plan.at_once or FOREIGN_AT_ONCE
    if plan.embedded is not None:
        llama = _run(plan.embedded, plan.at_once)
        _kept.append(llama)
        endpoint = Endpoint(
            llama.base_url, plan.embedded.model, llama.api_key, embedded=True, slots=llama.slots
        )
        at_once, elsewhere = llama.at_once, FOREIGN_AT_ONCE
    assert endpoint is not None  # the server names one of the two

    def open_queue() -> Served[Any, object]:
        first = OpenAIChat(endpoint, at_once=at_once, patience=plan.patience)
        if plan.fallback is None:
            return first
        second = OpenAIChat(plan.fallback, at_once=elsewhere, patience=plan.patience)
        return FallbackChat(first, second, lambda: sum_of(first.load(), second.load()))

    return open_queue


def _run(embedded: Embedded, at_once: int | None) -> "Llama":
    from actors.llama import Llama

    try:
        store = Store(Path(embedded.store) if embedded.store else None)
        folder = store.path(embedded.model)
    except ModelMissing as missing:
        raise InferenceError("model_missing", str(missing)) from missing
    return Llama(folder, embedded.threads or os.cpu_count() or 1, at_once)
