"""Whether the models answer: each is asked a tiny real question."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from engine.inference import InferenceError

log = logging.getLogger(__name__)

Ask = Callable[[], Awaitable[None]]
"""Asks a model something small; raises `InferenceError` or `TimeoutError` when no answer comes."""

FRESH_S = 20.0
"""An answer counts for so long: the LLM's costs about 0.2 s of a core, and balancers ask often."""

RETRY_S = 1.0
PATIENCE_S = 10.0


class State(msgspec.Struct, frozen=True):
    """What `/readyz` says. `models` holds `ready`, or what is missing, by model."""

    ready: bool
    models: dict[str, str]


class Readiness:
    """Answers from memory while that is fresh, else asks all models at once.

    Until `models_started` nothing is asked, and `loading` says what each model is waiting for.
    """

    def __init__(self, names: tuple[str, ...], fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._models = dict.fromkeys(names, "not started yet")
        self._probes: Mapping[str, Ask] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self.draining = False

    def loading(self, name: str, what: str) -> None:
        """Say what is being done for a model that does not answer yet."""
        self._models[name] = what

    def models_started(self, probes: Mapping[str, Ask]) -> None:
        """From now on, ask."""
        self._models = dict.fromkeys(probes, "not asked yet")
        self._probes = probes

    async def state(self) -> State:
        """Whether a session that opens now would be served."""
        if self._probes:
            async with self._asking:  # those who wait for the same answer share it
                await self._refresh()
        missing = self.draining or any(told != "ready" for told in self._models.values())
        models = dict(self._models)
        if self.draining:
            models["server"] = "draining: no new session is taken"
        return State(not missing, models)

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        well = all(told == "ready" for told in self._models.values())
        if loop.time() < self._asked_at + (self._fresh_s if well else RETRY_S):
            return
        names = list(self._probes)
        told = await asyncio.gather(*(answer(self._probes[name]) for name in names))
        for name, now in zip(names, told, strict=True):
            if now != self._models[name]:
                log.info("model", extra={"model": name, "state": now})
            self._models[name] = now
        self._asked_at = loop.time()


async def answer(ask: Ask) -> str:
    """`ready`, or why not."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ask()
    except TimeoutError:
        return f"no answer within {PATIENCE_S:g} s"
    except InferenceError as error:
        return f"{error.code}: {error}"
    return "ready"
