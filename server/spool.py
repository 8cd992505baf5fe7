"""Batches of records, kept in files until they are in the database.

Each writer, a process of ours in one of its lives, has a folder of its own, which it locks. What it
leaves behind another one delivers.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

DIGITS = 12


class Locked:
    """A writer's folder, which nobody else touches as long as this is open."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def writer(self) -> str:
        """Its name."""
        return self.path.name

    def save(self, batch: int, body: bytes) -> None:
        """Write the batch of this number, in place of what it was. Raises `OSError`."""
        part = self.path / "part"
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._file(batch))
        os.fsync(self._descriptor)

    def read(self, batch: int) -> bytes:
        """The batch. Raises `OSError`."""
        return self._file(batch).read_bytes()

    def drop(self, batch: int) -> None:
        """It is in the database."""
        self._file(batch).unlink(missing_ok=True)

    def put_aside(self, batch: int) -> Path:
        """It cannot be read: keep it for a person. Where it is."""
        return self._file(batch).replace(self.path.parent / f"unreadable-{self.writer}-{batch}")

    def batches(self) -> list[int]:
        """Those that are there, in order."""
        return sorted(int(path.name) for path in self.path.iterdir() if path.name.isdigit())

    def remove(self) -> None:
        """Nothing is in it any more."""
        (self.path / "part").unlink(missing_ok=True)
        self.path.rmdir()

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def _file(self, batch: int) -> Path:
        return self.path / f"{batch:0{DIGITS}}"


def new(folder: Path, writer: str) -> Locked:
    """A folder for a new writer. Raises `OSError`."""
    hidden = folder / f".{writer}"  # nobody looks there
    hidden.mkdir(mode=0o700, parents=True, exist_ok=True)
    locked = lock(hidden)
    assert locked is not None
    locked.path = hidden.rename(folder / writer)
    return locked


def left_behind(folder: Path, kind: str) -> Iterator[Locked]:
    """The folders of writers of this kind that are gone, each open until the next is asked for."""
    for path in sorted(folder.glob(f"{kind}_*")):
        locked = lock(path)
        if locked is None:
            continue
        with contextlib.closing(locked):
            yield locked


def lock(path: Path) -> Locked | None:
    """The folder, unless somebody else has it or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Locked(path, descriptor)
