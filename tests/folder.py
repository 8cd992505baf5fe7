"""A folder for a server's state: pytest's own are closed to the user that the database runs as."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder() -> Iterator[Path]:
    """A new one with a short name, which any user may enter. It is gone at the end."""
    path = Path(tempfile.mkdtemp(prefix="vf-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)
