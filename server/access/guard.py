"""Before every route: who is it, and may it?"""

import ipaddress
import logging
from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from server.access.caller import AS, HEADER, OURSELVES, Caller
from server.access.credentials import header, key_in
from server.access.denied import Denied, retry, tell
from server.access.guesses import Guesses
from server.access.keyring import Keyring, Known
from server.lines import Application
from storage.errors import StorageError
from transports.outbox import Message, Send
from transports.reading import Receive

log = logging.getLogger(__name__)

RETRY_DATABASE_S = 2

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
        address = _address(scope)
        known = self._keyring.remembered(secret)
        if known is None:
            wait_s = self._guesses.wait_s(address)
            if wait_s:
                text = f"too many wrong keys from this address: try again in {wait_s:.0f} s"
                raise retry(429, "too_many_wrong_keys", text, wait_s)
            known = await self._looked_up(secret)
        if known is None:
            self._guesses.wrong(address)
            raise unknown("invalid_api_key", "no such key, or it is revoked or has expired")
        check_place(known, scope, address)
        self._keyring.note(known.key.id)
        return known.caller

    async def _looked_up(self, secret: str) -> Known | None:
        try:
            return await self._keyring.find(secret)
        except StorageError:
            text = "the key cannot be looked up: the database does not answer"
            raise retry(503, "database_unavailable", text, RETRY_DATABASE_S) from None


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
    """Whether the key may be used from there. Raises `Denied`."""
    key = known.key
    if key.origins and (header(scope, b"origin") or "") not in key.origins:
        text = f"key {key.id} is for pages of {', '.join(key.origins)}"
        raise Denied(403, "origin_not_allowed", text)
    if key.addresses and not _within(address, key.addresses):
        raise Denied(403, "address_not_allowed", f"key {key.id} is not for use from {address}")


def saying(told: dict[str, str], send: Send) -> Send:
    """Sends, with more headers."""
    more = [(name.encode(), value.encode()) for name, value in told.items()]

    async def sending(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


def _address(scope: Message) -> str:
    client: Any = scope.get("client")
    return str(client[0]) if client else ""


def _within(address: str, networks: Collection[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in ipaddress.ip_network(network) for network in networks)
