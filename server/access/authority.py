"""Which scope a route needs."""

from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from server.access.caller import Caller, Scope, caller_of
from server.access.denied import Denied


class Needs:
    """A Litestar guard: only callers with this scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        require(caller_of(connection.scope), self.scope)


def require(caller: Caller, scope: Scope) -> None:
    """Raise `Denied` unless the caller has it."""
    if not caller.may(scope):
        text = f"key {caller.key_id} lacks the scope {scope!r}: it has {', '.join(caller.scopes)}"
        raise Denied(403, "insufficient_scope", text)


def owner_of(scope: Mapping[str, object]) -> str:
    """The account that a request is for: that of its key. Raises `Denied`."""
    account_id = caller_of(scope).account_id
    if account_id is None:
        raise Denied(400, "no_account", "this belongs to an account: ask with a key")
    return account_id
