"""The model hub: an HTTP server that publishes model files under their own names."""

import http.client
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

from actors.download import Progress, SourceError, download

DEFAULT_HUB = "https://huggingface.co"

_PROBE_S = 2.5  # name look-up, connection and first answer, together
_down: set[str] = set()  # hubs that failed once are not asked again in this process


class Hub:
    """One hub. `VOICEFORGE_HUB` names a mirror of the default one."""

    def __init__(self, address: str | None = None) -> None:
        self.address = (address or os.environ.get("VOICEFORGE_HUB") or DEFAULT_HUB).rstrip("/")
        self._answered = False

    def reachable(self, progress: Progress) -> bool:
        """Whether the hub answers at all, known within 3 s; a hub once found down stays down."""
        if self.address not in _down and not self._answered:
            self._answered = _answers(self.address)
            if not self._answered:
                progress.note(f"the hub {self.address} cannot be reached")
                _down.add(self.address)
        return self.address not in _down

    def fetch(self, path: str, into: Path, name: str, progress: Progress) -> None:
        """Fetch one file, going on where an earlier call was cut. Raises `SourceError`."""
        try:
            download(f"{self.address}/{path}", into, name, progress)
        except SourceError:
            if not _answers(self.address):
                _down.add(self.address)
            raise


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
