"""Where the server of this machine listens: in a file of its state folder, for `voiceforge`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

FILE = "address"


@contextlib.contextmanager
def told(folder: Path, url: str) -> Iterator[None]:
    """Say it as long as the block lasts. Where nothing can be written it has to be given."""
    file = folder / FILE
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(url + "\n", encoding="ascii")
    try:
        yield
    finally:
        if found(folder) == url:  # another server may have come meanwhile
            with contextlib.suppress(OSError):
                file.unlink()


def found(folder: Path) -> str | None:
    """What was said; None where no server runs. One that was killed may have left its own."""
    try:
        return (folder / FILE).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
