"""Who is it, and may it? Asked of everybody who needs a key, however it is shown."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from server.access.address import address_of, within
from server.access.caller import Caller
from server.access.credentials import header, key_in
from server.access.denied import RETRY_DATABASE_S, Denied, retry
from server.access.guesses import Guesses
from server.access.keyring import Keyring, Known
from server.access.own_pages import check_page
from server.access.web_sessions import COOKIE, HEADER, WebSessions, cookie_in
from storage.errors import StorageError

AWAY = "the key cannot be looked up: the database does not answer"

HOW = "send it as `Authorization: Bearer vf_…`; `voiceforge keys create` makes one"

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110, 9.2.1)."""


class Allowance(Protocol):
    """Counts requests."""

    async def take(self, caller: Caller) -> dict[str, str]:
        """Count one; the headers that say what is left. Raises `Denied`."""
        ...


class Entered(msgspec.Struct, frozen=True):
    """Who was let in. `told` are headers for the answer, `cookie` is what stood for the key."""

    caller: Caller
    told: dict[str, str]
    cookie: str | None = None


class Entrance:
    """Knows keys, slows down who guesses them, and counts requests. `refused` is called with the
    code of each no.
    """

    def __init__(
        self,
        keyring: Keyring,
        web_sessions: WebSessions,
        allowance: Allowance,
        refused: Callable[[str], None],
    ) -> None:
        self._keyring = keyring
        self._web_sessions = web_sessions
        self._allowance = allowance
        self._refused = refused
        self._guesses = Guesses()

    async def enter(self, scope: Mapping[str, Any]) -> Entered:
        """By the key that the request came with, or by the cookie of a browser that has signed in.

        Raises `Denied`.
        """
        try:
            secret, cookie = self._shown(scope)
            return await self._entered(scope, secret, cookie)
        except Denied as denied:
            self._refused(denied.code)
            raise

    async def sign_in(self, scope: Mapping[str, Any], secret: str) -> Entered:
        """By a key that a page of this server shows, for a cookie. Raises `Denied`."""
        try:
            check_page(scope)
            entered = await self._entered(scope, secret, None)
            if entered.caller.session is not None:
                text = "a client secret begins realtime sessions, no more: sign in with a key"
                raise Denied(403, "client_secret", text)
        except Denied as denied:
            self._refused(denied.code)
            raise
        return msgspec.structs.replace(entered, cookie=self._web_sessions.make(secret))

    def _shown(self, scope: Mapping[str, Any]) -> tuple[str, str | None]:
        """The key, and the cookie if it is from there."""
        secret = key_in(scope)
        if secret is not None:
            return secret, None
        cookie = cookie_in(scope)
        if cookie is None:
            raise unknown("missing_api_key", f"this needs an API key: {HOW}")
        check_page(scope)
        secret = self._web_sessions.key(cookie)
        if secret is None:
            text = f"the sign-in is over, or was another server's ({COOKIE}): sign in again"
            raise unknown("sign_in_expired", text)
        self._check_token(scope, cookie)
        return secret, cookie

    def _check_token(self, scope: Mapping[str, Any], cookie: str) -> None:
        if scope["type"] == "websocket" or scope["method"] in SAFE:
            return
        shown = header(scope, HEADER.encode())
        if shown is None or not self._web_sessions.is_token(shown, cookie):
            wrong = "is missing" if shown is None else "is not that of this sign-in"
            text = f"the header `{HEADER}` {wrong}: `GET /v1/web/session` tells `csrf_token`"
            raise Denied(403, "csrf_failed", text)

    async def _entered(self, scope: Mapping[str, Any], secret: str, cookie: str | None) -> Entered:
        caller = await self._identified(scope, secret)
        return Entered(caller, await self._allowance.take(caller), cookie)

    async def _identified(self, scope: Mapping[str, Any], secret: str) -> Caller:
        address = address_of(scope)
        known = self._keyring.remembered(secret)
        if known is None:
            known = await self._looked_up(secret, address)
        if known is None:
            raise unknown("invalid_api_key", "no such key: it may have been deleted, or mistyped")
        if known.good_for_s <= 0:
            raise unknown("expired_api_key", f"key {known.key.id} has expired or is revoked")
        check_place(known, scope, address)
        self._keyring.note(known.key.id)
        return known.caller

    async def _looked_up(self, secret: str, address: str) -> Known | None:
        """A key that was never seen counts as wrong while it is looked up: many at once, too."""
        guessed = not self._keyring.seen(secret)
        if guessed:
            wait_s = self._guesses.wait_s(address)
            if wait_s:
                text = f"too many wrong keys from this address: try again in {wait_s:.0f} s"
                raise retry(429, "too_many_wrong_keys", text, wait_s)
            self._guesses.wrong(address)
        known, asked = None, False
        try:
            known, asked = await self._keyring.find(secret), True
        except StorageError:
            raise retry(503, "database_unavailable", AWAY, RETRY_DATABASE_S) from None
        finally:
            if guessed and (known is not None or not asked):
                self._guesses.right(address)
        return known


def unknown(code: str, message: str) -> Denied:
    """401: nobody knows who asks."""
    return Denied(401, code, message, headers={"www-authenticate": "Bearer"})


def check_place(known: Known, scope: Mapping[str, Any], address: str) -> None:
    """Whether the key may be used from there. Raises `Denied`.

    Only browsers say of which page they are, so that an origin restricts nobody else; but what is
    for browsers must come from one.
    """
    key, origin = known.key, header(scope, b"origin")
    for_browsers = known.caller.session is not None
    if key.origins and (origin or for_browsers) and origin not in key.origins:
        text = f"key {key.id} is for pages of {', '.join(key.origins)}"
        raise Denied(403, "origin_not_allowed", text)
    if key.addresses and not within(address, key.addresses):
        raise Denied(403, "address_not_allowed", f"key {key.id} is not for use from {address}")
