"""`voiceforge models`: which models are here, fetching them, checking them."""

import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from actors.download import StoreError
from actors.store import ModelState, Store
from actors.workers import MODELS
from server.settings import Settings
from server.settings_sources import SettingsError, load
from server.store import store_of

models = App(name="models", help="The models on this machine: list, pull and verify them.")

_MB = 1e6
_TERMINAL_S = 0.2  # between two states of a line on a terminal
_LOG_S = 10.0  # between two lines where the output is kept

Offline = Annotated[
    bool, Parameter(negative=(), help="Touch no network (also VOICEFORGE_OFFLINE=1).")
]
Json = Annotated[bool, Parameter(negative=(), help="One JSON array on standard output.")]
Root = Annotated[
    Path | None, Parameter(name="--store", help="The store's folder (also VOICEFORGE_MODELS).")
]
Which = Annotated[str, Parameter(help="Model ids; the default models if none.")]
Every = Annotated[
    bool, Parameter(name="--all", negative=(), help="Every model that the store knows.")
]


class _Line(msgspec.Struct):
    """One model in `list --json`."""

    id: str
    role: str
    title: str
    licence: str
    default: bool
    present: bool
    size_bytes: int
    folder: str
    files: dict[str, str]


class Printed:
    """The `Progress` on standard error: a line per file on a terminal, now and then one else."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._name = ""
        self._began_s = self._told_s = 0.0
        self._began_bytes = 0
        self._open = False

    def moved(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        """Show how far a file is, and how fast it comes."""
        now_s = time.monotonic()
        if name != self._name:
            self.close()
            self._name, self._began_s, self._began_bytes = name, now_s, done_bytes
            self._told_s = now_s if not self._terminal else 0.0
        whole = done_bytes == total_bytes
        if not whole and now_s - self._told_s < (_TERMINAL_S if self._terminal else _LOG_S):
            return
        self._told_s = now_s
        rate = (done_bytes - self._began_bytes) / max(now_s - self._began_s, 1e-3) / _MB
        total = "?" if total_bytes is None else f"{total_bytes / _MB:.1f}"
        text = f"{name}: {done_bytes / _MB:.1f} of {total} MB, {rate:.1f} MB/s"
        if self._terminal:
            print(f"\r{text}\x1b[K", end="\n" if whole else "", file=sys.stderr, flush=True)
            self._open = not whole
        else:
            print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A line of its own."""
        self.close()
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """End a line that is still being rewritten."""
        if self._open:
            print(file=sys.stderr)
            self._open = False


@models.command(name="list")
def list_(*, json: Json = False, store: Root = None) -> int:
    """List the models that can be had, and whether they are here."""
    try:
        states = store_of(_settings(store)).list()
    except (StoreError, SettingsError) as failed:
        return _failed(failed)
    if json:
        print(msgspec.json.encode([_line(state) for state in states]).decode())
        return 0
    print(f"{'model':<20}{'role':<6}{'MB':>6}  {'here':<9}{'licence':<14}what")
    for state in states:
        model = state.model
        here = "yes" if state.present else "no" + (" (default)" if model.default else "")
        print(
            f"{model.id:<20}{model.role:<6}{model.size_bytes / _MB:>6.0f}  {here:<9}"
            f"{model.licence:<14}{model.title}"
        )
    return 0


@models.command
def pull(*model: Which, every: Every = False, offline: Offline = False, store: Root = None) -> int:
    """Fetch models, going on where an earlier pull was cut. What is here and whole is left alone.

    Ends with 1 if a model could not be had.
    """
    progress = Printed()
    try:
        settings = _settings(store, offline=offline)
        here = store_of(settings)
        for model_id in _chosen(here, model, every, embedded_llm=settings.llm.base_url is None):
            if here.state(model_id).present:
                continue
            began_s = time.monotonic()
            folder = here.pull(model_id, progress)
            progress.note(f"{model_id}: ready in {folder} ({time.monotonic() - began_s:.1f} s)")
    except (StoreError, SettingsError) as failed:
        progress.close()
        return _failed(failed)
    return 0


@models.command
def verify(*model: Which, every: Every = False, store: Root = None) -> int:
    """Hash the files of models and compare with the pinned SHA-256. Touches no network.

    Ends with 1 if a file is missing or corrupt.
    """
    bad = False
    try:
        here = store_of(_settings(store, offline=True))
        for model_id in _chosen(here, model, every):
            state = here.verify(model_id)
            bad = bad or not state.present
            for file, is_ in state.files.items():
                print(f"{is_:<8}{state.folder / file}")
    except (StoreError, SettingsError) as failed:
        return _failed(failed)
    if bad:
        print("voiceforge models pull fetches what is missing or corrupt", file=sys.stderr)
    return int(bad)


def _chosen(
    store: Store, named: tuple[str, ...], every: bool, *, embedded_llm: bool = True
) -> tuple[str, ...]:
    if every:
        return store.known()
    llm = MODELS["llm"]
    return named or tuple(name for name in store.defaults() if embedded_llm or name != llm)


def _settings(store: Path | None, *, offline: bool = False) -> Settings:
    """The server's own, so that it finds what is fetched here; the command line comes first."""
    settings = load().settings
    root = settings.models if store is None else str(store)
    return msgspec.structs.replace(settings, models=root, offline=offline or settings.offline)


def _line(state: ModelState) -> _Line:
    model = state.model
    return _Line(
        id=model.id,
        role=model.role,
        title=model.title,
        licence=model.licence,
        default=model.default,
        present=state.present,
        size_bytes=model.size_bytes,
        folder=str(state.folder),
        files=dict(state.files),
    )


def _failed(failed: Exception) -> int:
    print(f"voiceforge: {failed}", file=sys.stderr)
    return 1
