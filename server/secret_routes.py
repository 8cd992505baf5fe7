"""`/v1/secrets`: what an account's agents need to know, such as the key for somebody's calendar.

A value goes in and never comes out again: tools and webhooks use it by its name.
"""

import logging
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from server.access.authority import Needs, owner_of
from server.access.denied import Denied
from server.outbound.sealing import Sealing
from server.refusals import refusals
from storage import secrets
from storage.database import Database
from storage.secrets import Named

log = logging.getLogger(__name__)

AGENTS = [Needs("agents")]

NAME = r"^[A-Za-z0-9_.-]{1,64}$"
LONGEST = 16 * 1024
"""Characters: a private key with its certificates has fewer."""

Name = Annotated[str, Meta(pattern=NAME)]
Asked = Request[Any, Any, Any]


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be kept."""

    value: Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class Names(msgspec.Struct, frozen=True):
    """What secrets there are, by name."""

    data: list[Named]


def routes(database: Database, sealing: Sealing) -> list[HTTPRouteHandler]:
    """The handlers, bound to the records."""

    @put(
        "/v1/secrets/{name:str}",
        guards=AGENTS,
        responses=refusals(404, 413),
        summary="Keep a secret",
    )
    async def put_secret(name: FromPath[str], request: Asked, data: JSONBody[Value]) -> Named:
        """In place of what had this name. It is encrypted in the database, with a key that is not
        in there, and never shown again.
        """
        owner, named = owner_of(request.scope), checked(name)
        sealed = sealing.seal(data.value, owner, named)
        kept = await database.once(lambda c: secrets.put(c, owner, named, sealed))
        log.info("secret kept", extra={"account": owner, "secret": named})
        return kept

    @get("/v1/secrets", guards=AGENTS, responses=refusals(), summary="What secrets there are")
    async def list_secrets(request: Asked) -> Names:
        """Their names. Nobody can read their values."""
        owner = owner_of(request.scope)
        return Names(await database.run(lambda c: secrets.listed(c, owner)))

    @delete(
        "/v1/secrets/{name:str}",
        guards=AGENTS,
        responses=refusals(404),
        summary="Forget a secret",
    )
    async def delete_secret(name: FromPath[str], request: Asked) -> None:
        """What uses it fails from now on."""
        owner = owner_of(request.scope)
        await database.once(lambda c: secrets.delete(c, owner, name))
        log.info("secret deleted", extra={"account": owner, "secret": name})

    return [put_secret, list_secrets, delete_secret]


def checked(name: str) -> str:
    """Raises `Denied` for what cannot be one."""
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        text = f"name {name[:80]!r}: expected 1 to 64 of letters, digits, `_`, `.` and `-`"
        raise Denied(400, "invalid_value", text) from error
