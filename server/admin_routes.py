"""`/v1/admin`: accounts and keys, for who runs this server."""

import asyncio
import ipaddress
import logging
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.access.records import (
    AccountChange,
    AccountPage,
    KeyPage,
    MadeKey,
    NewAccount,
    NewKey,
)
from server.recording.store import Recordings
from server.refusals import refusals
from storage import accounts, keys
from storage.accounts import Account
from storage.database import Connection, Database
from storage.keys import Key, Terms

log = logging.getLogger(__name__)

ADMIN = [Needs("admin")]
PLAIN, NAMED = refusals(), refusals(404)
"""What else may be answered, without an id in the path and with one."""

Most = Annotated[int, QueryParameter(ge=1, le=1000)]
PAGE = 100
Grace = Annotated[int, QueryParameter(ge=0, le=30 * 86_400)]

Asked = Request[Any, Any, Any]

Revoked = Callable[[Iterable[str]], None]
"""Is told of keys, by their ids, that open nothing from now on."""


def routes(database: Database, revoked: Revoked, recordings: Recordings) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    @post("/v1/admin/accounts", guards=ADMIN, responses=PLAIN, summary="Make an account")
    async def make_account(data: JSONBody[NewAccount]) -> Account:
        """Its keys, and all that is done with them, are its own: no other account sees them."""
        return await database.once(
            lambda c: accounts.create(c, data.name, data.limits, data.retention_days)
        )

    @get("/v1/admin/accounts", guards=ADMIN, responses=PLAIN, summary="All accounts")
    async def list_accounts(after: FromQuery[str | None] = None, limit: Most = PAGE) -> AccountPage:
        """Oldest first, so many of them; with `after`, an account's id, those that follow it."""
        found = await database.run(lambda c: accounts.listed(c, after, limit + 1))
        return AccountPage(found[:limit], len(found) > limit)

    @get("/v1/admin/accounts/{account_id:str}", guards=ADMIN, responses=NAMED, summary="An account")
    async def get_account(account_id: FromPath[str]) -> Account:
        """404 if there is none."""
        return await database.run(lambda c: accounts.get(c, account_id))

    @patch(
        "/v1/admin/accounts/{account_id:str}",
        guards=ADMIN,
        responses=NAMED,
        summary="Change an account",
    )
    async def change_account(account_id: FromPath[str], data: JSONBody[AccountChange]) -> Account:
        """New limits hold within seconds."""
        given = {
            name: value
            for name in data.__struct_fields__
            if (value := getattr(data, name)) is not UNSET
        }

        async def change(connection: Connection) -> Account:
            account = await accounts.get(connection, account_id, lock=True)
            changed: Account = msgspec.structs.replace(account, **given)
            await accounts.update(connection, changed)
            return changed

        return await database.once(change)

    @delete(
        "/v1/admin/accounts/{account_id:str}",
        guards=ADMIN,
        responses=refusals(404, 409),
        summary="Delete an account",
    )
    async def delete_account(account_id: FromPath[str], request: Asked) -> None:
        """With all that it owns. Its keys open nothing from now on; its sessions end."""
        if caller_of(request.scope).account_id == account_id:
            text = "the key that you use belongs to this account: delete it with another's"
            raise Denied(409, "own_account", text)

        async def remove(connection: Connection) -> list[Key]:
            owned = await keys.listed(connection, account_id)
            await accounts.delete(connection, account_id)
            return owned

        owned = await database.once(remove)
        log.info("account deleted", extra={"account": account_id, "keys": len(owned)})
        revoked(key.id for key in owned)
        await asyncio.to_thread(recordings.delete_all, account_id)

    @post("/v1/admin/keys", guards=ADMIN, responses=NAMED, summary="Make a key")
    async def make_key(data: JSONBody[NewKey]) -> MadeKey:
        """Its secret is in this answer and nowhere else: only a hash is kept."""
        check_origins(data.origins)
        check_addresses(data.addresses)
        terms = Terms(data.scopes, data.origins, data.addresses, data.expires_at, data.limits)
        key, secret = await database.once(
            lambda c: keys.create(c, data.account_id, data.name, terms)
        )
        log.info("key made", extra={"key": key.id, "scopes": key.scopes})
        return MadeKey(secret, key)

    @get("/v1/admin/keys", guards=ADMIN, responses=PLAIN, summary="All keys")
    async def list_keys(
        account_id: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Most = PAGE,
    ) -> KeyPage:
        """Of an account, or of all; oldest first, so many of them; with `after`, a key's id, those
        that follow it. Those revoked or expired are among them.
        """
        found = await database.run(lambda c: keys.listed(c, account_id, after, limit + 1))
        return KeyPage(found[:limit], len(found) > limit)

    @get("/v1/admin/keys/{key_id:str}", guards=ADMIN, responses=NAMED, summary="A key")
    async def get_key(key_id: FromPath[str]) -> Key:
        """404 if there is none."""
        return await database.run(lambda c: keys.get(c, key_id))

    @post(
        "/v1/admin/keys/{key_id:str}/revoke",
        guards=ADMIN,
        responses=NAMED,
        status_code=200,
        summary="End a key",
    )
    async def revoke_key(key_id: FromPath[str]) -> Key:
        """It opens nothing from now on, and the sessions that began with it end."""
        key = await database.run(lambda c: keys.revoke(c, key_id))
        log.info("key revoked", extra={"key": key_id})
        revoked([key_id])
        return key

    @post(
        "/v1/admin/keys/{key_id:str}/rotate", guards=ADMIN, responses=NAMED, summary="Replace a key"
    )
    async def rotate_key(key_id: FromPath[str], grace_s: Grace = 0) -> MadeKey:
        """Another that may do the same. The old one is good for `grace_s` seconds more."""
        grace = timedelta(seconds=grace_s)
        key, secret = await database.once(lambda c: keys.rotate(c, key_id, grace=grace))
        log.info("key rotated", extra={"key": key_id, "new": key.id, "grace_s": grace_s})
        if not grace_s:
            revoked([key_id])
        return MadeKey(secret, key)

    return [
        make_account,
        list_accounts,
        get_account,
        change_account,
        delete_account,
        make_key,
        list_keys,
        get_key,
        revoke_key,
        rotate_key,
    ]


ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""As browsers write one (RFC 6454, 6.1): in lower case, without a path."""

USUAL_PORTS = (("http://", ":80"), ("https://", ":443"))
"""Which browsers leave out."""


def check_origins(origins: Iterable[str]) -> None:
    """As browsers send them: what is written otherwise would match none. Raises `Denied`."""
    for origin in origins:
        usual = any(origin.startswith(way) and origin.endswith(port) for way, port in USUAL_PORTS)
        if usual or ORIGIN.fullmatch(origin) is None:
            text = (
                f"origin {origin[:80]!r}: expected such as https://shop.example, in lower case, "
                "without a path or the usual port"
            )
            raise Denied(400, "invalid_value", text)


def check_addresses(addresses: Iterable[str]) -> None:
    """Addresses or networks. Raises `Denied`."""
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            text = f"address {address[:80]!r}: expected such as 10.0.0.0/8 or 192.0.2.7"
            raise Denied(400, "invalid_value", text) from error
