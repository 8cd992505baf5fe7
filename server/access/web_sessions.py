"""The cookie of a browser that has signed in: its key, sealed.

It is kept nowhere else, so that every gateway reads it, and a server that was started again too.
Whether the key is still good, the keyring says at each request.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from server.access.credentials import header
from server.outbound.sealing import Sealing
from storage.errors import StorageError

COOKIE = "vf_session"

LASTS_S = 12 * 3600
"""A working day: then the key is to be shown again."""

HEADER = "x-csrf-token"
"""With which a page of this server says that it knows the token that belongs to its cookie."""

COOKIE_KEY, TOKEN_KEY = b"voiceforge web session", b"voiceforge csrf token"
"""What keys are for that are derived from the server's secret one. A random nonce is good for 2^32
sealings with a key, and everybody may sign in as often as he likes: accounts' secrets have another.
"""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a cookie holds. `until` in seconds since 1970."""

    key: str
    until: int


class WebSessions:
    """Makes and reads cookies. To open one takes 4 µs: none is remembered."""

    def __init__(self, secret_key: bytes, wall: Callable[[], float] = time.time) -> None:
        self._sealing = Sealing(derived(secret_key, COOKIE_KEY))
        self._token_key = derived(secret_key, TOKEN_KEY)
        self._wall = wall

    def make(self, key: str) -> str:
        """The cookie of who signs in with it now."""
        held = Held(key, int(self._wall()) + LASTS_S)
        sealed = self._sealing.seal(msgspec.json.encode(held).decode(), "", COOKIE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def key(self, cookie: str) -> str | None:
        """The key in it; None if its time is over, or it was not made here."""
        try:
            sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), b"-_", validate=True)
            opened = self._sealing.open(sealed, "", COOKIE)
            held = msgspec.json.decode(opened, type=Held)
        except (binascii.Error, ValueError, msgspec.MsgspecError, StorageError):
            return None
        return held.key if self._wall() < held.until else None

    def token(self, cookie: str) -> str:
        """What a page shows with this cookie wherever something may change."""
        return hmac.digest(self._token_key, cookie.encode(), hashlib.sha256).hex()

    def is_token(self, shown: str, cookie: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(shown.encode(), self.token(cookie).encode())


def derived(secret_key: bytes, purpose: bytes) -> bytes:
    """A key for this purpose, which tells nothing about the other."""
    return hmac.digest(secret_key, purpose, hashlib.sha256)


def cookie_in(scope: Mapping[str, Any]) -> str | None:
    """The cookie that a request or a WebSocket's handshake came with; None without it."""
    for given in (header(scope, b"cookie") or "").split(";"):
        name, _, value = given.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None
