"""The files of the web app, as `make app` leaves them: in `playground/dist`, also of a wheel."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

FOLDER = Path(__file__).resolve().parents[1] / "playground" / "dist"

INDEX = "index.html"
"""Without it there is no app."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What the machine thinks of these endings counts for nothing: browsers are told not to guess."""

OTHER_TYPE = "application/octet-stream"

SQUEEZED = (".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm", ".webmanifest")


class File(msgspec.Struct, frozen=True):
    """One file, whole. `squeezed` is the same by gzip, where that is smaller."""

    body: bytes
    squeezed: bytes | None
    media_type: str
    etag: str


Files = Mapping[str, File]
"""By their paths from the folder, such as `assets/index-3fk2.js`. Empty if the app is not built."""


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is an app."""
    return (folder / INDEX).is_file()


def read(folder: Path = FOLDER) -> Files:
    """All of them, which takes 50 ms for each MB: once, and not while somebody waits for audio.

    Raises `OSError`.
    """
    if not is_built(folder):
        return {}
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): file_of(path) for path in found}


def file_of(path: Path) -> File:
    """Raises `OSError`."""
    body, ending = path.read_bytes(), path.suffix.lower()
    squeezed = gzip.compress(body, mtime=0) if ending in SQUEEZED else body
    smaller = squeezed if len(squeezed) < len(body) else None
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'  # weak: the same for either encoding
    return File(body, smaller, TYPES.get(ending, OTHER_TYPE), etag)
