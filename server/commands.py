"""How each worker is started: with what share of a machine, here or on a node of a Ray cluster."""

import os
from pathlib import Path

from msgspec.structs import replace

from actors.handlers import Share
from actors.llm_plan import Embedded, Endpoint, LlmPlan
from actors.workers import MODELS, Role, llm_command, model_command, on_ray
from engine.process import WorkerCommand
from server.machine import machine_bytes
from server.settings import EndpointSettings, Settings

KOKORO = "kokoro-82m"
ESPEAK = "espeak-ng"
PIPER_VOICES = "piper-voices"
MINILM = "minilm-l6"

MOST_LANES = 4
"""And no more than the machine that runs them has cores."""


def llm_plan(settings: Settings, store: str, threads: int) -> LlmPlan:
    """Which language model answers, and how it is asked."""
    endpoint, fallback = _endpoint(settings.llm), _endpoint(settings.llm.fallback)
    embedded = Embedded(MODELS["llm"], store, threads) if endpoint is None else None
    return LlmPlan(embedded, endpoint, fallback, settings.llm.at_once)


def _endpoint(llm: EndpointSettings) -> Endpoint | None:
    if llm.base_url is None or llm.model is None:
        return None
    return Endpoint(llm.base_url, llm.model, llm.api_key.reveal() if llm.api_key else "")


class Commands:
    """Makes the commands of the workers. `store` is this machine's model store.

    On a cluster a model lies where the settings say, which is then the same path on every node, or
    else in each node's own store.
    """

    def __init__(self, settings: Settings, store: Path) -> None:
        self._settings = settings
        self._store = store
        self._on_ray = settings.workers.placement == "ray"
        self._cores = os.cpu_count() or 1

    def of_role(self, name: str, role: Role, place: int) -> WorkerCommand:
        """For a worker that is always there. `place`: as in `actors.worker_plans.RayPlan`."""
        if role == "llm":
            return self._llm(name, place)
        share = self._share(1 if role == "turn" else MOST_LANES)
        return self._serving(name, MODELS[role], place, share)

    def on_demand(self, name: str, place: int) -> WorkerCommand:
        """For one that is started when it is needed."""
        models = {
            "whisper": self._settings.workers.whisper,
            "scribe": self._settings.workers.whisper,
            "kokoro": KOKORO,
            "espeak": ESPEAK,
            "voices": PIPER_VOICES,
            "embed": MINILM,
        }
        if name == "scribe":
            share = Share(threads=self._settings.threads or self._cores, patient=True)
            return self._serving(name, models[name], place, share)
        return self._serving(name, models[name], place, self._share(MOST_LANES))

    def _share(self, lanes: int) -> Share:
        return Share(threads=self._settings.threads or 1, lanes=lanes)

    def _serving(self, name: str, model: str, place: int, share: Share) -> WorkerCommand:
        command = model_command(name, model, self._where(self._on_ray), share)
        return self._placed_at(name, command, place, remote=self._on_ray)

    def _llm(self, name: str, place: int) -> WorkerCommand:
        """Only the embedded model goes to the cluster. To ask an endpoint takes no machine, and its
        key stays on this one.
        """
        settings = self._settings
        asks = settings.llm.base_url is not None or settings.llm.fallback.base_url is not None
        remote = self._on_ray and not asks
        threads = settings.threads or (0 if remote else self._cores)
        command = llm_command(llm_plan(settings, str(self._where(remote) or ""), threads))
        return self._placed_at(name, command, place, remote=remote)

    def _where(self, remote: bool) -> Path | None:
        """The store; None for each node's own."""
        return None if remote and self._settings.models is None else self._store

    def _placed_at(
        self, name: str, command: WorkerCommand, place: int, *, remote: bool
    ) -> WorkerCommand:
        """Here or there, with its limit of memory. Nothing is known of a node's: unless that is
        set, Ray's own guard must do.
        """
        most_mb = self._settings.workers.most_mb
        most_bytes = None if remote else machine_bytes() // 2
        if most_mb is not None:
            most_bytes = most_mb << 20
        if remote:
            command = on_ray(name, command, self._settings.workers.ray_address, place)
        return replace(command, most_bytes=most_bytes)
