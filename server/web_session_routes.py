"""`/v1/web/session`: how the web app's user signs in and out."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from server.access.caller import Caller, caller_of, cookie_of
from server.access.denied import Denied
from server.access.entrance import Entrance
from server.access.web_sessions import COOKIE, LASTS_S, WebSessions
from server.public import NO_KEY, WEB_SESSION
from server.refusals import refusals
from storage import accounts, keys
from storage.database import Connection, Database

log = logging.getLogger(__name__)

LONGEST = 200
"""Characters of what may be a key."""

PRIVATE = {"cache-control": "no-store"}

BY_COOKIE: list[dict[str, list[str]]] = [{"signed_in": []}]

Asked = Request[Any, Any, Any]


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key, `vf_…`."""

    key: Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class KeyOf(msgspec.Struct, frozen=True):
    """The key that was shown, as people tell it from others."""

    id: str
    name: str
    prefix: str


class WebSession(msgspec.Struct, frozen=True):
    """Who is signed in. `csrf_token` is for the header `x-csrf-token` of whatever changes
    something.
    """

    key: KeyOf
    account_id: str
    account_name: str
    scopes: tuple[str, ...]
    csrf_token: str


def routes(
    database: Database, entrance: Entrance, web_sessions: WebSessions
) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records and to who knows keys."""

    async def told(caller: Caller, cookie: str) -> WebSession:
        async def read(connection: Connection) -> WebSession:
            assert caller.key_id is not None
            key = await keys.get(connection, caller.key_id)
            account = await accounts.get(connection, key.account_id)
            shown = KeyOf(key.id, key.name, key.prefix)
            token = web_sessions.token(cookie)
            return WebSession(shown, account.id, account.name, key.scopes, token)

        return await database.run(read)

    @post(
        WEB_SESSION,
        status_code=200,
        security=NO_KEY,
        responses=refusals(),
        summary="Sign in",
    )
    async def sign_in(request: Asked, data: JSONBody[Shown]) -> Response[WebSession]:
        """For browsers: the cookie `vf_session` stands for the key from now on, for twelve hours,
        on pages of this server. Wrong keys are slowed down.
        """
        entered = await entrance.sign_in(request.scope, data.key)
        assert entered.cookie is not None
        session = await told(entered.caller, entered.cookie)
        log.info("signed in", extra={"key": session.key.id, "account": session.account_id})
        headers = entered.told | PRIVATE
        return Response(session, headers=headers, cookies=[kept(request, entered.cookie, LASTS_S)])

    @get(
        WEB_SESSION,
        guards=[by_cookie],
        security=BY_COOKIE,
        responses=refusals(404),
        summary="Who is signed in",
    )
    async def who(request: Asked) -> Response[WebSession]:
        """By the cookie, for a page that was loaded again."""
        session = await told(caller_of(request.scope), signed_in_by(request.scope))
        return Response(session, headers=PRIVATE)

    @delete(
        WEB_SESSION,
        guards=[by_cookie],
        security=BY_COOKIE,
        responses=refusals(),
        summary="Sign out",
    )
    async def sign_out(request: Asked) -> Response[None]:
        """This browser forgets its cookie. The key stays good: revoke one that others may have."""
        return Response(None, headers=PRIVATE, cookies=[kept(request, "", 0)])

    return [sign_in, who, sign_out]


def by_cookie(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A Litestar guard: only browsers that have signed in. Raises `Denied`."""
    signed_in_by(connection.scope)


def signed_in_by(scope: Mapping[str, Any]) -> str:
    """The cookie. Raises `Denied` for who shows a key: nobody is signed in then."""
    cookie = cookie_of(scope)
    if cookie is None:
        text = f"this came with a key, and not with the cookie {COOKIE}: sign in by POST first"
        raise Denied(403, "not_signed_in", text)
    return cookie


def kept(request: Asked, value: str, for_s: int) -> Cookie:
    """What the browser keeps, out of its pages' reach; over TLS alone, if it came that way."""
    return Cookie(
        COOKIE,
        value=value,
        max_age=for_s,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
