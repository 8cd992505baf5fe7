"""`POST /v1/realtime/client_secrets`: what a browser is given instead of a key."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from engine.errors import RequestError
from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied
from server.refusals import refusals
from storage import client_secrets
from storage.database import Database
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.update import first_object
from transports.visits import DEFAULTS

LARGEST = 64 * 1024
"""Bytes of a session as JSON: every gateway that it begins at keeps it for a while."""


class ExpiresAfter(msgspec.Struct, frozen=True):
    """So many seconds after it was made it begins no session any more; those it began go on."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=10, le=7200)] = 600


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for; `session` is what its session begins with, in full or in part."""

    expires_after: ExpiresAfter = ExpiresAfter()
    session: dict[str, Any] = {}


class Made(msgspec.Struct, frozen=True):
    """`value` is the secret; `expires_at` in seconds since 1970."""

    value: str
    expires_at: int
    session: dict[str, Any]


def routes(database: Database) -> list[HTTPRouteHandler]:
    """The handler, bound to the records."""

    @post(
        "/v1/realtime/client_secrets",
        status_code=200,
        guards=[Needs("sessions")],
        responses=refusals(413),
        request_max_body_size=2 * LARGEST,
        summary="A secret for a browser",
    )
    async def make(request: Request[Any, Any, Any], data: JSONBody[Wanted]) -> Made:
        """It begins realtime sessions for some minutes, with these settings, and does nothing else.

        They count as sessions of the key that this is asked with, and end when that is revoked.
        Whoever has it may change the settings later, by `session.update`.
        """
        key_id = caller_of(request.scope).key_id
        if key_id is None:
            raise Denied(400, "no_key", "a client secret is made with a key")
        session = {"type": "realtime", **data.session}
        size = len(msgspec.json.encode(session))
        if size > LARGEST:
            text = f"the session has {size} bytes: a client secret keeps {LARGEST} at most"
            raise Denied(400, "invalid_value", text)
        try:
            shown = first_object(DEFAULTS, session["type"], DEFAULT_MODEL, [session])
        except RequestError as error:
            raise Denied(400, error.code, str(error)) from error
        secret, expires_at = await database.once(
            lambda c: client_secrets.create(c, key_id, session, data.expires_after.seconds)
        )
        return Made(secret, int(expires_at.timestamp()), msgspec.to_builtins(shown))

    return [make]
