"""Where recordings are: for our eyes only, in a folder of the state folder, by account."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

FOLDER = "recordings"
"""In the state folder."""

SUFFIXES = (".wav", ".ogg", ".part")
"""What is said; the same, smaller; the same, as it is made."""


class Recordings:
    """The files of this machine, named for their sessions."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER

    def wav(self, account_id: str, session_id: str) -> Path:
        """Where what is said is written to."""
        return self.folder / account_id / f"{session_id}.wav"

    def ogg(self, account_id: str, session_id: str) -> Path:
        """Where the same is kept for those who asked for it smaller."""
        return self.folder / account_id / f"{session_id}.ogg"

    def make_room(self, account_id: str) -> None:
        """Have a folder for an account. Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / account_id).mkdir(mode=0o700, exist_ok=True)

    def delete(self, account_id: str, session_id: str) -> None:
        """Whatever there is of a session. Raises `OSError`."""
        for suffix in SUFFIXES:
            (self.folder / account_id / f"{session_id}{suffix}").unlink(missing_ok=True)

    def delete_all(self, account_id: str) -> None:
        """Whatever there is of an account."""
        shutil.rmtree(self.folder / account_id, ignore_errors=True)

    def kept(self) -> Iterator[tuple[str, str]]:
        """The account and the session of each that there is."""
        for path in self.folder.glob("*/*"):
            if path.suffix in SUFFIXES:
                yield path.parent.name, path.stem

    def tidy(self) -> None:
        """Remove the folders of accounts without recordings."""
        for path in self.folder.glob("*"):
            with contextlib.suppress(OSError):  # it is not empty
                path.rmdir()
