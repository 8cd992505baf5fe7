"""The model hub: an HTTP server that publishes model files under their own names."""

import http.client
import os
import re
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from actors.download import Progress, SourceError, download

DEFAULT_HUB = "https://huggingface.co"

_ANSWER_S = 20.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PROBE_S = 2.5  # name look-up, connection and first answer, together
_DOWN_S = 60.0
_down: dict[str, float] = {}
"""When a hub failed: it is not asked again for a minute, whatever is wanted of it."""


class Published(msgspec.Struct, frozen=True):
    """What a hub says of a large file."""

    size_bytes: int
    sha256: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: what a hub says of a file, it says where it sends on to the file."""

    def redirect_request(self, *_: object) -> None:
        return None


class Hub:
    """One hub. `VOICEFORGE_HUB` names a mirror of the default one."""

    def __init__(self, address: str | None = None) -> None:
        self.address = (address or os.environ.get("VOICEFORGE_HUB") or DEFAULT_HUB).rstrip("/")
        self._answered = False

    def reachable(self, progress: Progress) -> bool:
        """Whether the hub answers at all, known within 3 s; one that is down stays so a minute."""
        if not self._is_down() and not self._answered:
            self._answered = _answers(self.address)
            if not self._answered:
                progress.note(f"the hub {self.address} cannot be reached")
                _down[self.address] = time.monotonic()
        return not self._is_down()

    def fetch(self, path: str, into: Path, name: str, progress: Progress) -> None:
        """Fetch one file, going on where an earlier call was cut. Raises `SourceError`."""
        try:
            download(f"{self.address}/{path}", into, name, progress)
        except SourceError:
            if not _answers(self.address):
                _down[self.address] = time.monotonic()
            raise

    def _is_down(self) -> bool:
        failed_at = _down.get(self.address)
        return failed_at is not None and time.monotonic() < failed_at + _DOWN_S

    def published(self, path: str) -> Published:
        """What is said of a file, without its bytes. Raises `SourceError`."""
        url = f"{self.address}/{path}"
        asked = urllib.request.Request(url, method="HEAD", headers={"Accept-Encoding": "identity"})
        try:
            with urllib.request.build_opener(_Stay).open(asked, timeout=_ANSWER_S) as answer:
                headers = answer.headers
        except urllib.error.HTTPError as sent_on:
            sent_on.close()
            if sent_on.code not in (301, 302, 303, 307, 308):
                raise SourceError(f"{url} answered {sent_on.code}") from None
            headers = sent_on.headers
        except (OSError, http.client.HTTPException) as lost:
            raise SourceError(f"{url}: {getattr(lost, 'reason', lost)}") from None
        sha256 = (headers.get("X-Linked-Etag") or headers.get("ETag") or "").strip('W/"')
        size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
        if not _SHA256.fullmatch(sha256) or not size.isdecimal():
            raise SourceError(
                f"{url} comes without its size and SHA-256 (X-Linked-Size, X-Linked-Etag), so that "
                "nothing would tell whether it is whole: name a hub that tells them"
            )
        return Published(int(size), sha256)

    def read(self, path: str, most_bytes: int) -> bytes:
        """A small file. Raises `SourceError`."""
        url = f"{self.address}/{path}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:
                body: bytes = answer.read(most_bytes + 1)
        except (OSError, http.client.HTTPException) as lost:
            raise SourceError(f"{url}: {lost}") from None
        if len(body) > most_bytes:
            raise SourceError(f"{url} has more than {most_bytes:,} bytes")
        return body


def _answers(address: str) -> bool:
    """Ask in a thread of its own: a name look-up obeys no timeout."""
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(
                urllib.request.Request(address, method="HEAD"), timeout=_PROBE_S
            ).close()
        except urllib.error.HTTPError as refused:
            refused.close()  # an answer all the same
        except (OSError, http.client.HTTPException):
            return
        answered.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PROBE_S)
    return answered.is_set()
