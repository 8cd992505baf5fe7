"""Before every route: who is it, and may it?"""

import ipaddress
from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from server.access.caller import AS, HEADER, OURSELVES, Caller
from server.access.credentials import header, key_in
from server.access.denied import RETRY_DATABASE_S, Denied, retry, tell
from server.access.guesses import Guesses
from server.access.keyring import Keyring, Known
from server.lines import Application
from storage.errors import StorageError
from transports.outbox import Message, Send
from transports.reading import Receive

STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

AWAY = "the key cannot be looked up: the database does not answer"

HOW = "send it as `Authorization: Bearer vf_…`; `voiceforge keys create` makes one"


class Allowance(Protocol):
    """Counts requests."""

    async def take(self, caller: Caller) -> dict[str, str]:
        """Count one; the headers that say what is left. Raises `Denied`."""
        ...


class Guard:
    """An ASGI application around another: whoever is not at a `public` path needs a key.

    What is known of it stands in the scope (`caller_of`); what it may do there, the route asks.
    """

    def __init__(
        self,
        application: Application,
        public: Collection[str],
        keyring: Keyring,
        allowance: Allowance,
        refused: Callable[[str], None],
    ) -> None:
        self._application = application
        self._public = public
        self._keyring = keyring
        self._allowance = allowance
        self._guesses = Guesses()
        self._refused = refused

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in self._public:
            await self._application(scope, receive, send)
            return
        try:
            caller = await self._identified(scope)
            told = await self._allowance.take(caller)
        except Denied as denied:
            self._refused(denied.code)
            await tell(denied, scope, receive, send)
            return
        scope[AS] = caller
        await self._application(scope, receive, saying(told, send) if told else send)

    async def _identified(self, scope: Message) -> Caller:
        secret = key_in(scope)
        if secret is None:
            raise unknown("missing_api_key", f"this needs an API key: {HOW}")
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


class Trusted:
    """An ASGI application around another for who comes over a private socket: this server's own
    processes, which say for whom they ask.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            told = header(scope, HEADER.encode())
            scope[AS] = msgspec.json.decode(told, type=Caller) if told else OURSELVES
        await self._application(scope, receive, send)


def unknown(code: str, message: str) -> Denied:
    """401: nobody knows who asks."""
    return Denied(401, code, message, headers={"www-authenticate": "Bearer"})


def check_place(known: Known, scope: Message, address: str) -> None:
    """Whether the key may be used from there. Raises `Denied`.

    Only browsers say of which page they are, so that an origin restricts nobody else; but what is
    for browsers must come from one.
    """
    key, origin = known.key, header(scope, b"origin")
    for_browsers = known.caller.session is not None
    if key.origins and (origin or for_browsers) and origin not in key.origins:
        text = f"key {key.id} is for pages of {', '.join(key.origins)}"
        raise Denied(403, "origin_not_allowed", text)
    if key.addresses and not _within(address, key.addresses):
        raise Denied(403, "address_not_allowed", f"key {key.id} is not for use from {address}")


def saying(told: dict[str, str], send: Send) -> Send:
    """Sends, with more headers."""
    more = [(name.encode(), value.encode()) for name, value in told.items()]

    async def sending(message: Message) -> None:
        if message["type"] in STARTS:
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


def address_of(scope: Message) -> str:
    """The client's IP address, one of IPv4 as such though an IPv6 socket took it; or empty."""
    client: Any = scope.get("client")
    text = str(client[0]) if client else ""
    try:
        mapped = getattr(ipaddress.ip_address(text), "ipv4_mapped", None)
    except ValueError:
        return text
    return str(mapped) if mapped else text


def _within(address: str, networks: Collection[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in networks)
