"""Links that open one recording for some minutes, to whoever has them: signed, and kept nowhere."""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from server.access.admin_key import read, write
from storage.keys import random_secret

FILE = "links.key"
"""In the state folder: without it, all links are good for nothing."""

PATH = "/v1/recordings/"

SHAPE = re.compile(re.escape(PATH) + r"[^/]+")
"""Of the paths that need no key."""

Format = Literal["wav", "opus"]


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What one opens. `until` in seconds since 1970."""

    account_id: str
    session_id: str
    format: Format
    until: int


class Links:
    """Makes and reads them with the secret in `file`."""

    def __init__(self, file: Path, wall: Callable[[], float] = time.time) -> None:
        self._file = file
        self._wall = wall

    def see_to_secret(self) -> None:
        """Make it if there is none. Raises `OSError`."""
        if read(self._file) is None:
            write(self._file, random_secret(""))

    def make(self, account_id: str, session_id: str, form: Format, seconds: int) -> tuple[str, int]:
        """The token of a new one, for its path; and until when. Raises `FileNotFoundError`."""
        until = int(self._wall()) + seconds
        body = msgspec.json.encode(Link(account_id, session_id, form, until))
        return f"{_text(body)}.{_text(self._signature(body))}", until

    def open(self, token: str) -> Link | None:
        """What it opens; None if it is none of ours, or its time is over."""
        try:
            body, signature = map(_bytes, token.split("."))
            genuine = hmac.compare_digest(self._signature(body), signature)
        except (ValueError, binascii.Error, FileNotFoundError):
            return None
        if not genuine:
            return None
        link = msgspec.json.decode(body, type=Link)
        return link if self._wall() < link.until else None

    def _signature(self, body: bytes) -> bytes:
        secret = read(self._file)
        if secret is None:
            raise FileNotFoundError(self._file)
        return hmac.digest(secret.encode(), body, hashlib.sha256)


def _text(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
